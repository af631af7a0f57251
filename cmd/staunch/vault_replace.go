package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/staunchid/staunch/recovery/release"
	"github.com/staunchid/staunch/recovery/replica"
	"github.com/staunchid/staunch/recovery/spawn"
	"github.com/staunchid/staunch/recovery/wire"
)

// setsFolder keeps the versions of a set that others have replaced, beside it.
const setsFolder = "sets"

// VaultReplaceCmd is `staunch vault replace`.
type VaultReplaceCmd struct {
	Vault      string   `required:"" placeholder:"ID" help:"The vault that is lost for good."`
	DataDir    string   `type:"existingdir" placeholder:"DIR" help:"The data_dir of a server that runs its vaults itself; stop it first."`
	Set        string   `type:"existingfile" placeholder:"DIR/set.cbor" help:"The set of vaults on other machines, in the folder that new-set has made."`
	With       string   `placeholder:"ID=OPERATOR" help:"The new vault, and who runs it; with --data-dir it is chosen."`
	ReleaseKey string   `placeholder:"FILE" help:"Private release key that signs first; with --data-dir that of the folder signs."`
	SHA256     []string `name:"sha256" placeholder:"HEX" help:"SHA-256 of a program that may run as the new vault; repeat it. Default: of this one."`
}

// Help is the long text of --help.
func (VaultReplaceCmd) Help() string {
	return `A vault whose folder is gone is restored from where it is: its keys are nowhere else. If that cannot be, a new vault takes its place. Nobody loses anything at once: the two others bring every key back. But the new one begins empty, and until an owner has set his PIN anew, one more lost vault costs him his key. "staunch recovery status" says how many are left.

It makes the folder of the new vault, which has an id that none ever had, and signs the next version of the vault set. The lost one stays a witness, which takes no key and has its counts from the others; run it as one.

A server that runs its vaults itself (--data-dir) does the rest when it is started. For vaults on other machines (--set) this writes set.cbor and the folder of the new vault at the release desk; "A vault that is lost" in docs/recovery.md has the whole way.

Exit codes: 0 done; 1 it cannot be: the server runs, the vault has its keys, it is no vault of the set; 2 the command line is wrong.

Examples:
  staunch vault replace --data-dir /var/lib/staunch --vault v2
  staunch vault replace --set set/set.cbor --vault v2 --with v4=west --release-key release.key`
}

// Validate wants one way or the other.
func (c *VaultReplaceCmd) Validate() error {
	elsewhere := c.With != "" || c.ReleaseKey != "" || len(c.SHA256) > 0
	switch {
	case (c.DataDir == "") == (c.Set == ""):
		return errors.New("give --data-dir, or --set")
	case c.DataDir != "" && elsewhere:
		return errors.New("--with, --release-key and --sha256 go with --set")
	case c.Set != "" && (c.With == "" || c.ReleaseKey == ""):
		return errors.New("--set wants --with and --release-key")
	}
	return nil
}

// Run replaces it.
func (c *VaultReplaceCmd) Run(s *streams) error {
	if c.Set != "" {
		return c.elsewhere(s)
	}
	got, err := spawn.Replace(filepath.Join(c.DataDir, "vaults"), c.Vault, time.Now())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, `Vault %s is in the place of %s, and vault set %d lists it: %s.
Start the server. Then every owner sets the PIN anew: "staunch recovery status" counts those who have not yet.
`, got.New, got.Lost, got.Version, quoted(got.Folder))
	return err
}

// elsewhere does it at the release desk.
func (c *VaultReplaceCmd) elsewhere(s *streams) error {
	now := time.Now()
	r := &release.Replacement{Lost: c.Vault, From: now}
	var err error
	if r.Signed, err = readDocument(c.Set); err != nil {
		return err
	}
	with, err := parties("--with", []string{c.With})
	if err != nil {
		return &exitError{exitCannot, err}
	}
	r.New = with[0]
	if r.Measurements, err = programs(c.SHA256, now); err != nil {
		return &exitError{exitCannot, err}
	}
	key, err := release.ReadKey(c.ReleaseKey)
	if err != nil {
		return err
	}
	dir := filepath.Dir(c.Set)
	if r.Like, err = c.like(dir, r.Signed); err != nil {
		return err
	}
	if r.Taken, err = listedBefore(filepath.Join(dir, setsFolder)); err != nil {
		return err
	}
	r.Key = release.Public(key)
	set, config, err := r.Make()
	if err != nil {
		return fmt.Errorf("%s: %w", c.Set, err)
	}
	if err := changes(s, r.Signed, &set); err != nil {
		return err
	}
	doc, err := release.Document(&set, key)
	if err != nil {
		return err
	}
	if err := c.write(dir, &set, &config, r.Signed, doc); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, `%s is version %d of the set now, with %s in the place of %s. When enough release keys have signed it ("staunch vault sign"), copy it into the folder of every vault and witness, and to the server.
Start %s with --create, %s as a witness, and then the server, with the replica of %s in vault.replicas and %s in vault.witnesses.
`, quoted(c.Set), set.Version, r.New.ID, c.Vault, r.New.ID, c.Vault, r.New.ID, c.Vault)
	return err
}

// changes shows what a new version of a set changes before it is signed.
func changes(s *streams, before []byte, set *wire.VaultSet) error {
	text, err := release.Changes(before, set)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(s.out, text)
	return err
}

// like is the configuration of some vault of the set, beside it.
func (c *VaultReplaceCmd) like(dir string, signed []byte) (config wire.Config, err error) {
	set, err := release.Set(signed)
	if err != nil {
		return config, fmt.Errorf("%s: %w", c.Set, err)
	}
	for _, m := range set.Vaults {
		if config, err = replica.ReadConfig(filepath.Join(dir, m.Vault)); err == nil {
			return config, nil
		}
	}
	return config, fmt.Errorf("beside %s is no configuration of its vaults, as new-set has left it: %w", c.Set, err)
}

// write keeps the set before, and puts the new one and the new vault's folder there.
func (c *VaultReplaceCmd) write(dir string, set *wire.VaultSet, config *wire.Config, before, doc []byte) error {
	b, err := wire.Encode(config)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, setsFolder), 0o700); err != nil {
		return err
	}
	kept := filepath.Join(dir, setsFolder, fmt.Sprintf("%d.cbor", set.Version-1))
	if have, err := os.ReadFile(kept); err != nil || string(have) != string(before) { // of a time that was cut off
		if err := writeOnce(kept, before); err != nil {
			return err
		}
	}
	folder := filepath.Join(dir, config.Vault)
	if err := os.Mkdir(folder, 0o700); err != nil {
		return fmt.Errorf("--with: %w: choose an id whose folder is not there yet", err)
	}
	part := c.Set + ".part"
	return errors.Join(
		writeOnce(filepath.Join(folder, replica.ConfigFile), b), writeOnce(filepath.Join(folder, replica.SetFile), doc),
		writeOnce(part, doc), os.Rename(part, c.Set))
}

// listedBefore are the ids in the sets of a folder.
func listedBefore(dir string) (ids []string, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.cbor"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		b, err := readDocument(file)
		if err != nil {
			return nil, err
		}
		set, err := release.Set(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for _, m := range append(set.Vaults, set.WitnessesOnly...) {
			ids = append(ids, m.Vault)
		}
	}
	return ids, nil
}
