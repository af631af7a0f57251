package spawn

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/replica"
	"github.com/staunchid/staunch/recovery/wire"
)

// View is a folder of vaults as it lies there.
type View struct {
	Signed    []byte // the vault set
	Vaults    []recovery.Vault
	Config    wire.Config       // of one of them; all have the same but for their name
	Witnesses map[string]string // paths of the sockets of those that run in the server, by id

	links []*recovery.LinkClient
}

// Look reads a folder for who only looks. It makes nothing, changes nothing and
// needs no private key, and a server may run meanwhile.
func Look(dir string) (*View, error) {
	v := &View{Witnesses: map[string]string{}}
	var err error
	if v.Signed, err = os.ReadFile(filepath.Join(dir, setFile)); err != nil {
		return nil, fmt.Errorf("%w: %w: start the server once, or look at data_dir", ErrFolder, err)
	}
	doc, err := wire.Decode[wire.KofM](v.Signed)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrFolder, filepath.Join(dir, setFile), err)
	}
	set, err := wire.Decode[wire.VaultSet](doc.TBS)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrFolder, filepath.Join(dir, setFile), err)
	}
	shape, ok := shapes()[set.Profile]
	if !ok {
		return nil, fmt.Errorf("%w: %s is of profile %q, which this program does not run itself", ErrFolder, filepath.Join(dir, setFile), set.Profile)
	}
	if v.Config, err = anyConfig(dir, &set); err != nil {
		return nil, err
	}
	if err := doc.Verify(v.Config.Release); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrFolder, filepath.Join(dir, setFile), err)
	}
	shape = shape.of(&set)
	links := map[string]*recovery.LinkClient{}
	for _, c := range shape.children {
		l := recovery.DialLink("unix", filepath.Join(dir, c.folder(), "vault.sock"))
		links[c.name()], v.links = l, append(v.links, l)
	}
	v.Vaults = waysTo(shape, links)
	for _, w := range shape.witnesses {
		v.Witnesses[w] = filepath.Join(dir, w, "peer.sock")
	}
	return v, nil
}

// anyConfig is the configuration of the first member of a set whose folder is there.
func anyConfig(dir string, set *wire.VaultSet) (c wire.Config, err error) {
	for _, m := range slices.Concat(set.Vaults, set.WitnessesOnly) {
		have, bad := replica.ReadConfig(filepath.Join(dir, m.Vault))
		if bad == nil {
			return have, nil
		}
		err = errors.Join(err, bad)
	}
	return c, fmt.Errorf("spawn: %w", err)
}

// Close ends the connections.
func (v *View) Close() {
	for _, l := range v.links {
		l.Close()
	}
}
