package integrity_test

import (
	"errors"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

// TestRecoveryOver: the clock ends a recovery that nobody has gone on with, and
// the ticket of a device for itself, when the day of their tickets is over. There
// is an entry of it, and no alert; and until then a ticket is no action that waits.
func TestRecoveryOver(t *testing.T) {
	r, vault := pinRig(t)
	old := r.enrol()
	q := old.recoverer(vault)
	wait := r.opts.Policy.Waits.Recovery
	started := must[*integrity.RecoveryStarted](t)(q.start())
	r.advance(wait)
	old.signIn()
	must[*integrity.Confirmed](t)(old.do(account.OpenRecovery)) // it is over as long after this as the start is
	alerts := r.count("alert")
	waiting := func() (n int) {
		for _, p := range old.status().Rest.Pending {
			if p.ID != started.Pending {
				t.Errorf("%s waits", p.Action)
			}
			n++
		}
		return n
	}
	r.advance(24*time.Hour - time.Second)
	r.tick()
	if n := r.count("pending WHERE state = 'open'"); n != 2 || waiting() != 1 {
		t.Errorf("a second before: %d are open, %d wait", n, waiting())
	}
	if done, err := r.RecoveryOver(t.Context(), started.Pending); done || err != nil { // by a clock that has listed it wrongly
		t.Errorf("ended a second before: %v, %v", done, err)
	}
	r.advance(time.Second)
	if n := waiting(); n != 0 {
		t.Errorf("%d wait whose day is over", n)
	}
	r.tick()
	for from, want := range map[string]int{
		"pending WHERE state = 'cancelled' AND ended_at = opens_at + 86400000000": 2,
		"audit_entry WHERE action = 'recovery.start.over'":                        1,
		"audit_entry WHERE action = 'recovery.open.over'":                         1,
		"alert": alerts,
	} {
		if n := r.count(from); n != want {
			t.Errorf("%d of %s, want %d", n, from, want)
		}
	}
	if _, err := q.ask(); !errors.Is(err, integrity.ErrTooLate) {
		t.Errorf("asked then: %v", err)
	}
	r.tick()
	if n := r.count("audit_entry WHERE action = 'recovery.start.over'"); n != 1 {
		t.Errorf("ended %d times", n)
	}
	r.checked()
}

// TestRecoveryOverAlone: a row that was changed is not ended by the clock, and
// keeps nobody else's from it.
func TestRecoveryOverAlone(t *testing.T) {
	r, vault := pinRig(t)
	first, second := r.enrol(), r.enrol()
	must[*integrity.RecoveryStarted](t)(first.recoverer(vault).start())
	must[*integrity.RecoveryStarted](t)(second.recoverer(vault).start())
	r.exec("UPDATE pending SET opens_at = opens_at - 1 WHERE account = ?", string(first.account))
	r.advance(r.opts.Policy.Waits.Recovery + 24*time.Hour)
	if _, err := r.Tick(t.Context()); !errors.Is(err, integrity.ErrIntegrity) {
		t.Errorf("a row with a wrong MAC: %v", err)
	}
	if n := r.count("audit_entry WHERE action = 'recovery.start.over' AND account = ?", string(second.account)); n != 1 {
		t.Errorf("the other's was ended %d times", n)
	}
	if n := r.count("audit_entry WHERE action = 'recovery.start.over' AND account = ?", string(first.account)); n != 0 {
		t.Error("the row that was changed is ended as if it were sound")
	}
}

// TestBeside: what pillar recovery does in its own transaction wakes those who wait
// for alerts once it is committed, and a row that was changed locks its account.
func TestBeside(t *testing.T) {
	r, _ := pinRig(t)
	p := r.enrol()
	woken, end := r.Watch(p.account)
	defer end()
	charge := func() error {
		return r.opts.Update(t.Context(), func(tx integrity.Tx) error {
			return r.Charged(t.Context(), tx, p.account, "", 9, 10)
		})
	}
	heard := func() bool {
		select {
		case <-woken:
			return true
		default:
			return false
		}
	}
	err := charge()
	if err != nil || heard() {
		t.Errorf("%v; before the transaction is over: %v", err, heard())
	}
	r.Beside(t.Context(), errors.New("not committed"), []account.ID{p.account})
	if heard() {
		t.Error("woken for what was not committed")
	}
	r.Beside(t.Context(), err, []account.ID{p.account})
	if !heard() {
		t.Error("not woken")
	}
	for from, want := range map[string]int{
		"alert WHERE kind = 'recovery.attempt' AND json_extract(CAST(data AS TEXT), '$.remaining') = 9": 1,
		"outbox WHERE type = 'recovery.attempt'":                                                        1,
		"audit_entry WHERE action = 'recovery.attempt'":                                                 1,
	} {
		if n := r.count(from); n != want {
			t.Errorf("%d of %s, want %d", n, from, want)
		}
	}
	r.exec("UPDATE account SET state = 'active', prior = 'held' WHERE id = ?", string(p.account))
	err = r.opts.View(t.Context(), func(tx integrity.Tx) error { return r.Allow(t.Context(), tx, p.asked(), account.AccountRead) })
	if !errors.Is(err, integrity.ErrIntegrity) {
		t.Fatalf("a row that was changed: %v", err)
	}
	r.Beside(t.Context(), err, nil)
	if n := r.count("audit_entry WHERE action IN ('account.lock', 'integrity.failure') AND account = ?", string(p.account)); n != 1 {
		t.Errorf("%d entries of it", n)
	}
}

// asked is the phone as the edge proved it before anything was changed.
func (p *phone) asked() account.Caller {
	return account.Caller{
		Kind: account.Phone, App: "demo", Account: p.account, Device: p.device,
		Proofs: []account.Proof{{Method: account.ByDeviceKey, At: p.r.clock(), Device: p.device}},
	}
}
