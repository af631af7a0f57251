package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/staunchid/staunch/recovery/release"
	"github.com/staunchid/staunch/recovery/replica"
	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/tee/process"
)

// VaultNewSetCmd is `staunch vault new-set`.
type VaultNewSetCmd struct {
	Profile        string   `default:"kr1-2of3" enum:"kr1-2of3,kr1-single" help:"${enum}."`
	Policy         string   `default:"merge" enum:"merge,strict" help:"What a vault does with a record that is older than its marks: ${enum}."`
	Limit          int      `default:"10" help:"Attempts at a PIN: 3 to 50."`
	OnTotalAmnesia string   `default:"checkpoint" enum:"checkpoint,ceremony" help:"When all witnesses have forgotten: ${enum}."`
	Vault          []string `required:"" sep:"none" placeholder:"ID=OPERATOR" help:"A vault, and who runs it; repeat it."`
	Witness        []string `sep:"none" placeholder:"ID=OPERATOR" help:"A witness that is no vault."`
	ReleaseKey     string   `required:"" placeholder:"FILE" help:"Private release key that signs first."`
	OtherKey       []string `placeholder:"FILE.pub" help:"Public half of another release key; repeat it."`
	Signatures     uint8    `default:"1" placeholder:"K" help:"How many release keys must sign."`
	VoucherKey     string   `required:"" placeholder:"FILE.pub" help:"Public half of vault.voucher_key_file of the server."`
	SHA256         []string `name:"sha256" placeholder:"HEX" help:"SHA-256 of a program that may run as a vault; repeat it. Default: of this one."`
	Dir            string   `required:"" name:"dir" placeholder:"DIR" help:"A folder that is not there yet: it gets set.cbor, and a folder for each vault and witness."`
}

// Help is the long text of --help.
func (VaultNewSetCmd) Help() string {
	return `Writes version 1 of a vault set and signs it with one release key. DIR/set.cbor is for the server (vault.set_file), DIR/ID goes to the operator of ID: config.cbor, which is attested and can never be changed, and set.cbor.

Where several keys must sign, the others add theirs with "staunch vault sign DIR/set.cbor"; copy it into each folder then.

"Vaults on other machines" in docs/recovery.md has the whole way.

Exit codes: 0 done; 1 it cannot be made; 2 the command line is wrong.

Example: staunch vault new-set --vault v1=east --vault v2=west --vault v3=north --witness w1=south --release-key release.key --voucher-key voucher.key.pub --dir set`
}

// Run makes it.
func (c *VaultNewSetCmd) Run(s *streams) error {
	plan := &release.Plan{
		Profile: c.Profile, Policy: c.Policy, OnAmnesia: c.OnTotalAmnesia, Limit: c.Limit, From: time.Now(), Release: wire.ReleaseKeys{K: c.Signatures},
	}
	var err error
	if plan.Vaults, err = parties("--vault", c.Vault); err != nil {
		return &exitError{exitCannot, err}
	}
	if plan.Witnesses, err = parties("--witness", c.Witness); err != nil {
		return &exitError{exitCannot, err}
	}
	if plan.Measurements, err = programs(c.SHA256, plan.From); err != nil {
		return &exitError{exitCannot, err}
	}
	key, err := release.ReadKey(c.ReleaseKey)
	if err != nil {
		return err
	}
	plan.Release.Keys = append(plan.Release.Keys, release.Public(key))
	for _, file := range c.OtherKey {
		other, err := release.ReadPublicKey(file)
		if err != nil {
			return err
		}
		plan.Release.Keys = append(plan.Release.Keys, other)
	}
	slices.SortFunc(plan.Release.Keys, func(a, b wire.EdKey) int { return bytes.Compare(a[:], b[:]) })
	if plan.Vouchers, err = release.ReadPublicKey(c.VoucherKey); err != nil {
		return err
	}
	set, configs, err := plan.Make()
	if err != nil {
		return err
	}
	doc, err := release.Document(&set, key)
	if err != nil {
		return err
	}
	if err := c.write(doc, configs); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s has the set: %s. Apps pin the release keys that it names: `staunch vault show %s`.\n",
		c.Dir, plural(len(configs), "member", "members"), quoted(filepath.Join(c.Dir, replica.SetFile)))
	return err
}

func (c *VaultNewSetCmd) write(doc []byte, configs map[string]wire.Config) error {
	if err := os.Mkdir(c.Dir, 0o700); err != nil {
		return fmt.Errorf("--dir: %w: choose one that is not there yet, for vaults stay what they were made as", err)
	}
	errs := []error{writeOnce(filepath.Join(c.Dir, replica.SetFile), doc)}
	for id, config := range configs {
		dir := filepath.Join(c.Dir, id)
		b, err := wire.Encode(&config)
		errs = append(errs, err, os.Mkdir(dir, 0o700), writeOnce(filepath.Join(dir, replica.ConfigFile), b), writeOnce(filepath.Join(dir, replica.SetFile), doc))
	}
	return errors.Join(errs...)
}

// programs are those that may run as a vault: with these sums, or else this one.
func programs(sums []string, now time.Time) ([]wire.Measurement, error) {
	if len(sums) == 0 {
		self, err := process.Self()
		if err != nil {
			return nil, err
		}
		sums = []string{hex.EncodeToString(self.Executable[:])}
	}
	var all []wire.Measurement
	for _, text := range sums {
		sum, err := hex.DecodeString(text)
		if err != nil || len(sum) != sha256.Size {
			return nil, fmt.Errorf("--sha256: %q is no SHA-256: 64 hex digits", text)
		}
		all = append(all, wire.Measurement{
			Platform: process.Platform, Values: map[string][]byte{"sha256": sum}, NotBefore: uint64(now.Add(-time.Hour).Unix()), //nolint:gosec // after 1970
		})
	}
	return all, nil
}

func parties(flag string, texts []string) ([]release.Party, error) {
	var all []release.Party
	for _, text := range texts {
		id, operator, ok := strings.Cut(text, "=")
		if !ok || operator == "" {
			return nil, fmt.Errorf("%s: %q: write ID=OPERATOR, such as v1=east", flag, text)
		}
		all = append(all, release.Party{ID: id, Operator: operator})
	}
	return all, nil
}
