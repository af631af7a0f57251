package integrity_test

import (
	"errors"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/transfer"
)

// onwards moves the account on, from the phone that m has brought: as a phisher would
// who has a second phone beside his first one.
func (m *move) onwards(last string) *move {
	m.r.t.Helper()
	m.r.advance(m.r.opts.Policy.Holds.Add) // the first one has cooled off
	m.r.tick()
	m.n.signIn()
	return m.n.moving().to(last)
}

// TestMoveOnIsNotFinalBeforeTheFirst: who has phished an account and moves it on does
// not end the time in which its owner can take it back.
func TestMoveOnIsNotFinalBeforeTheFirst(t *testing.T) {
	r := moveRig(t)
	p := r.mover()
	m := p.moving().to("ack")
	until := m.view.RecallUntil
	second := m.onwards("ack")
	var early *transfer.EarlyError
	if err := second.finish(); !errors.As(err, &early) || !early.OpensAt.Equal(until) {
		t.Errorf("the second is ended early: %v", err)
	}
	if got := m.standing().State; got != transfer.Acked {
		t.Errorf("the first is %s", got)
	}
	if err := m.recall(); err != nil {
		t.Fatalf("the recall: %v", err)
	}
	for name, want := range map[*phone]account.State{p: account.Active, m.n: account.Deleted, second.n: account.Deleted} {
		if got := r.device(name.device).State; got != want {
			t.Errorf("device %s is %s, not %s", name.device, got, want)
		}
	}
	if got := second.standing().State; got != transfer.Recalled {
		t.Errorf("the second is %s", got)
	}
	r.checked()
}

// TestMoveOnWaitsForTheFirst: the clock does not end it either, when that of the first
// one stands. After the first both are final.
func TestMoveOnWaitsForTheFirst(t *testing.T) {
	r := moveRig(t)
	p := r.mover()
	m := p.moving().to("ack")
	m.onwards("ack")
	p.token = nil // its sessions have ended
	if _, err := r.FreezeDevice(t.Context(), p.caller(), p.device); err != nil {
		t.Fatal(err)
	}
	r.advance(100 * time.Hour)
	r.tick()
	if r.device(m.n.device).State == account.Deleted || m.standing().State != transfer.Acked {
		t.Errorf("the phone between is %s, and the first move %s", r.device(m.n.device).State, m.standing().State)
	}
	r.checked()
}

// TestMovesOnEnd: left alone, one is final after the other.
func TestMovesOnEnd(t *testing.T) {
	r := moveRig(t)
	p := r.mover()
	m := p.moving().to("ack")
	second := m.onwards("ack")
	for range 8 {
		r.advance(24 * time.Hour)
		r.tick()
	}
	for _, one := range []*move{m, second} {
		if got := one.standing().State; got != transfer.Final {
			t.Errorf("it is %s", got)
		}
	}
	if r.device(p.device).State != account.Deleted || r.device(m.n.device).State != account.Deleted || r.device(second.n.device).State == account.Deleted {
		t.Errorf("devices: %s, %s, %s", r.device(p.device).State, r.device(m.n.device).State, r.device(second.n.device).State)
	}
	r.checked()
}

// TestRecallerKeepsItsPasskey: the new phone, once it has cooled off, does not remove
// the passkey that the old one takes the account back with.
func TestRecallerKeepsItsPasskey(t *testing.T) {
	r := moveRig(t)
	p := r.mover()
	passkeys, _, err := r.Passkeys(t.Context(), p.caller())
	if err != nil {
		t.Fatal(err)
	}
	m := p.moving().to("ack")
	r.advance(r.opts.Policy.Holds.Add)
	r.tick()
	m.n.signIn()
	for _, c := range passkeys {
		if _, err := m.n.do(account.RemoveCredential, "credential", c.Ref); !errors.Is(err, account.ErrRefused) {
			t.Errorf("it removes %s: %v", c.Ref, err)
		}
	}
	if err := m.recall(); err != nil {
		t.Errorf("the recall: %v", err)
	}
	r.checked()
}
