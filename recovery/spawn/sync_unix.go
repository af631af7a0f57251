//go:build unix

package spawn

import (
	"errors"
	"fmt"
	"os"
)

// syncDir makes a renaming in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("spawn: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("spawn: sync %s: %w", dir, err)
	}
	return nil
}
