package recovery_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest"
	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/store/storetest"
)

// unproved wants a session that cannot be finished.
func (h *handset) unproved(session recovery.SessionSecret) {
	h.Helper()
	if err := h.FinishSession(h.Context(), h.newcomer(), session); !errors.Is(err, recovery.ErrUnfinished) {
		h.Fatalf("FinishSession: %v", err)
	}
	finished(h, false)
}

// TestGarbageAfterWrong: a wrong PIN proves nothing.
func TestGarbageAfterWrong(t *testing.T) {
	_, _, h := backedUp(t, recoverytest.Options{})
	h.wrong("000000", 9)
	h.unproved(h.open())
}

// loseReleases lets an owner's releases be executed, and their receipts be lost
// with the service.
func loseReleases(owner *handset) {
	owner.Helper()
	owner.net.Script = func(c recoverytest.Call) recoverytest.Fault {
		if c.Op == wire.OpRelease {
			owner.fault.Store("crash/05")
		}
		return recoverytest.Pass
	}
	unavailable(owner, "482915")
	owner.fault.Store("")
	owner.net.Script = nil
}

// garbage sends each vault a release that it refuses, in a session.
func (h *handset) garbage(session recovery.SessionSecret) {
	h.Helper()
	for _, v := range h.vaults.List {
		in, _ := h.sealed(v.ID, alice, wire.OpRelease, garbage())
		in.Session = session
		if out, err := h.CallVault(h.Context(), h.newcomer(), in); err != nil || out.Used != 0 {
			h.Fatalf("%+v, %v", out, err)
		}
	}
}

// noted gives a function that leaves of the versions only the newest of now, as if
// the store were brought back to now: what others do meanwhile is not known.
func (b *backend) noted() (back func()) {
	b.Helper()
	var kept []recovery.HistoryRow
	for _, v := range b.vaults.List {
		row, _ := b.row(v.ID, alice)
		kept = append(kept, historyOf(b, row))
	}
	return func() {
		b.Helper()
		b.do(func(tx storetest.Tx) error {
			if _, err := tx.DeleteHistory(b.Context(), b.now().Add(time.Second), 1000); err != nil {
				return err
			}
			for _, h := range kept {
				if _, err := tx.AddHistory(b.Context(), h); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// TestLostRelease: the receipts of an owner's releases are lost with the service.
// What somebody else with a ticket sends next is taken for no proof.
func TestLostRelease(t *testing.T) {
	t.Run("alone", func(t *testing.T) {
		b, _, _ := backedUp(t, recoverytest.Options{})
		owner := b.handset(alice, phone1)
		loseReleases(owner)
		owner.right("482915", "one") // the same release again
		finished(owner, true)
	})
	t.Run("another recovers too", func(t *testing.T) {
		b, _, h := backedUp(t, recoverytest.Options{})
		h.wrong("000000", 9)
		back := b.noted()
		loseReleases(b.handset(alice, phone1))
		back()
		session := h.open()
		h.garbage(session)
		h.unproved(session)
	})
	t.Run("a request is on its way", func(t *testing.T) {
		b, _, h := backedUp(t, recoverytest.Options{})
		h.wrong("000000", 9)
		back := b.noted()
		owner := b.handset(alice, phone1)
		loseReleases(owner)
		back()
		b.do(func(tx storetest.Tx) error {
			if err := b.EndSessions(t.Context(), tx, alice, owner.key, b.now()); err != nil {
				return err
			}
			for _, v := range b.vaults.List {
				i := recovery.IntentRow{Vault: v.ID, Acct: wire.DerivePepper(b.key, v.ID).Acct(string(alice)), Account: alice, Op: uint8(wire.OpActivate), Request: []byte{1}, At: b.now(), NextAt: b.now(), MAC: []byte{1}}
				if err := tx.PutIntent(t.Context(), i); err != nil {
					return err
				}
			}
			return nil
		})
		session := h.open()
		h.garbage(session)
		h.unproved(session)
	})
}

// TestStatusProvesNothing: only a release proves the PIN, whatever a receipt says
// of the count.
func TestStatusProvesNothing(t *testing.T) {
	b, _, h := backedUp(t, recoverytest.Options{Profile: recovery.ProfileSingle})
	h.wrong("000000", 9)
	session := h.open()
	hash := sha256.Sum256(session)
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	prove := func(op wire.Op) {
		t.Helper()
		row, _ := b.row("v1", alice)
		signed, err := wire.Sign(key, &wire.Receipt{
			Vault: "v1", Replica: "v1/a", Acct: row.Acct, Op: op, Gen: row.Gen, Ver: row.Ver + 1, Digest: wire.Sum(row.Sealed),
		})
		if err != nil {
			t.Fatal(err)
		}
		receipt, err := wire.Encode(signed)
		if err != nil {
			t.Fatal(err)
		}
		r, err := recovery.SealEntry(b.key, recovery.Record{
			App: "demo", Vault: "v1", Acct: row.Acct, Account: alice, Gen: row.Gen, Ver: row.Ver + 1, Used: row.Used, Sealed: row.Sealed,
		}, recovery.Note{Receipt: receipt, Session: hash[:], Request: hash[:]})
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Apply(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	prove(wire.OpStatus)
	h.unproved(session)
	h.wrong("000001", 8)
	session = h.open()
	hash = sha256.Sum256(session)
	prove(wire.OpRelease) // it is the op that makes the difference
	if err := b.FinishSession(t.Context(), h.newcomer(), session); err != nil {
		t.Fatal(err)
	}
}

// TestTicketOfAnother: a ticket that the accounts give out is looked at again.
func TestTicketOfAnother(t *testing.T) {
	b, _, h := backedUp(t, recoverytest.Options{})
	good := recovery.Ticket{Account: alice, Key: h.key, Until: b.now().Add(time.Hour)}
	for name, change := range map[string]func(*recovery.Ticket){
		"another account": func(v *recovery.Ticket) { v.Account = bob },
		"another key":     func(v *recovery.Ticket) { v.Key = "other" },
	} {
		v := good
		change(&v)
		b.gate.ticket = &v
		if _, err := b.OpenSession(t.Context(), h.newcomer(), alice, recovery.TicketSecret("x")); !errors.Is(err, recovery.ErrTicket) {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.gate.ticket = &good
	if _, err := b.OpenSession(t.Context(), h.newcomer(), alice, recovery.TicketSecret("x")); err != nil {
		t.Error(err)
	}
}

// TestReceiptOfAnother: the reply to another call, genuine as it is, is no reply to
// this one.
func TestReceiptOfAnother(t *testing.T) {
	b, old, _ := backedUp(t, recoverytest.Options{Profile: recovery.ProfileSingle})
	bobs := b.handset(bob, phone1)
	bobs.must(bobs.register("482915", "two"))
	l := &link{Link: b.ways[0].Replicas[0].Link}
	b.ways[0].Replicas[0].Link = l
	b.restart()
	status := func(h *handset) error {
		in, _ := b.sealed("v1", h.id, wire.OpStatus, &wire.Status{})
		_, err := b.CallVault(t.Context(), h.caller(), in)
		return err
	}
	var other wire.Reply
	l.change = func(r *wire.Reply) { other = *r }
	bobs.must(status(bobs))
	l.change = func(r *wire.Reply) { *r = other }
	if err := status(old); !errors.Is(err, recovery.ErrVaultUnavailable) {
		t.Errorf("bob's reply to alice: %v", err)
	}
	l.change = nil
	old.must(status(old))
}

// TestNudge: under merge, a call that finds the record stale applies what the retry
// stream holds for it, and goes on.
func TestNudge(t *testing.T) {
	b, old, h := backedUp(t, recoverytest.Options{})
	b.blocked = true
	have, err := recovery.ParseBackup(old.backup)
	old.must(err)
	if err := old.client.Update(t.Context(), have, payloadOf("two")); !errors.Is(err, recovery.ErrStale) {
		t.Errorf("an update of which nothing is stored: %v", err)
	}
	b.blocked = false
	if n := intents(b); n != 3 {
		t.Errorf("%d intents are kept until the records are stored", n)
	}
	h.right("482915", "two")
	if b.queue.nudges == 0 {
		t.Error("nobody asked the retry stream")
	}
	if n := intents(b); n != 0 {
		t.Errorf("%d intents are left", n)
	}
	old.must(old.client.Update(t.Context(), have, payloadOf("two"))) // goes on where it was
}

// TestLanes: calls of one account are on their way to a vault one at a time.
func TestLanes(t *testing.T) {
	b, old, _ := backedUp(t, recoverytest.Options{Profile: recovery.ProfileSingle})
	l := &link{Link: b.ways[0].Replicas[0].Link}
	b.ways[0].Replicas[0].Link = l
	b.restart()
	var mu sync.Mutex
	now, most := 0, 0
	l.seen = func(*wire.Call) {
		mu.Lock()
		now++
		most = max(most, now)
		mu.Unlock()
		time.Sleep(5 * time.Millisecond)
	}
	l.change = func(*wire.Reply) {
		mu.Lock()
		now--
		mu.Unlock()
	}
	var wg sync.WaitGroup
	for range 8 {
		in, _ := b.sealed("v1", alice, wire.OpStatus, &wire.Status{})
		wg.Go(func() {
			if _, err := b.CallVault(t.Context(), old.caller(), in); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most != 1 {
		t.Errorf("%d at a time", most)
	}
	b.do(func(tx storetest.Tx) error {
		all, err := tx.History(t.Context(), "v1", wire.DerivePepper(b.key, "v1").Acct(string(alice)), 100)
		if len(all) < 8 {
			t.Errorf("%d versions", len(all))
		}
		return err
	})
}
