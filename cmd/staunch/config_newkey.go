package main

import (
	"crypto"
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
	for _, file := range []string{c.File, public(c.File)} {
		if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
			if err != nil {
				return err
			}
			return fmt.Errorf("%s is there already; a key that has sealed anything must not be lost, so choose another name, or move it away", file)
		}
	}
	if err := writeKey(c.File); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.out, "%s has the private key; nobody else may read it. %s has the public half.\n", c.File, public(c.File))
	return err
}

// public is the file with the public half of the key in file.
func public(file string) string { return file + ".pub" }

// writeKey makes an Ed25519 key, unless it is there, and writes its public half
// beside it (RFC 8410, Sections 4 and 7).
func writeKey(file string) error {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := writeNew(file, 0o600, func() string { return inPEM("PRIVATE KEY", der) }); err != nil {
		return err
	}
	text, err := os.ReadFile(file) // the one that is there counts
	if err != nil {
		return err
	}
	half, err := publicHalf(text)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return writeNew(public(file), 0o644, func() string { return half })
}

// publicHalf is the public half, in PEM, of a private key in PEM.
func publicHalf(text []byte) (string, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return "", errors.New("no key in PEM; move the file away, and another one is made")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return "", err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return "", errors.New("a key that does not sign; move the file away, and another one is made")
	}
	der, err := x509.MarshalPKIXPublicKey(signer.Public())
	if err != nil {
		return "", err
	}
	return inPEM("PUBLIC KEY", der), nil
}

func inPEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}
