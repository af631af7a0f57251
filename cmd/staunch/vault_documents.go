package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/staunchid/staunch/recovery/release"
)

// maxDocument bounds what is read as one.
const maxDocument = 1 << 20

// VaultSignCmd is `staunch vault sign`.
type VaultSignCmd struct {
	ReleaseKey string `required:"" placeholder:"FILE" help:"Private release key."`
	File       string `arg:"" help:"A vault set or a ceremony; it gets one more signature."`
}

// Help is the long text of --help.
func (VaultSignCmd) Help() string {
	return `Adds the signature of one more release key to a vault set or a ceremony. Read it first with "staunch vault show". A key that the set does not list, or that has signed already, is refused.

Exit codes: 0 signed; 1 refused; 2 the command line is wrong.

Example: staunch vault sign --release-key second.key set.cbor`
}

// Run signs.
func (c *VaultSignCmd) Run(s *streams) error {
	key, err := release.ReadKey(c.ReleaseKey)
	if err != nil {
		return err
	}
	b, err := readDocument(c.File)
	if err != nil {
		return err
	}
	if b, err = release.Sign(b, key); err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	part := c.File + ".part"
	if err := writeOnce(part, b); err != nil {
		return err
	}
	if err := os.Rename(part, c.File); err != nil {
		return errors.Join(err, os.Remove(part))
	}
	_, err = fmt.Fprintf(s.out, "%s is signed by %s, too.\n", c.File, release.Public(key))
	return err
}

// VaultShowCmd is `staunch vault show`.
type VaultShowCmd struct {
	File string `arg:"" help:"A vault set, a configuration, a ceremony, evidence or a receipt."`
}

// Help is the long text of --help.
func (VaultShowCmd) Help() string {
	return `Prints in words what a document says, and whether its signatures are genuine. It does not judge evidence.

Exit codes: 0 printed; 1 it is no such document; 2 the command line is wrong.

Example: staunch vault show /var/lib/staunch/vaults/set.cbor`
}

// Run prints.
func (c *VaultShowCmd) Run(s *streams) error {
	b, err := readDocument(c.File)
	if err != nil {
		return err
	}
	text, err := release.Words(b)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	_, err = io.WriteString(s.out, text)
	return err
}

func readDocument(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxDocument+1))
	if err == nil && len(b) > maxDocument {
		err = fmt.Errorf("%s: it is larger than any such document", file)
	}
	return b, err
}

// writeOnce writes a file that is not there yet.
func writeOnce(file string, b []byte) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s is there already: choose another name, or move it away", file)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}
