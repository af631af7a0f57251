//go:build !windows

package blob

import (
	"errors"
	"syscall"
)

// full reports whether an error says that there is no room.
func full(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }

// syncFolder makes the names in a folder survive a power cut.
func (f *Folder) syncFolder(name string) error {
	file, err := f.root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}
