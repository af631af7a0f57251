package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// lockHome takes the lock of a phone's folder, and waits for it if asked to. It
// ends when the file is closed or the program ends, however that happens.
func lockHome(dir string, wait bool) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, &phoneUsage{fmt.Errorf("--home: %w", err)}
	}
	how := uint32(windows.LOCKFILE_EXCLUSIVE_LOCK)
	if !wait {
		how |= windows.LOCKFILE_FAIL_IMMEDIATELY
	}
	err = windows.LockFileEx(windows.Handle(f.Fd()), how, 0, 1, 0, new(windows.Overlapped))
	switch {
	case err == nil:
		return f, nil
	case errors.Is(err, windows.ERROR_LOCK_VIOLATION):
		err = errBusy
	}
	return nil, errors.Join(err, f.Close())
}

// syncDir does nothing: names are written with their file here.
func syncDir(string) error { return nil }
