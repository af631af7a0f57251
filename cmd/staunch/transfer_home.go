package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/staunchid/staunch/client"
)

// The folders of a transfer in a home (transfer, "The reference phone in the
// terminal").
const (
	transferName = "transfer" // what a transfer must not forget
	historyName  = "history"  // what the phone has received
	receiveName  = "receive"  // within transfer: of the account that the phone takes, or took
	stagingName  = "staging"  // within transfer: what it is receiving
	qrName       = "qr.png"   // within transfer: the code, while it lives
)

// quarantineSuffix is behind the name of the folder for what of the history the
// app cannot read.
const quarantineSuffix = ".quarantine"

// homeLeft is what is left of a phone whose account has moved to another one.
type homeLeft struct {
	At    time.Time `json:"at"`
	Wiped bool      `json:"wiped,omitempty"` // keys and history are gone; else they are kept for a recall
	Back  bool      `json:"back,omitempty"`  // this one had received it, and the old phone, or another device, has taken it back
}

// movingHome is what a transfer does to the home of a phone. Each method can be
// done again after a crash.
type movingHome struct {
	home *home
	soft *softPhone
	now  func() time.Time
}

// alone takes the folder for transfers for the whole run: no two programs drive
// one transfer.
func (h *home) alone() (*os.File, error) {
	dir := filepath.Join(h.dir, transferName)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, &phoneUsage{fmt.Errorf("--home: %w", err)}
	}
	lock, err := lockHome(dir, false)
	if errors.Is(err, errBusy) {
		err = errMoving
	}
	return lock, err
}

// errMoving is a second program in a folder.
var errMoving = fmt.Errorf("%w: `staunch phone transfer` runs in this folder already; wait for it, or stop it", errBusy)

// The secrets that go along, by name. What is in them is this app's affair.
const (
	sealingSecret  = "sealing"
	recoverySecret = "recovery"
)

// sealingKeys go along with the account: the phone's, and those that it has kept.
type sealingKeys struct {
	Alg string   `json:"alg"`
	Key []byte   `json:"key"` // PKCS #8
	Old [][]byte `json:"old,omitempty"`
}

// recoveryKept is the phone's half of recovery: who has it can bring what a PIN
// brings back up to date.
type recoveryKept struct {
	Backup      []byte   `json:"backup,omitempty"`
	ReleaseK    uint8    `json:"release_k,omitempty"`
	ReleaseKeys [][]byte `json:"release_keys,omitempty"`
}

// SealingPublic is the public half of the phone's sealing key.
func (m *movingHome) SealingPublic(context.Context) ([]byte, error) {
	if len(m.home.file.SealingKey) == 0 { // it took the account of a phone without one
		return nil, nil
	}
	return sealingPublic(m.home.file.SealingKey)
}

// Secrets gives the keys of the current phone.
func (m *movingHome) Secrets(context.Context) (map[string][]byte, error) {
	f := &m.home.file
	backup, err := readIfThere(filepath.Join(m.home.dir, backupName))
	if err != nil {
		return nil, err
	}
	kept, err := json.Marshal(recoveryKept{backup, f.ReleaseK, f.ReleaseKeys})
	if err != nil {
		return nil, err
	}
	secrets := map[string][]byte{recoverySecret: kept}
	if len(f.SealingKey) > 0 {
		if secrets[sealingSecret], err = json.Marshal(sealingKeys{f.SealingAlg, f.SealingKey, f.OldSealingKeys}); err != nil {
			return nil, err
		}
	}
	return secrets, nil
}

// SealingKey is the public half of the sealing key that came along, if one did: the
// grant says which.
func (*movingHome) SealingKey(secrets map[string][]byte) ([]byte, error) {
	keys, err := sealingOf(secrets)
	if err != nil || len(keys.Key) == 0 {
		return nil, err
	}
	return sealingPublic(keys.Key)
}

// sealingOf are the sealing keys that came along; of a phone that has none, none.
func sealingOf(secrets map[string][]byte) (sealingKeys, error) {
	if _, ok := secrets[sealingSecret]; !ok {
		return sealingKeys{}, nil
	}
	return parseSecret[sealingKeys](secrets, sealingSecret)
}

// Take stores what came along.
func (m *movingHome) Take(_ context.Context, secrets map[string][]byte) error {
	keys, err := sealingOf(secrets)
	if err != nil {
		return err
	}
	kept, err := parseSecret[recoveryKept](secrets, recoverySecret)
	if err != nil {
		return err
	}
	if len(kept.Backup) > 0 {
		if err := writeWhole(filepath.Join(m.home.dir, backupName), kept.Backup); err != nil {
			return err
		}
	}
	return m.home.update(func(f *homeFile) error {
		f.SealingAlg, f.SealingKey, f.OldSealingKeys = keys.Alg, keys.Key, keys.Old
		f.ReleaseK, f.ReleaseKeys = kept.ReleaseK, kept.ReleaseKeys
		return nil
	})
}

func parseSecret[T any](secrets map[string][]byte, name string) (T, error) {
	var v T
	data, ok := secrets[name]
	if !ok {
		return v, fmt.Errorf("the old phone has sent no %q along with the account", name)
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return v, fmt.Errorf("what the old phone has sent as %q is no secret of this app: %w", name, err)
	}
	return v, nil
}

// Lock puts the phone out of use, and keeps all: the account may be taken back.
func (m *movingHome) Lock(context.Context) error {
	err := m.home.update(func(f *homeFile) error {
		if f.Left == nil {
			f.Left = &homeLeft{At: m.now()}
		}
		return nil
	})
	return errors.Join(err, m.history(0))
}

// TakenBack notes that it was this phone that had received the account.
func (m *movingHome) TakenBack(context.Context, bool) error {
	return m.home.update(func(f *homeFile) error {
		if f.Left == nil {
			f.Left = &homeLeft{At: m.now(), Back: true}
		}
		return nil
	})
}

// Unlock undoes it.
func (m *movingHome) Unlock(context.Context) error {
	if err := m.history(0o700); err != nil {
		return err
	}
	return m.home.update(func(f *homeFile) error {
		f.Left = nil
		return nil
	})
}

// history changes who may enter the folder of the history, if there is one.
func (m *movingHome) history(mode fs.FileMode) error {
	err := os.Chmod(filepath.Join(m.home.dir, historyName), mode)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Wipe destroys keys and history. What remains says which server the phone was
// of, and that its account is elsewhere.
func (m *movingHome) Wipe(context.Context) error {
	if err := m.history(0o700); err != nil { // nobody empties a folder that he may not enter
		return err
	}
	for _, name := range []string{historyName, historyName + quarantineSuffix, backupName, attemptName} {
		if err := os.RemoveAll(filepath.Join(m.home.dir, name)); err != nil {
			return err
		}
	}
	if err := m.soft.forget(); err != nil {
		return err
	}
	return m.home.update(func(f *homeFile) error {
		left := &homeLeft{At: m.now()}
		if f.Left != nil {
			*left = *f.Left
		}
		left.Wiped = true
		*f = homeFile{Server: f.Server, Name: f.Name, Platform: f.Platform, Left: left}
		return nil
	})
}

// forget drops what is in memory of keys that are wiped.
func (p *softPhone) forget() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.key = nil
	return p.withPasskeys(nil)
}

// moved is the refusal of what a phone cannot do whose account has moved.
type moved struct {
	home string
	left *homeLeft
}

func (m *moved) Error() string {
	if m.left.Back && !m.left.Wiped {
		return "this phone has no account since " + inWordsAt(m.left.At) + ": it was taken back from it, by another device or too late for the old phone; its keys and its history are locked here. Whose they are may delete " + quoted(m.home)
	}
	if m.left.Back {
		return "this phone has no account since " + inWordsAt(m.left.At) + ": the old one has taken it back; its keys and its history are gone from here"
	}
	if m.left.Wiped {
		return "the account of this phone has moved to another one on " + inWordsAt(m.left.At) + ", for good: its keys and its history are gone from here"
	}
	return "the account of this phone has moved to another one on " + inWordsAt(m.left.At) + "; this phone can look, freeze and veto, and take the account back while there is time: `staunch phone transfer recall --home " + quoted(m.home) + "`"
}

// stays refuses what a phone cannot do whose account has moved.
func (h *home) stays() error {
	if h.file.Left == nil {
		return nil
	}
	return &moved{h.dir, h.file.Left}
}

var (
	_ client.MoveHome  = (*movingHome)(nil)
	_ client.TakenBack = (*movingHome)(nil)
)
