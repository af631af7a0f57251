package replica

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/staunchid/staunch/recovery/vault"
	"github.com/staunchid/staunch/recovery/wire"
)

// The files of a folder.
const (
	ConfigFile   = "config.cbor"
	SetFile      = "set.cbor"
	PreviousFile = "previous.cbor"
	CeremonyFile = "ceremony.cbor"
	keysFile     = "keys.sealed"
	sealingFile  = "process.key"
	pidFile      = "pid"
)

// folder is where a process keeps what it needs at its next start.
type folder struct {
	dir    string
	config wire.Config
	lock   *os.File
}

// openFolder takes the folder's lock and reads its configuration, which must be
// that of id.
func openFolder(dir, id string) (*folder, error) {
	config, err := ReadConfig(dir)
	if err != nil {
		return nil, err
	}
	if config.Vault != id {
		return nil, fmt.Errorf("%w: %s is of %s, not of %s", ErrFolder, filepath.Join(dir, ConfigFile), config.Vault, id)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	f := &folder{dir, config, lock}
	if err := f.write(pidFile, []byte(strconv.Itoa(os.Getpid())+"\n")); err != nil {
		lock.Close()
		return nil, err
	}
	return f, nil
}

// ReadConfig reads what the vault or witness of a folder is started with.
func ReadConfig(dir string) (c wire.Config, err error) {
	path := filepath.Join(dir, ConfigFile)
	b, err := os.ReadFile(path)
	if err != nil {
		return c, fmt.Errorf("%w: %w: the host writes it before the first start", ErrFolder, err)
	}
	if c, err = wire.Decode[wire.Config](b); err != nil {
		return c, fmt.Errorf("%w: %s: %w", ErrFolder, path, err)
	}
	return c, nil
}

// close gives the lock back, and the pid.
func (f *folder) close() {
	os.Remove(filepath.Join(f.dir, pidFile)) // a stale one harms nobody: LOCK decides
	f.lock.Close()
}

// keys opens the master keys.
func (f *folder) keys() (*vault.MasterKeys, error) {
	sealed, err := os.ReadFile(filepath.Join(f.dir, keysFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w: without the master keys no record of this vault can be opened: restore the folder from where it is", ErrFolder, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFolder, err)
	}
	sealing, err := f.sealing(false)
	if err != nil {
		return nil, err
	}
	keys, err := vault.OpenMasterKeys(sealing, &f.config, sealed)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrFolder, filepath.Join(f.dir, keysFile), err)
	}
	return keys, nil
}

// hasKeys reports whether keys were ever kept here.
func (f *folder) hasKeys() (bool, error) { return HasKeys(f.dir) }

// HasKeys reports whether the folder of a vault has master keys. It does not open them.
func HasKeys(dir string) (bool, error) {
	_, err := os.Stat(filepath.Join(dir, keysFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// keep seals the master keys and makes them durable.
func (f *folder) keep(keys *vault.MasterKeys) error {
	sealing, err := f.sealing(true)
	if err != nil {
		return err
	}
	sealed, err := keys.Seal(sealing, &f.config)
	if err != nil {
		return err
	}
	return f.write(keysFile, sealed)
}

// sealing is the key that seals at level process: a file beside what it seals,
// which keeps out nobody who can read the folder.
func (f *folder) sealing(create bool) (k wire.Key, err error) {
	path := filepath.Join(f.dir, sealingFile)
	b, err := os.ReadFile(path)
	if create && errors.Is(err, fs.ErrNotExist) {
		k = wire.NewKey()
		return k, f.write(sealingFile, k[:])
	}
	if err != nil {
		return k, fmt.Errorf("%w: %w", ErrFolder, err)
	}
	if len(b) != len(k) {
		return k, fmt.Errorf("%w: %s has %d bytes, not %d", ErrFolder, path, len(b), len(k))
	}
	return wire.Key(b), nil
}

// ceremony is the re-base or the hand-over that was signed for this vault; both are
// nil if there is none.
func (f *folder) ceremony() (*vault.Ceremony, *vault.Handover, error) {
	b, err := os.ReadFile(filepath.Join(f.dir, CeremonyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrFolder, err)
	}
	signed, err := wire.Decode[wire.KofM](b)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %s: %w", ErrFolder, CeremonyFile, err)
	}
	if body, err := wire.Decode[wire.Ceremony](signed.TBS); err == nil && body.Kind == wire.CeremonyHandover {
		h, err := vault.OpenHandover(&signed, &f.config)
		return nil, h, err
	}
	c, err := vault.OpenCeremony(&signed, &f.config)
	return c, nil, err
}

// write replaces a file, durably: the old one is there until the new one is.
func (f *folder) write(name string, b []byte) error {
	part, err := os.CreateTemp(f.dir, name+".part-*") // 0600
	if err != nil {
		return fmt.Errorf("replica: %w", err)
	}
	defer os.Remove(part.Name()) // it is not there any more if all went well
	_, err = part.Write(b)
	if err = errors.Join(err, part.Sync(), part.Close()); err != nil {
		return fmt.Errorf("replica: write %s: %w", name, err)
	}
	if err := os.Rename(part.Name(), filepath.Join(f.dir, name)); err != nil {
		return fmt.Errorf("replica: write %s: %w", name, err)
	}
	return syncDir(f.dir)
}

// listen listens at an address. A socket that a process left behind is replaced:
// the folder's lock says that it does not run.
func listen(address string) (net.Listener, error) {
	network, where, err := split(address)
	if err != nil {
		return nil, err
	}
	if network == "unix" {
		if err := os.Remove(where); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("replica: %w", err)
		}
	}
	ln, err := net.Listen(network, where)
	if err != nil {
		return nil, fmt.Errorf("replica: %w", err)
	}
	if network == "unix" {
		if err := os.Chmod(where, 0o600); err != nil {
			ln.Close()
			return nil, fmt.Errorf("replica: %w", err)
		}
	}
	return ln, nil
}
