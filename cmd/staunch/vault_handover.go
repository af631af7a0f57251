package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/recovery/release"
	"github.com/staunchid/staunch/recovery/replica"
	"github.com/staunchid/staunch/recovery/wire"
)

// VaultHandoverCmd is `staunch vault handover`.
type VaultHandoverCmd struct {
	Set            string  `required:"" type:"existingfile" placeholder:"DIR/set.cbor" help:"The set, in the folder that new-set has made."`
	Vault          string  `required:"" placeholder:"ID" help:"The vault that gets another configuration. One at a time."`
	Policy         string  `enum:"merge,strict," default:"" help:"merge or strict; left out: as it is."`
	OnTotalAmnesia string  `enum:"checkpoint,ceremony," default:"" help:"checkpoint or ceremony; left out: as it is."`
	VoucherKey     string  `placeholder:"FILE.pub" help:"Public half of another voucher key; left out: as it is."`
	NotBefore      *string `placeholder:"TIME" help:"From when the keys may be taken over, in RFC 3339; default: now."`
	NotAfter       string  `required:"" placeholder:"TIME" help:"Until when, in RFC 3339, or a duration from now on, as 2h; at most 24 h."`
	ReleaseKey     string  `required:"" placeholder:"FILE" help:"Private release key that signs first."`
	Out            string  `required:"" placeholder:"DIR" help:"A folder that is not there yet: what the vault's operator gets."`
}

// Help is the long text of --help.
func (VaultHandoverCmd) Help() string {
	return `A vault's master keys are sealed to its configuration. To change that, k of m release keys sign a hand-over: for as long as it is open, the vault hands its keys to a process that proves to run with the new configuration, over a link between two programs that both are attested.

It writes the next version of the set, which lists the new configuration, and the folder of the vault with it: config.cbor, set.cbor, previous.cbor; and handover.cbor, which goes into the folder that the vault has now, as ceremony.cbor. "Another configuration" in docs/recovery.md has the whole way.

Exit codes: 0 done; 1 it cannot be; 2 the command line is wrong.

Example: staunch vault handover --set set/set.cbor --vault v1 --on-total-amnesia ceremony --not-after 2h --release-key release.key --out v1-next`
}

// Run writes and signs.
func (c *VaultHandoverCmd) Run(s *streams) error {
	now := time.Now()
	when := &VaultCeremonyCmd{NotBefore: c.NotBefore, NotAfter: c.NotAfter}
	window, err := when.rebase(now)
	if err != nil {
		return &exitError{exitCannot, err}
	}
	h := &release.Handover{NotBefore: window.NotBefore, NotAfter: window.NotAfter}
	if h.Signed, err = readDocument(c.Set); err != nil {
		return err
	}
	dir := filepath.Dir(c.Set)
	if h.Old, err = replica.ReadConfig(filepath.Join(dir, c.Vault)); err != nil {
		return err
	}
	h.Next = h.Old
	if c.Policy != "" {
		h.Next.Policy = c.Policy
	}
	if c.OnTotalAmnesia != "" {
		h.Next.OnAmnesia = c.OnTotalAmnesia
	}
	if c.VoucherKey != "" {
		if h.Next.VoucherKey, err = release.ReadPublicKey(c.VoucherKey); err != nil {
			return err
		}
	}
	key, err := release.ReadKey(c.ReleaseKey)
	if err != nil {
		return err
	}
	h.Key = release.Public(key)
	next, _, err := h.Make()
	if err != nil {
		return fmt.Errorf("%s: %w", c.Set, err)
	}
	if err := changes(s, h.Signed, &next); err != nil {
		return err
	}
	set, ceremony, version, err := h.Documents(key)
	if err != nil {
		return err
	}
	if err := c.write(h, set, ceremony); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, `%s has version %d of the set, the configuration, and handover.cbor.
When enough release keys have signed set.cbor and handover.cbor ("staunch vault sign"), put both into the folder that %s has now, handover.cbor as ceremony.cbor, and restart it. Then, by %s: "staunch vault take-over".
`, quoted(c.Out), version, c.Vault, h.NotAfter.UTC().Format(time.RFC3339))
	return err
}

func (c *VaultHandoverCmd) write(h *release.Handover, set, ceremony []byte) error {
	config, err := wire.Encode(&h.Next)
	if err != nil {
		return err
	}
	if err := os.Mkdir(c.Out, 0o700); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	in := func(name string) string { return filepath.Join(c.Out, name) }
	return errors.Join(
		writeOnce(in(replica.ConfigFile), config), writeOnce(in(replica.SetFile), set),
		writeOnce(in(replica.PreviousFile), h.Signed), writeOnce(in("handover.cbor"), ceremony))
}

// VaultTakeOverCmd is `staunch vault take-over`.
type VaultTakeOverCmd struct {
	ID   string `required:"" name:"id" placeholder:"v1" help:"Id of the vault."`
	Dir  string `required:"" type:"existingdir" help:"Folder of its next configuration, with config.cbor, set.cbor and previous.cbor."`
	From string `required:"" placeholder:"unix:OLD/keys.sock" help:"Where the vault serves its keys: unix:PATH or tcp:HOST:PORT."`
}

// Help is the long text of --help.
func (VaultTakeOverCmd) Help() string {
	return `Takes the master keys of a vault that runs with a hand-over, and seals them to the folder of its next configuration. Then stop that vault, and start it with this folder, without --create.

Exit codes: 0 the keys are here; 1 they are not: what is wrong stands on standard error, and in the log of the vault; 2 the command line is wrong.

Example: staunch vault take-over --id v1 --dir v1-next --from unix:v1/keys.sock`
}

// Run takes them.
func (c *VaultTakeOverCmd) Run(s *streams) error {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	o := &replica.Options{ID: c.ID, Dir: c.Dir, KeysFrom: c.From, Logger: newLogger(s.err, config.Log{Level: "info", Format: "text"})}
	if err := replica.TakeOver(ctx, o); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.out, "%s has the keys of %s. Stop the vault that had them, and start it with this folder.\n", quoted(c.Dir), c.ID)
	return err
}
