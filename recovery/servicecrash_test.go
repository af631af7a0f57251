package recovery_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest"
	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/store/storetest"
)

// backedUp is an account with a registration of PIN 482915, and a phone that is new.
func backedUp(t *testing.T, o recoverytest.Options) (b *backend, old, fresh *handset) {
	t.Helper()
	b = newBackend(t, o)
	old = b.handset(alice, phone1)
	old.must(old.register("482915", "one"))
	return b, old, b.handset(alice, "")
}

// unavailable wants a try that has no verdict.
func unavailable(h *handset, pin string) {
	h.Helper()
	_, err := h.recover(pin)
	var ue *recovery.UnavailableError
	if !errors.As(err, &ue) {
		h.Fatalf("PIN %s: %v, want an UnavailableError", pin, err)
	}
}

// TestCrash05To08 is the rows of the crash table (spec: "Crash table") that are the
// service's: at each the attempt is counted once, the same PIN is free when it is
// typed again, and what was stored never falls back.
func TestCrash05To08(t *testing.T) {
	tests := []struct {
		row     string
		fault   func(b *backend)
		verdict bool  // the try has one, in spite of the fault
		used    []int // what the store says meanwhile
	}{
		{"crash/05", func(b *backend) { b.fault.Store("crash/05") }, false, []int{0, 0, 0}},
		{"crash/06", func(b *backend) { b.blocked = true }, true, []int{0, 0, 0}},
		{"crash/07", func(b *backend) { b.blocked, b.queue.broken = true, true }, false, []int{0, 0, 0}},
		{"crash/08", func(b *backend) { b.fault.Store("crash/08") }, false, []int{1, 1, 1}},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			b, _, h := backedUp(t, recoverytest.Options{})
			tt.fault(b)
			if tt.verdict {
				h.wrong("000000", 9)
			} else {
				unavailable(h, "000000")
			}
			if got := b.used(alice); !slices.Equal(got, tt.used) {
				t.Errorf("meanwhile the store says used %v, want %v", got, tt.used)
			}
			b.fault.Store("")
			b.blocked, b.queue.broken = false, false
			b.restart()
			if !tt.verdict {
				h.wrong("000000", 9) // free: the same B
			} else if err := b.queue.drain(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			if got, want := b.used(alice), []int{1, 1, 1}; !slices.Equal(got, want) {
				t.Errorf("the store says used %v, want %v", got, want)
			}
			if got := b.told("recovery.attempt"); len(got) != 1 {
				t.Errorf("the owner was told of %v, want one attempt", got)
			}
			h.wrong("000001", 8)
			h.right("482915", "one")
			finished(h, true)
		})
	}
}

// TestCrash09: what the retry stream holds comes late, twice and in any order, and
// nothing falls back or is told twice.
func TestCrash09(t *testing.T) {
	b, _, h := backedUp(t, recoverytest.Options{})
	b.blocked = true
	for i := range 3 {
		h.wrong(fmt.Sprint("00000", i), 9-i)
	}
	b.blocked = false
	held := slices.Clone(b.queue.held)
	for _, r := range held {
		if len(r.Notes) == 0 || r.Account != alice {
			t.Fatalf("an entry that tells nobody: %+v", r)
		}
	}
	for range 5 {
		err := b.queue.run(t.Context(), held)
		if err != nil {
			t.Fatal(err)
		}
		if got := b.used(alice); !slices.Equal(got, []int{3, 3, 3}) {
			t.Fatalf("the store says used %v", got)
		}
		rand.Shuffle(len(held), func(i, j int) { held[i], held[j] = held[j], held[i] })
	}
	if got := b.told("recovery.attempt"); len(got) != 3 {
		t.Errorf("the owner was told of %v, want three attempts", got)
	}
	all, err := b.ListReceipts(t.Context(), account.Caller{Kind: account.Backend}, 0, 500)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, r := range all {
		if seen[string(r.Signed)] {
			t.Fatal("a receipt is stored twice")
		}
		seen[string(r.Signed)] = true
	}
}

// TestCrash09Joined: a stream that keeps one entry of each key loses no alert.
func TestCrash09Joined(t *testing.T) {
	b, _, h := backedUp(t, recoverytest.Options{})
	b.blocked = true
	h.wrong("000000", 9)
	if _, err := h.recover("482915"); !errors.Is(err, recovery.ErrUnfinished) { // no receipt is stored yet
		t.Fatal(err)
	}
	b.blocked = false
	joined := map[string]recovery.Record{}
	for _, r := range b.queue.held {
		if have, ok := joined[r.Vault]; ok {
			r = r.Join(have)
		}
		joined[r.Vault] = r
	}
	for _, r := range joined {
		if err := b.Apply(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if got := b.told("recovery.attempt"); len(got) < 2 { // vault by vault, so it may look like more
		t.Errorf("the owner was told of %v, want two attempts at least", got)
	}
	h.right("482915", "one")
	finished(h, true)
}

// TestCrash11 and 12: the store is brought back to an older state, on purpose or
// not. Under merge an owner goes on and nobody gains an attempt; under strict
// there is no way on.
func TestCrash11And12(t *testing.T) {
	for _, policy := range []string{recovery.PolicyMerge, recovery.PolicyStrict} {
		t.Run(policy, func(t *testing.T) {
			b, _, h := backedUp(t, recoverytest.Options{Policy: policy})
			old, _ := b.row("v1", alice)
			var rows []recovery.RecordRow
			for _, v := range b.vaults.List {
				r, _ := b.row(v.ID, alice)
				rows = append(rows, r)
			}
			h.wrong("000000", 9)
			h.wrong("000001", 8)
			for _, r := range rows {
				b.putBack(r)
			}
			if now, _ := b.row("v1", alice); now.Ver != old.Ver {
				t.Fatal("nothing was put back")
			}
			if policy == recovery.PolicyStrict {
				unavailable(h, "000002")
				if got := b.told("recovery.stale"); len(got) != 3 {
					t.Errorf("told of %v", got)
				}
				return
			}
			h.wrong("000002", 7)
			h.right("482915", "one")
		})
	}
}

// TestCrash13: the registration of the PIN before is put back; its PIN is worth
// nothing.
func TestCrash13(t *testing.T) {
	b, old, h := backedUp(t, recoverytest.Options{})
	var rows []recovery.RecordRow
	for _, v := range b.vaults.List {
		r, _ := b.row(v.ID, alice)
		rows = append(rows, r)
	}
	old.must(old.register("739164", "two"))
	for _, r := range rows {
		b.putBack(r)
	}
	unavailable(h, "482915")
	unavailable(h, "739164")
	if got := b.told("recovery.stale"); len(got) == 0 {
		t.Error("nobody was told")
	}
}

// TestCrash18: a request that changes the registration was executed, and its
// record is lost with the service. The intent brings it, though the phone is gone.
func TestCrash18(t *testing.T) {
	b, old, h := backedUp(t, recoverytest.Options{})
	old.net.Script = func(c recoverytest.Call) recoverytest.Fault {
		if c.Op == wire.OpUpdate {
			b.fault.Store("crash/05")
		}
		return recoverytest.Pass
	}
	have, err := recovery.ParseBackup(old.backup)
	old.must(err)
	if err := old.client.Update(t.Context(), have, payloadOf("two")); err == nil {
		t.Fatal("updated by a service that died")
	}
	b.fault.Store("")
	unavailable(h, "482915") // stale until the record is there
	if n := intents(b); n != 3 {
		t.Fatalf("%d intents are kept, want 3", n)
	}
	b.restart()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- b.Run(ctx) }()
	for intents(b) > 0 {
		if t.Context().Err() != nil {
			t.Fatal("the intents are never repeated")
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	h.right("482915", "two")
}

// TestCrash18Overtaken: while such a request waits, another of the same op comes,
// of a phone that knows nothing of it. It does not take the other's place, which
// alone can bring the record.
func TestCrash18Overtaken(t *testing.T) {
	b, old, h := backedUp(t, recoverytest.Options{})
	old.net.Script = func(c recoverytest.Call) recoverytest.Fault {
		if c.Op == wire.OpUpdate {
			b.fault.Store("crash/05")
		}
		return recoverytest.Pass
	}
	have, err := recovery.ParseBackup(old.backup)
	old.must(err)
	if err := old.client.Update(t.Context(), have, payloadOf("two")); err == nil {
		t.Fatal("updated by a service that died")
	}
	b.fault.Store("")
	another := func(vault string, n byte) error {
		row, _ := b.row(vault, alice)
		tbs, err := wire.Encode(&wire.Update{Target: wire.Target{Vault: vault, Acct: row.Acct, Gen: row.Gen}, Reg: wire.RegID{n}})
		old.must(err)
		in, _ := b.sealed(vault, alice, wire.OpUpdate, &wire.Managed{TBS: tbs, Sig: &wire.Signature{}})
		_, err = b.CallVault(t.Context(), old.caller(), in)
		return err
	}
	for n := range byte(15) { // 16 of one account wait at a vault, and no more
		for _, v := range b.vaults.List {
			if err := another(v.ID, n); !errors.Is(err, recovery.ErrStale) {
				t.Fatalf("%s, request %d: %v", v.ID, n, err)
			}
		}
	}
	if err := another("v1", 99); !errors.Is(err, recovery.ErrRate) {
		t.Errorf("a 17th request: %v", err)
	}
	if n := intents(b); n != 48 {
		t.Errorf("%d intents are kept, want 48", n)
	}
	b.restart()
	b.runOnce() // the oldest first: it brings the record, and the others end
	if n := intents(b); n != 0 {
		t.Errorf("%d intents are left", n)
	}
	h.right("482915", "two")
}

func intents(b *backend) (n int) {
	b.do(func(tx storetest.Tx) (err error) {
		n, err = tx.CountIntents(b.Context())
		return err
	})
	return n
}

// TestCrash19To22: a change of the PIN, and one of the payload, stop at every call
// that they make. At each point one PIN of the two works; the phone that goes on
// ends where it would have.
func TestCrash19To22(t *testing.T) {
	for lost := range 40 {
		b, old, h := backedUp(t, recoverytest.Options{})
		n := 0
		old.net.Script = func(c recoverytest.Call) recoverytest.Fault {
			if c.Method != "CallVault" || c.Op == wire.OpStatus {
				if c.Method != "CommitBackup" && c.Method != "PutBlob" {
					return recoverytest.Pass
				}
			}
			if n++; n <= lost {
				return recoverytest.Pass
			}
			return recoverytest.Drop
		}
		err := old.register("739164", "two")
		complete := err == nil
		old.net.Script = nil
		r, err := h.recover("739164")
		secret := "two"
		if err != nil {
			r, err = h.recover("482915")
			secret = "one"
		}
		if err != nil {
			t.Fatalf("after %d calls no PIN works: %v", lost, err)
		}
		if got := string(r.Payload.Keys[0].Secret); got != secret {
			t.Fatalf("after %d calls: %q, want %q", lost, got, secret)
		}
		if err := old.register("739164", "two"); err != nil {
			t.Fatalf("after %d calls the phone cannot go on: %v", lost, err)
		}
		h.right("739164", "two")
		b.store.Close()
		if complete {
			if lost < 8 {
				t.Fatalf("complete after %d calls", lost)
			}
			return
		}
	}
	t.Fatal("never complete")
}

// TestEveryFault fails each call to the store in turn, before and after it took
// effect. What was counted stays counted, the same PIN is free, and the queue
// brings what is missing.
func TestEveryFault(t *testing.T) {
	for _, when := range []storetest.When{storetest.Before, storetest.After} {
		for n := 1; ; n++ {
			b, _, h := backedUp(t, recoverytest.Options{Profile: recovery.ProfileSingle})
			f := storetest.NewFaulty(b.store, n, when)
			b.faulty = f
			_, err := h.recover("000000")
			b.faulty = nil
			if f.Fired() == "" {
				if n < 20 {
					t.Fatalf("only %d calls to the store", n)
				}
				break
			}
			var ge *recovery.GuessError
			if err != nil && !errors.As(err, &ge) {
				h.wrong("000000", 9)
			}
			if err := b.queue.drain(t.Context(), nil); err != nil {
				t.Fatalf("call %d, %s: %v", n, f.Fired(), err)
			}
			if got := b.used(alice); !slices.Equal(got, []int{1}) {
				t.Fatalf("call %d, %s, after %v: used %v", n, f.Fired(), when, got)
			}
			if got := b.told("recovery.attempt"); len(got) != 1 {
				t.Fatalf("call %d, %s, after %v: told of %v", n, f.Fired(), when, got)
			}
			h.right("482915", "one")
			finished(h, true)
			b.store.Close()
		}
	}
}
