package recovery_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest"
	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/store/storetest"
)

// Somebody can write to the retry stream, or to the database, and has no key of
// the app. What he writes proves no PIN and has nothing deleted.

// entries are what he would bring for one vault: an attempt, and its release.
func (h *handset) entries(vault string, session recovery.SessionSecret, key []byte) (out []recovery.Record) {
	h.Helper()
	hash := sha256.Sum256(session)
	_, nobody, _ := ed25519.GenerateKey(nil)
	row, _ := h.row(vault, alice)
	for i, op := range []wire.Op{wire.OpEvaluate, wire.OpRelease} {
		used := uint8(1 - i)
		ver := row.Ver + uint64(i) + 1
		signed, err := wire.Sign(nobody, &wire.Receipt{
			Vault: vault, Replica: vault + "/a", Acct: row.Acct, Op: op, Gen: row.Gen, Ver: ver, Used: used, Digest: wire.Hash{byte(i)},
		})
		h.must(err)
		receipt, err := wire.Encode(signed)
		h.must(err)
		r, err := recovery.SealEntry(key, recovery.Record{
			App: "demo", Vault: vault, Acct: row.Acct, Account: alice, Gen: row.Gen, Ver: ver, Used: used, Sealed: make([]byte, wire.RecordSize), At: h.now(),
		}, recovery.Note{Receipt: receipt, Session: hash[:], Request: hash[:]})
		h.must(err)
		out = append(out, r)
	}
	return out
}

// TestForgedEntry: entries of the retry stream that the app has not sealed are
// refused for good, and operators are told.
func TestForgedEntry(t *testing.T) {
	b, _, h := backedUp(t, recoverytest.Options{})
	session := h.open()
	before, _ := b.row("v1", alice)
	for _, v := range b.vaults.List {
		for _, r := range h.entries(v.ID, session, make([]byte, 32)) {
			if err := b.Apply(t.Context(), r); !errors.Is(err, recovery.ErrPermanent) {
				t.Errorf("%s, version %d: %v", v.ID, r.Ver, err)
			}
		}
	}
	if got := b.told("recovery.forged"); len(got) == 0 {
		t.Error("nobody was told")
	}
	h.unproved(session)
	if row, _ := b.row("v1", alice); row.Ver != before.Ver {
		t.Error("the owner's record is gone")
	}
	h.right("482915", "one")
	finished(h, true)
}

// TestForgedPart: each field of an entry and of its notes is under a MAC, and a
// note is good for its own account alone.
func TestForgedPart(t *testing.T) {
	b, _, h := backedUp(t, recoverytest.Options{Profile: recovery.ProfileSingle})
	b.blocked = true
	h.wrong("000000", 9)
	b.blocked = false
	good, mine := b.queue.held[0], h.entries("v1", h.open(), make([]byte, 32))
	for name, change := range map[string]func(*recovery.Record){
		"gen":             func(r *recovery.Record) { r.Gen++ },
		"ver":             func(r *recovery.Record) { r.Ver = 1 << 63 },
		"used":            func(r *recovery.Record) { r.Used++ },
		"state":           func(r *recovery.Record) { r.State = uint8(wire.StateDeleted) },
		"sealed":          func(r *recovery.Record) { r.Sealed = make([]byte, wire.RecordSize) },
		"no MAC":          func(r *recovery.Record) { r.MAC = nil },
		"a note of his":   func(r *recovery.Record) { r.Notes = mine[1].Notes },
		"a note beside":   func(r *recovery.Record) { r.Notes = append([][]byte{mine[1].Notes[0]}, r.Notes...) },
		"a joined record": func(r *recovery.Record) { *r = r.Join(mine[1]) },
	} {
		r := good
		change(&r)
		if err := b.Apply(t.Context(), r); !errors.Is(err, recovery.ErrPermanent) {
			t.Errorf("%s: %v", name, err)
		}
	}
	receipt := good
	receipt.Account, receipt.Acct = bob, wire.DerivePepper(b.key, "v1").Acct(string(bob))
	var note recovery.Note
	h.must(json.Unmarshal(good.Notes[0], &note))
	receipt, err := recovery.SealEntry(b.key, receipt, note)
	h.must(err)
	if err := b.Apply(t.Context(), receipt); !errors.Is(err, recovery.ErrPermanent) {
		t.Errorf("a receipt of another account: %v", err)
	}
	h.must(b.Apply(t.Context(), good))
}

// TestForgedHistory: a version that was changed proves no PIN.
func TestForgedHistory(t *testing.T) {
	b, _, h := backedUp(t, recoverytest.Options{})
	session := h.open()
	var changed []recovery.HistoryRow
	for _, v := range b.vaults.List {
		row, _ := b.row(v.ID, alice)
		newest := historyOf(b, row)
		newest.Used = 1
		changed = append(changed, newest)
	}
	b.do(func(tx storetest.Tx) error {
		_, err := tx.DeleteHistory(t.Context(), b.now().Add(time.Second), 1000)
		for _, c := range changed {
			if err == nil {
				_, err = tx.AddHistory(t.Context(), c)
			}
		}
		return err
	})
	h.garbage(session)
	h.unproved(session)
}

// TestFork: of two versions with one number neither says what was counted.
func TestFork(t *testing.T) {
	b, _, h := backedUp(t, recoverytest.Options{Profile: recovery.ProfileSingle})
	session := h.open()
	row, _ := b.row("v1", alice)
	i := recovery.HistoryRow{Vault: "v1", Acct: row.Acct, Gen: row.Gen, Ver: row.Ver, Used: 1, At: b.now()}
	i.MAC = i.Seal(b.key)
	b.do(func(tx storetest.Tx) error {
		_, err := tx.AddHistory(t.Context(), i)
		return err
	})
	h.garbage(session)
	h.unproved(session)
}

// TestVersionsDeleted: an owner mistyped his PIN once and then was right. Without
// the rows of all that came after the mistake it looks like an attempt that is
// still open. It was another's.
func TestVersionsDeleted(t *testing.T) {
	b, old, h := backedUp(t, recoverytest.Options{Profile: recovery.ProfileSingle})
	again := b.handset(alice, phone1)
	again.wrong("000000", 9)
	back := b.noted()
	again.right("482915", "one")
	back()
	b.do(func(tx storetest.Tx) error {
		_, err := tx.DeleteRecoverySessions(t.Context(), b.now().AddDate(0, 0, 1), 1000)
		return err
	})
	session := h.open()
	h.garbage(session)
	h.unproved(session)
	old.right("482915", "one")
}

// historyOf is what was noted of a record.
func historyOf(b *backend, of recovery.RecordRow) (h recovery.HistoryRow) {
	b.Helper()
	b.do(func(tx storetest.Tx) error {
		all, err := tx.History(b.Context(), of.Vault, of.Acct, 1)
		if err == nil {
			h = all[0]
		}
		return err
	})
	return h
}

// TestForgedIntent: the service makes no voucher for a request that it has not kept
// itself.
func TestForgedIntent(t *testing.T) {
	for _, tt := range []struct {
		name  string
		mac   func(recovery.IntentRow, []byte) []byte
		state wire.State
	}{
		{"nobody's", func(recovery.IntentRow, []byte) []byte { return make([]byte, 32) }, wire.StateActive},
		{"the app's", recovery.IntentRow.Seal, wire.StateDeleted},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, _, h := backedUp(t, recoverytest.Options{Profile: recovery.ProfileSingle})
			row, _ := b.row("v1", alice)
			tbs, err := wire.Encode(&wire.Delete{Target: wire.Target{Vault: "v1", Acct: row.Acct, Gen: row.Gen}})
			h.must(err)
			in, _ := b.sealed("v1", alice, wire.OpDelete, &wire.Managed{TBS: tbs})
			i := recovery.IntentRow{
				Vault: "v1", Acct: row.Acct, Account: alice, Op: uint8(wire.OpDelete), Epoch: in.Epoch, Request: in.Request, At: b.now(), NextAt: b.now(),
			}
			i.MAC = tt.mac(i, b.key)
			b.do(func(tx storetest.Tx) error { return tx.PutIntent(t.Context(), i) })
			h.must(recovery.TestingOnlyRepeat(t.Context(), b.Service))
			if row, _ := b.row("v1", alice); wire.State(row.State) != tt.state {
				t.Errorf("%v, want %v", wire.State(row.State), tt.state)
			}
		})
	}
}

// TestForgedCount: a record that is said to have been tried more often than it was
// keeps no attempt from its owner.
func TestForgedCount(t *testing.T) {
	b, _, h := backedUp(t, recoverytest.Options{Profile: recovery.ProfileSingle})
	row, _ := b.row("v1", alice)
	row.Ver, row.Used = row.Ver+1, 9
	b.do(func(tx storetest.Tx) error {
		_, err := tx.AdvanceRecovery(context.Background(), row)
		return err
	})
	h.wrong("000000", 9)
	if got := b.told("recovery.attempt"); len(got) == 0 { // rather twice than never
		t.Error("the owner was not told")
	}
}
