package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// fileSize is how large a file of a history is, in MiB.
const fileSize = 16

// writeHistory makes a folder with so many MiB that nobody can compress. Beyond
// smallHistory its files are links to the first ones, so that a large history has
// room in memory.
func writeHistory(dir string, mib int) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	chaos := rand.NewChaCha8([32]byte{1})
	data := make([]byte, fileSize<<20)
	name := func(i int) string { return filepath.Join(dir, fmt.Sprintf("%05d.bin", i)) }
	for i, left := 0, mib; left > 0; i, left = i+1, left-fileSize {
		if i >= smallHistory/fileSize && left >= fileSize {
			if err := os.Link(name(i%(smallHistory/fileSize)), name(i)); err != nil {
				return err
			}
			continue
		}
		part := data[:min(left, fileSize)<<20]
		if _, err := chaos.Read(part); err != nil {
			return err
		}
		if err := os.WriteFile(name(i), part, 0o600); err != nil {
			return err
		}
	}
	return nil
}
