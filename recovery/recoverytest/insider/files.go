package insider

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Snapshot is a copy of the files of one part of a kit.
type Snapshot struct {
	name  string
	files map[string][]byte // by path below the folder
}

// Snapshot copies the files of a part as they are, while it runs: of APIName the
// store with its write-ahead log, and the retry log; of a vault or witness its
// folder, of which nothing is looked at.
func (k *Kit) Snapshot(name string) (*Snapshot, error) {
	s := &Snapshot{name, map[string][]byte{}}
	dir := k.folder(name)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // a temporary file that is gone again
			return nil
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		rel, _ := filepath.Rel(dir, path)
		s.files[rel] = b
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("insider: copy %s: %w", name, err)
	}
	return s, nil
}

// PutBack kills the part, makes its files those of the snapshot, and leaves it
// dead.
func (k *Kit) PutBack(s *Snapshot) error {
	if err := k.Kill(s.name); err != nil {
		return err
	}
	dir := k.folder(s.name)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("insider: %w", err)
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return fmt.Errorf("insider: %w", err)
		}
	}
	for rel, b := range s.files {
		if strings.HasSuffix(rel, "-shm") { // made anew from the write-ahead log, as after a power cut
			continue
		}
		path := filepath.Join(dir, rel)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return fmt.Errorf("insider: %w", err)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			return fmt.Errorf("insider: %w", err)
		}
	}
	return nil
}
