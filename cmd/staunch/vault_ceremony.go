package main

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/staunchid/staunch/recovery/release"
	"github.com/staunchid/staunch/recovery/spawn"
	"github.com/staunchid/staunch/recovery/wire"
)

// VaultCeremonyCmd is `staunch vault ceremony`.
type VaultCeremonyCmd struct {
	Kind       string   `required:"" enum:"amnesia,restore" help:"amnesia: the marks are lost; restore: the store went back."`
	DataDir    string   `type:"existingdir" placeholder:"DIR" help:"The data_dir of a server that runs its vaults itself: each of them gets its ceremony."`
	Vault      []string `placeholder:"ID" help:"Whom it is for; with --data-dir left out: all vaults and the witness."`
	SetVersion *uint64  `placeholder:"N" help:"Version of the vault set; with --data-dir it is read there."`
	Account    []string `placeholder:"VAULT/HEX" help:"An account as a vault knows it, as logs and dead letters write it; repeat it. Left out: all accounts."`
	NotBefore  *string  `placeholder:"TIME" help:"When it begins to hold, in RFC 3339; default: now."`
	NotAfter   string   `required:"" placeholder:"TIME" help:"Until when, in RFC 3339, or a duration from now on, as 24h; at most 7 days."`
	ReleaseKey string   `placeholder:"FILE" help:"Private release key; with --data-dir default: that of the folder."`
	Out        string   `placeholder:"FILE" default:"ceremony.cbor" help:"Where the document goes, without --data-dir. It is never overwritten."`
}

// Help is the long text of --help.
func (VaultCeremonyCmd) Help() string {
	return `Signs a re-base: for the accounts that it lists, each vault takes a record for true, once, that it would refuse. Those accounts have at most three attempts left, and what was recorded before opens no more. Hold one only if you know why marks are gone, or the store went back: who can have one signed can have three attempts more.

Read "Ceremonies" in docs/recovery.md first. A vault reads ceremony.cbor of its folder when it starts; leave it there. Where several release keys must sign, the others add theirs with "staunch vault sign".

Exit codes: 0 signed; 1 it cannot be; 2 the command line is wrong.

Examples:
  staunch vault ceremony --data-dir /var/lib/staunch --kind amnesia --not-after 2h
  staunch vault ceremony --kind restore --vault v1 --set-version 3 --not-after 24h --release-key release.key --out v1.cbor`
}

// Run signs.
func (c *VaultCeremonyCmd) Run(s *streams) error {
	r, err := c.rebase(time.Now())
	if err != nil {
		return &exitError{exitCannot, err}
	}
	accounts, err := c.accounts()
	if err != nil {
		return &exitError{exitCannot, err}
	}
	var key ed25519.PrivateKey
	if c.ReleaseKey != "" {
		if key, err = release.ReadKey(c.ReleaseKey); err != nil {
			return err
		}
	}
	if c.DataDir != "" {
		files, err := spawn.Rebase(filepath.Join(c.DataDir, "vaults"), *r, c.Vault, accounts, key)
		if err != nil {
			return err
		}
		for _, f := range files {
			fmt.Fprintln(s.out, f)
		}
		_, err = fmt.Fprintf(s.out, "Restart the server by %s: each vault holds its ceremony when it starts.\n", r.NotAfter.UTC().Format(time.RFC3339))
		return err
	}
	r.Vault, r.SetVersion, r.Accounts = c.Vault[0], *c.SetVersion, accounts[c.Vault[0]]
	doc, err := r.Document(key)
	if err != nil {
		return err
	}
	if err := writeOnce(c.Out, doc); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s has the ceremony. When enough release keys have signed it, put it into the folder of %s as ceremony.cbor, and restart it by %s.\n",
		c.Out, r.Vault, r.NotAfter.UTC().Format(time.RFC3339))
	return err
}

// Validate wants to know for whom it is.
func (c *VaultCeremonyCmd) Validate() error {
	switch {
	case c.DataDir != "" && c.SetVersion != nil:
		return errors.New("--set-version: it is read in --data-dir")
	case c.DataDir == "" && (len(c.Vault) != 1 || c.SetVersion == nil || c.ReleaseKey == ""):
		return errors.New("give --data-dir, or one --vault, --set-version and --release-key")
	}
	return nil
}

func (c *VaultCeremonyCmd) rebase(now time.Time) (*release.Rebase, error) {
	r := &release.Rebase{Kind: c.Kind, NotBefore: now.Add(-5 * time.Minute)} // clocks differ
	var err error
	if c.NotBefore != nil {
		if r.NotBefore, err = time.Parse(time.RFC3339, *c.NotBefore); err != nil {
			return nil, fmt.Errorf("--not-before: %q is no time; write it as 2026-11-01T12:00:00Z", *c.NotBefore)
		}
	}
	if d, err := time.ParseDuration(c.NotAfter); err == nil {
		r.NotAfter = now.Add(d)
		return r, nil
	}
	if r.NotAfter, err = time.Parse(time.RFC3339, c.NotAfter); err != nil {
		return nil, fmt.Errorf("--not-after: %q is no time; write it as 2026-11-01T12:00:00Z, or as 24h", c.NotAfter)
	}
	return r, nil
}

// accounts are those that are listed, by vault; nil: all.
func (c *VaultCeremonyCmd) accounts() (map[string][]wire.Acct, error) {
	if len(c.Account) == 0 {
		return nil, nil
	}
	all := map[string][]wire.Acct{}
	for _, text := range c.Account {
		vault, name, ok := strings.Cut(text, "/")
		if rest, more, app := strings.Cut(name, "/"); app { // APP/VAULT/HEX, as logs have it
			vault, name = rest, more
		}
		b, err := hex.DecodeString(name)
		if !ok || !wire.ValidVaultID(vault) || err != nil || len(b) != len(wire.Acct{}) {
			return nil, fmt.Errorf("--account: %q is no account of a vault; write VAULT/HEX, with 32 hex digits", text)
		}
		all[vault] = append(all[vault], wire.Acct(b))
	}
	if c.DataDir == "" && len(all[c.Vault[0]]) != len(c.Account) {
		return nil, fmt.Errorf("--account: all of them must be of %s, as that vault knows them", c.Vault[0])
	}
	return all, nil
}
