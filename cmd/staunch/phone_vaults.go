package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/tee"
)

// The files of a phone beside phone.json (recovery, "The reference phone").
const (
	backupName  = "backup.cbor"
	attemptName = "attempt.cbor"
)

// vaultFlags say which vaults a phone trusts.
type vaultTrustFlags struct {
	AllowProcessVaults bool `help:"Take vaults that are ordinary processes, NOT a TEE, from a server that is elsewhere, too."`
	RequireTEE         bool `name:"require-tee" help:"Take no vaults but those in trusted hardware."`
}

// pinFlag says where a PIN comes from.
type pinFlag struct {
	PINFile string `name:"pin-file" placeholder:"FILE" help:"File whose first line is the PIN; - is standard input. Without it the terminal asks."`
}

// recoverer is a phone with its half of recovery.
type recoverer struct {
	*phoneRun
	client *recovery.Client
	backup *recovery.Backup // nil: there is none here
}

// recoverer makes it. The release keys are those of the vault set that the server
// has shown first; an app has them compiled in.
func (r *phoneRun) recoverer(ctx context.Context, f vaultTrustFlags) (*recoverer, error) {
	transport := r.phone.Recovery()
	keys, err := r.releaseKeys(ctx, transport)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(r.home.file.Server)
	if err != nil {
		return nil, &phoneUsage{err}
	}
	process := !f.RequireTEE && (f.AllowProcessVaults || config.Loopback(u.Hostname()))
	if process {
		fmt.Fprintln(r.err, "note: vaults are ordinary processes, NOT a TEE")
	}
	q := &recoverer{phoneRun: r}
	b, err := readIfThere(filepath.Join(r.home.dir, backupName))
	if err != nil {
		return nil, err
	}
	if b != nil {
		if q.backup, err = recovery.ParseBackup(b); err != nil {
			return nil, fmt.Errorf("%s is damaged: restore it, or delete it and then run `staunch phone backup delete`: %w", filepath.Join(r.home.dir, backupName), err)
		}
	}
	q.client, err = recovery.NewClient(&recovery.ClientOptions{
		Transport: transport, ReleaseKeys: keys, Policy: tee.Policy{AllowProcess: process},
		SaveBackup: q.saveBackup, SaveAttempt: q.saveAttempt, SetVersion: q.backup.Info().SetVersion,
		Approve: func(ctx context.Context, reg [16]byte) error {
			return r.phone.SetUpRecovery(ctx, reg, r.approving)
		},
	})
	return q, err
}

// approving shows what the person approves, who is always there and says yes.
func (r *phoneRun) approving(text string) error {
	if r.flags.JSON {
		return nil
	}
	_, err := fmt.Fprintln(r.err, "Approved with the passkey: "+printable(text))
	return err
}

// releaseKeys are the keys that the phone has pinned. At its first look it pins
// those of the server's set.
func (r *phoneRun) releaseKeys(ctx context.Context, t recovery.Transport) (wire.ReleaseKeys, error) {
	if pinned := r.home.file.ReleaseKeys; len(pinned) > 0 {
		keys := wire.ReleaseKeys{K: r.home.file.ReleaseK}
		for _, k := range pinned {
			if len(k) != len(wire.EdKey{}) {
				return keys, fmt.Errorf("%s: a release key has %d bytes", r.home.path(), len(k))
			}
			keys.Keys = append(keys.Keys, wire.EdKey(k))
		}
		return keys, nil
	}
	c, err := t.GetConfig(ctx, nil)
	if err != nil {
		return wire.ReleaseKeys{}, err
	}
	doc, err := wire.Decode[wire.KofM](c.Set)
	if err != nil {
		return wire.ReleaseKeys{}, fmt.Errorf("%w: the vault set: %w", recovery.ErrEvidence, err)
	}
	set, err := wire.Decode[wire.VaultSet](doc.TBS)
	if err == nil {
		err = doc.Verify(set.Release)
	}
	if err != nil {
		return wire.ReleaseKeys{}, fmt.Errorf("%w: the vault set: %w", recovery.ErrEvidence, err)
	}
	return set.Release, r.home.update(func(f *homeFile) error {
		f.ReleaseK = set.Release.K
		f.ReleaseKeys = nil
		for _, k := range set.Release.Keys {
			f.ReleaseKeys = append(f.ReleaseKeys, append([]byte(nil), k[:]...))
		}
		return nil
	})
}

func (q *recoverer) saveBackup(b *recovery.Backup) error {
	data, err := b.Encode()
	if err != nil {
		return err
	}
	q.backup = b
	return writeWhole(filepath.Join(q.home.dir, backupName), data)
}

// saveAttempt keeps it when it is over, too: it knows the newest vault set.
func (q *recoverer) saveAttempt(a *recovery.Attempt) error {
	data, err := a.Encode()
	if err != nil {
		return err
	}
	return writeWhole(filepath.Join(q.home.dir, attemptName), data)
}

// attempt is the try that was under way when the phone was cut off, or a new one.
func (q *recoverer) attempt() (*recovery.Attempt, error) {
	path := filepath.Join(q.home.dir, attemptName)
	b, err := readIfThere(path)
	if err != nil || b == nil {
		return new(recovery.Attempt), err
	}
	a, err := recovery.ParseAttempt(b)
	if err != nil {
		return nil, fmt.Errorf("%s is damaged: delete it; the next try counts as a new one: %w", path, err)
	}
	return a, nil
}

func readIfThere(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}

// payload is what recovery is to bring back: the sealing keys, newest first.
func (q *recoverer) payload() (recovery.Payload, error) {
	var p recovery.Payload
	for _, key := range append([][]byte{q.home.file.SealingKey}, q.home.file.OldSealingKeys...) {
		public, err := sealingPublic(key)
		if err != nil {
			return p, err
		}
		p.Keys = append(p.Keys, wire.SealingKey{KID: sealingID(public), Secret: key, Created: uint64(max(q.home.file.EnrolledAt.Unix(), 0))})
	}
	return p, nil
}

// restore keeps the keys that came back, beside those that the phone has.
func (q *recoverer) restore(p recovery.Payload) error {
	return q.home.update(func(f *homeFile) error {
		for _, k := range p.Keys {
			if !hasKey(f, k.Secret) {
				f.OldSealingKeys = append(f.OldSealingKeys, append([]byte(nil), k.Secret...))
			}
		}
		return nil
	})
}

func hasKey(f *homeFile, key []byte) bool {
	for _, k := range append([][]byte{f.SealingKey}, f.OldSealingKeys...) {
		if string(k) == string(key) {
			return true
		}
	}
	return false
}

// read gives the PIN. twice: it is a new one, and the terminal asks again.
func (f pinFlag) read(s *streams, twice bool) (string, error) {
	switch f.PINFile {
	case "":
		return askPIN(s, twice)
	case "-":
		return firstLine(s.in)
	}
	file, err := os.Open(f.PINFile)
	if err != nil {
		return "", &phoneUsage{fmt.Errorf("--pin-file: %w", err)}
	}
	defer file.Close()
	return firstLine(file)
}

// firstLine is the first line without its end. It is not trimmed: a space is a
// character of a PIN.
func firstLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", &phoneUsage{fmt.Errorf("--pin-file: %w", err)}
	}
	return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), nil
}

// askPIN asks at the terminal, without echo.
func askPIN(s *streams, twice bool) (string, error) {
	in, ok := s.in.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return "", &phoneUsage{errors.New("standard input is no terminal to ask for the PIN at: give --pin-file FILE, or --pin-file -")}
	}
	ask := func(prompt string) (string, error) {
		fmt.Fprint(s.err, prompt)
		b, err := term.ReadPassword(int(in.Fd()))
		fmt.Fprintln(s.err)
		return string(b), err
	}
	pin, err := ask("PIN: ")
	if err != nil || !twice {
		return pin, err
	}
	again, err := ask("The same again: ")
	if err == nil && again != pin {
		err = &phoneUsage{errors.New("the two PINs are not the same; nothing was changed")}
	}
	return pin, err
}
