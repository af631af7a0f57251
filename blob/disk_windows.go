package blob

import (
	"errors"
	"syscall"
)

// full reports whether an error says that there is no room: ERROR_HANDLE_DISK_FULL,
// ERROR_DISK_FULL, ERROR_DISK_QUOTA_EXCEEDED.
func full(err error) bool {
	for _, code := range []syscall.Errno{39, 112, 1295} {
		if errors.Is(err, code) {
			return true
		}
	}
	return false
}

// syncFolder has nothing to do: NTFS keeps its names in a journal.
func (f *Folder) syncFolder(string) error { return nil }
