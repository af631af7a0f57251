package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// ConfigNewKeyCmd makes a key.
type ConfigNewKeyCmd struct {
	File string `arg:"" help:"File for the private key; FILE.pub gets the public half."`
}

// Help is the long text of --help.
func (ConfigNewKeyCmd) Help() string {
	return `Makes an Ed25519 key: PKCS #8 in PEM, which its owner alone can read. The configuration names it as audit_key_file of one app. FILE.pub has the public half: keep it where the server's operators cannot write, since "staunch check --audit-key" judges seals by it, and name it in audit_public_key_files once another key has taken its place.

The same kind of key is good for a backend: it keeps FILE, and backend_public_key_file names FILE.pub.

Neither file is overwritten. Exit codes: 0 done; 1 a file is there already or cannot be written; 2 the command line is wrong.

Example: staunch config new-key audit.key`
}

// Run makes the key.
func (c *ConfigNewKeyCmd) Run(s *streams) error {
	public := c.File + ".pub"
	for _, file := range []string{c.File, public} {
		if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
			if err != nil {
				return err
			}
			return fmt.Errorf("%s is there already; a key that has sealed anything must not be lost, so choose another name, or move it away", file)
		}
	}
	private, pub, err := newKey()
	if err != nil {
		return err
	}
	if err := writeNew(public, 0o644, func() string { return pub }); err != nil {
		return err
	}
	if err := writeNew(c.File, 0o600, func() string { return private }); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s has the private key; nobody else may read it. %s has the public half.\n", c.File, public)
	return err
}

// newKey is an Ed25519 key in PEM, both halves of it (RFC 8410, Sections 4 and 7).
func newKey() (private, public string, err error) {
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", "", err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", "", err
	}
	pkix, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return "", "", err
	}
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return block("PRIVATE KEY", pkcs8), block("PUBLIC KEY", pkix), nil
}
