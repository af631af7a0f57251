package spawn

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The files of the folder.
const (
	releaseFile = "release.key"
	voucherFile = "voucher.key"
	setFile     = "set.cbor"
	setsFolder  = "sets"
	firstFile   = "FIRST"
)

// write replaces a file, durably: the old one is there until the new one is.
func write(path string, b []byte) error {
	part, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".part-*") // 0600
	if err != nil {
		return fmt.Errorf("spawn: %w", err)
	}
	defer os.Remove(part.Name()) // it is not there any more if all went well
	_, err = part.Write(b)
	if err = errors.Join(err, part.Sync(), part.Close()); err != nil {
		return fmt.Errorf("spawn: write %s: %w", path, err)
	}
	if err := os.Rename(part.Name(), path); err != nil {
		return fmt.Errorf("spawn: write %s: %w", path, err)
	}
	return syncDir(filepath.Dir(path))
}

// exists reports whether there is a file or a folder.
func exists(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("spawn: %w", err)
	}
	return true, nil
}

// newKey makes an Ed25519 key and writes it: PKCS #8 in PEM (RFC 8410, Section 7).
func newKey(path string) (ed25519.PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("spawn: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("spawn: %w", err)
	}
	return key, write(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}
