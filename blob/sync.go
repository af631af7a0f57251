package blob

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"path"
	"slices"
)

// Sync writes the blobs to the disk, and then the folders that name them, each once.
// A blob that is not there is fs.ErrNotExist.
func (f *Folder) Sync(ctx context.Context, keys iter.Seq[string]) error {
	folders := map[string]bool{}
	for key := range keys {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("blob: sync: %w", err)
		}
		if err := checkKey(key); err != nil {
			return err
		}
		if err := f.sync(key); err != nil {
			return fmt.Errorf("blob: sync %s: %w", key, err)
		}
		for p := path.Dir(key); !folders[p]; p = path.Dir(p) { // up to "."
			folders[p] = true
		}
	}
	for _, p := range slices.Sorted(maps.Keys(folders)) {
		if err := f.syncFolder(p); err != nil {
			return fmt.Errorf("blob: sync %s: %w", p, err)
		}
	}
	return nil
}

func (f *Folder) sync(name string) error {
	file, err := f.root.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}
