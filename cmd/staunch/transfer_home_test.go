package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/client"
)

// movingPhone is the home of a phone with a key, keys to seal with, a half of
// recovery and a history.
func movingPhone(t *testing.T) (*movingHome, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "phone")
	h := &home{dir: dir}
	if err := h.hold(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.release(); err != nil {
			t.Error(err)
		}
	})
	n := &newPhoneFlags{Server: "http://127.0.0.1:1", Name: "Old", Platform: "android"}
	if err := n.into(&h.file, client.FlowEnrol); err != nil {
		t.Fatal(err)
	}
	soft, err := newSoftPhone(h)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := soft.NewKey(t.Context(), make([]byte, 32)); err != nil {
		t.Fatal(err)
	}
	if err := soft.keep(t.Context(), client.PhoneState{App: "demo", Account: "a_aaaaaaaaaaaaaaaaaaaaaaaaaa"}); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{filepath.Join(historyName, "chat.jsonl"): "{}\n", backupName: "backup"} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return &movingHome{h, soft, time.Now}, dir
}

// TestMovedSecrets: what one phone gives another takes, whole.
func TestMovedSecrets(t *testing.T) {
	t.Parallel()
	from, _ := movingPhone(t)
	to, dir := movingPhone(t)
	old := from.home.file
	secrets, err := from.Secrets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	public, err := from.SealingPublic(t.Context())
	if err != nil || len(public) != 32 {
		t.Fatalf("%x, %v", public, err)
	}
	if got, err := to.SealingKey(secrets); err != nil || !bytes.Equal(got, public) {
		t.Errorf("the sealing key is %x, want %x: %v", got, public, err)
	}
	for range 2 { // a crash in between
		if err := to.Take(t.Context(), secrets); err != nil {
			t.Fatal(err)
		}
	}
	again, err := openHome(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again.file.SealingKey, old.SealingKey) || again.file.SealingAlg != old.SealingAlg {
		t.Error("the sealing key did not come along")
	}
	if data, err := os.ReadFile(filepath.Join(dir, backupName)); err != nil || string(data) != "backup" {
		t.Errorf("the half of recovery: %q, %v", data, err)
	}
	if err := to.Take(t.Context(), map[string][]byte{sealingSecret: secrets[sealingSecret]}); err == nil {
		t.Error("taken without the half of recovery")
	}
	damaged := map[string][]byte{sealingSecret: []byte("{"), recoverySecret: secrets[recoverySecret]}
	if _, err := to.SealingKey(damaged); err == nil {
		t.Error("a sealing key is read that is none")
	}
}

// TestMovedWithoutSealingKey: what has no sealing key moves without, and leaves none.
func TestMovedWithoutSealingKey(t *testing.T) {
	t.Parallel()
	from, _ := movingPhone(t)
	to, _ := movingPhone(t)
	from.home.file.SealingAlg, from.home.file.SealingKey = "", nil
	secrets, err := from.Secrets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if public, err := from.SealingPublic(t.Context()); err != nil || len(public) > 0 {
		t.Errorf("%x, %v", public, err)
	}
	if public, err := to.SealingKey(secrets); err != nil || len(public) > 0 {
		t.Errorf("%x, %v", public, err)
	}
	if err := to.Take(t.Context(), secrets); err != nil || len(to.home.file.SealingKey) > 0 || to.home.file.SealingAlg != "" {
		t.Errorf("%s, %v", to.home.file.SealingAlg, err)
	}
}

// TestMovedHome: a locked home has all and does nothing; an unlocked one is as it
// was; a wiped one has no key in it, whatever is written afterwards.
func TestMovedHome(t *testing.T) {
	t.Parallel()
	m, dir := movingPhone(t)
	before, err := os.ReadFile(m.home.path())
	if err != nil {
		t.Fatal(err)
	}
	twice := func(fn func() error) {
		t.Helper()
		for range 2 {
			if err := fn(); err != nil {
				t.Fatal(err)
			}
		}
	}
	twice(func() error { return m.Lock(t.Context()) })
	var refused *moved
	if err := m.home.stays(); !errors.As(err, &refused) || refused.left.Wiped {
		t.Errorf("a locked home: %v", err)
	}
	if info, err := os.Stat(filepath.Join(dir, historyName)); err != nil || info.Mode().Perm() != 0 {
		t.Errorf("the history of a locked home: %v, %v", info, err)
	}
	twice(func() error { return m.Unlock(t.Context()) })
	if after, err := os.ReadFile(m.home.path()); err != nil || !bytes.Equal(after, before) {
		t.Errorf("an unlocked home is not as it was: %v\n%s", err, after)
	}
	if data, err := os.ReadFile(filepath.Join(dir, historyName, "chat.jsonl")); err != nil || string(data) != "{}\n" {
		t.Errorf("its history: %q, %v", data, err)
	}
	open, err := openHome(dir)
	if err != nil {
		t.Fatal(err)
	}
	twice(func() error { return m.Lock(t.Context()) })
	twice(func() error { return m.Wipe(t.Context()) })
	late, err := newSoftPhone(&home{dir: dir, locked: m.home.locked, file: open.file})
	if err != nil {
		t.Fatal(err)
	}
	for _, soft := range []*softPhone{m.soft, late} { // late: of a program that has read the home before
		if err := soft.keep(t.Context(), client.PhoneState{App: "demo", Account: "a_aaaaaaaaaaaaaaaaaaaaaaaaaa"}); err != nil {
			t.Fatal(err)
		}
	}
	again, err := openHome(dir)
	if err != nil {
		t.Fatal(err)
	}
	f := again.file
	if f.Device != nil || f.Passkeys != nil || f.SealingKey != nil || f.OldSealingKeys != nil || f.State.Account != "" {
		t.Errorf("a wiped home has %+v", f)
	}
	if err := again.notEnrolled(); !errors.Is(err, client.ErrNotEnrolled) || !errors.As(err, &refused) || !refused.left.Wiped || refused.left.Back {
		t.Errorf("a wiped home says %v", err)
	}
	for _, name := range []string{historyName, backupName, attemptName} {
		if _, err := os.Stat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a wiped home has %s: %v", name, err)
		}
	}
}

// TestTakenBack: a new phone that is wiped says that the old one has the account
// again, and not that it has moved on.
func TestTakenBack(t *testing.T) {
	t.Parallel()
	m, dir := movingPhone(t)
	if err := m.TakenBack(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := m.Wipe(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	h, err := openHome(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.notEnrolled(); !errors.Is(err, client.ErrNotEnrolled) || !strings.Contains(err.Error(), "taken it back") {
		t.Errorf("it says %v", err)
	}
}

// TestOneProgramMoves: two programs do not drive one transfer.
func TestOneProgramMoves(t *testing.T) {
	t.Parallel()
	m, _ := movingPhone(t)
	lock, err := m.home.alone()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.home.alone(); !errors.Is(err, errBusy) {
		t.Errorf("a second one: %v", err)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	lock, err = m.home.alone()
	if err != nil {
		t.Fatal(err)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
}
