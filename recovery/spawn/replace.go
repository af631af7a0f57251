package spawn

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/staunchid/staunch/recovery/release"
	"github.com/staunchid/staunch/recovery/replica"
	"github.com/staunchid/staunch/recovery/wire"
)

// ErrRuns: the server runs, and would go on with the vaults that it knows. Stop it.
var ErrRuns = errors.New("spawn: the server runs")

// Replaced is what Replace has done.
type Replaced struct {
	Lost, New string
	Version   uint64 // of the set that lists the new one
	Folder    string // of the new one
}

// Replace puts a new vault in the place of one whose keys are gone for good, with
// the next version of the set (release.Replacement). The server must be stopped;
// it starts the new one, and runs the lost one as a witness. Cut off anywhere, it
// is done again.
func Replace(dir, lost string, now time.Time) (*Replaced, error) {
	v, err := Look(dir)
	if err != nil {
		return nil, err
	}
	v.Close()
	if err := stopped(dir); err != nil {
		return nil, err
	}
	key, err := release.ReadKey(filepath.Join(dir, releaseFile))
	if err != nil {
		return nil, fmt.Errorf("%w: %w: restore it from where it is", ErrFolder, err)
	}
	taken, err := everListed(dir)
	if err != nil {
		return nil, err
	}
	s := &Set{o: &Options{Dir: dir}, now: func() time.Time { return now }}
	here, err := s.measurement()
	if err != nil {
		return nil, err
	}
	set, config, err := (&release.Replacement{
		Signed: v.Signed, Like: v.Config, Lost: lost, New: release.Party{ID: nextID(taken), Operator: operator},
		Taken: taken, Measurements: []wire.Measurement{here}, From: now, Key: release.Public(key),
	}).Make()
	if err != nil {
		return nil, fmt.Errorf("spawn: %w", err)
	}
	if err := keyless(filepath.Join(dir, lost), "start the server with it. If they cannot be used, move the folder away, and keep it"); err != nil {
		return nil, err
	}
	folder := filepath.Join(dir, config.Vault)
	if err := s.begin(folder, &config); err != nil {
		return nil, err
	}
	if s.signed, err = release.Document(&set, key); err != nil {
		return nil, fmt.Errorf("spawn: %w", err)
	}
	s.shape = shapes()[set.Profile].of(&set)
	if err := os.MkdirAll(filepath.Join(dir, lost), 0o700); err != nil {
		return nil, fmt.Errorf("spawn: %w", err)
	}
	return &Replaced{lost, config.Vault, set.Version, folder}, s.publish(dir, set.Version, s.signed)
}

// begin makes the folder of a vault that has no keys yet, and is to make them.
func (s *Set) begin(folder string, config *wire.Config) error {
	if err := keyless(folder, "no set lists that vault: move the folder away"); err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("spawn: %w", err)
	}
	b, err := wire.Encode(config)
	if err != nil {
		return fmt.Errorf("spawn: %w", err)
	}
	if err := write(filepath.Join(folder, replica.ConfigFile), b); err != nil {
		return err
	}
	return write(filepath.Join(folder, firstFile), nil)
}

// keyless wants a folder to have no master keys; instead says what to do if it has.
func keyless(folder, instead string) error {
	has, err := replica.HasKeys(folder)
	if err != nil {
		return fmt.Errorf("spawn: %w", err)
	}
	if has {
		return fmt.Errorf("%w %s has the keys of its vault: %s", ErrFolder, folder, instead)
	}
	return nil
}

// stopped reports whether no server runs the vaults of a folder.
func stopped(dir string) error {
	sockets, err := filepath.Glob(filepath.Join(dir, "*", "peer.sock"))
	if err != nil {
		return fmt.Errorf("spawn: %w", err)
	}
	for _, path := range sockets {
		if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
			c.Close()
			return fmt.Errorf("%w, for %s listens: stop it first", ErrRuns, filepath.Dir(path))
		}
	}
	return nil
}

// everListed are the ids of all vaults and witnesses that any version of the set
// has listed.
func everListed(dir string) (ids []string, err error) {
	files, err := filepath.Glob(filepath.Join(dir, setsFolder, "*.cbor"))
	if err != nil {
		return nil, fmt.Errorf("spawn: %w", err)
	}
	for _, path := range append(files, filepath.Join(dir, setFile)) {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrFolder, err)
		}
		set, err := release.Set(b)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrFolder, path, err)
		}
		for _, members := range [][]wire.Member{set.Vaults, set.WitnessesOnly} {
			for _, m := range members {
				ids = append(ids, m.Vault)
			}
		}
	}
	return ids, nil
}

// nextID is the id after all that there were: v4 after v1 to v3.
func nextID(taken []string) string {
	most := 0
	for _, id := range taken {
		if n, err := strconv.Atoi(strings.TrimPrefix(id, "v")); err == nil {
			most = max(most, n)
		}
	}
	return "v" + strconv.Itoa(most+1)
}
