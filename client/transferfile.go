package client

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// ErrNoSpace: the disk of this phone is full. Make room and do the same again.
var ErrNoSpace = errors.New("client: there is no room on this phone")

// saveWhole replaces a file, so that after a crash it is the old one or the new
// one. With synced a power cut changes nothing either.
func saveWhole(path string, data []byte, synced bool) error {
	part, err := os.CreateTemp(filepath.Dir(path), ".part-")
	if err != nil {
		return diskError(err)
	}
	_, err = part.Write(data) // CreateTemp gives mode 0600
	if err == nil && synced {
		err = part.Sync()
	}
	err = errors.Join(err, part.Close())
	if err == nil {
		err = os.Rename(part.Name(), path)
	}
	if err != nil {
		return diskError(errors.Join(err, os.Remove(part.Name())))
	}
	if !synced {
		return nil
	}
	return syncFolder(filepath.Dir(path))
}

// loadWhole reads a file; without one it gives nil.
func loadWhole(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, diskError(err)
	}
	return data, nil
}

// removeAll removes files and folders, and what a crash has left of saveWhole.
func removeAll(dir string, names ...string) error {
	var all error
	for _, name := range names {
		all = errors.Join(all, os.RemoveAll(filepath.Join(dir, name)))
	}
	list, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return all
	}
	for _, e := range list {
		if strings.HasPrefix(e.Name(), ".part-") {
			all = errors.Join(all, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return diskError(errors.Join(all, err, syncFolder(dir)))
}

// syncFolder makes what was created, renamed and removed in a folder survive a
// power cut. Windows has no such call, and its file systems keep a log of it.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return diskError(err)
	}
	return diskError(errors.Join(d.Sync(), d.Close()))
}

// syncFile makes the content of a file survive a power cut.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return diskError(err)
	}
	return diskError(errors.Join(f.Sync(), f.Close()))
}

// diskError says of an error of a file whether room is what it lacks.
func diskError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: %w", ErrNoSpace, err)
	}
	return fmt.Errorf("client: %w", err)
}

// bootID differs after each start of the machine: what was written and not
// synced before one may be gone. Empty: the machine does not say.
func bootID() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}
