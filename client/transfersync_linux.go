package client

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncFileSystem makes all that was written to the file system of a folder survive
// a power cut: much faster than one file after the other, when there are many.
func syncFileSystem(dir string) (done bool, err error) {
	d, err := os.Open(dir)
	if err != nil {
		return false, diskError(err)
	}
	return true, diskError(errors.Join(unix.Syncfs(int(d.Fd())), d.Close()))
}

// freeBytes is how much room there is for a history.
func freeBytes(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, diskError(err)
	}
	return s.Bavail * uint64(s.Bsize), nil //nolint:gosec // never negative
}
