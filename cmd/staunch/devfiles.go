package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/staunchid/staunch/attest/attesttest"
)

// Names in the folder of `staunch dev`.
const (
	configName = "staunch.toml"
	policyName = "policy.toml"
	tokenName  = "service.token"
	rootName   = "root.secret"
	auditName  = "audit.key"   // its public half is audit.key.pub
	backName   = "backend.key" // the backend's; its public half is backend.key.pub
	statusName = "status.json"
	urlName    = "url" // the address, while it runs

	devPattern = "staunch-dev-*" // of temporary folders
)

// demoAccount is an account for examples.
const demoAccount = "a_demodemodemodemodemodemode"

// writeDevFiles writes what is not there yet, so that a second start goes on
// with the same files, also with those that somebody has changed.
func writeDevFiles(dir string) error {
	for _, f := range []struct {
		name    string
		mode    os.FileMode
		content func() string
	}{
		{configName, 0o644, func() string { return devConfig }},
		{policyName, 0o644, attesttest.DemoPolicy},
		{statusName, 0o644, func() string { return "{\"entries\": {}}\n" }},
		{tokenName, 0o600, randomHex},
		{rootName, 0o600, randomHex},
	} {
		if err := writeNew(filepath.Join(dir, f.name), f.mode, f.content); err != nil {
			return err
		}
	}
	for _, name := range []string{auditName, backName} {
		if err := writeKey(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	now := time.Now()
	return os.Chtimes(filepath.Join(dir, statusName), now, now)
}

// writeURL writes where the server is, for `staunch attest load`, and says how
// to take it back.
func writeURL(dir, url string) (remove func() error, err error) {
	file := filepath.Join(dir, urlName)
	if err := os.WriteFile(file, []byte(url+"\n"), 0o644); err != nil {
		return nil, fmt.Errorf("write %s: %w", file, err)
	}
	return func() error {
		if err := os.Remove(file); !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	}, nil
}

// writeNew writes a file unless it is there. It is there as a whole or not at
// all: a start that was cut off leaves no half of a secret.
func writeNew(file string, mode os.FileMode, content func() string) error {
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	part, err := os.CreateTemp(filepath.Dir(file), ".new-")
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	_, err = part.WriteString(content())
	err = errors.Join(err, part.Chmod(mode), part.Sync(), part.Close())
	if err == nil {
		err = os.Rename(part.Name(), file)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", file, errors.Join(err, os.Remove(part.Name())))
	}
	return nil
}

// randomHex is a secret of 256 bits.
func randomHex() string {
	b := make([]byte, 32)
	rand.Read(b) // crypto/rand.Read never returns an error
	return hex.EncodeToString(b) + "\n"
}
