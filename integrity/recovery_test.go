package integrity_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

// TestRecovery is rung 3 from its first call to the end of its hold.
func TestRecovery(t *testing.T) {
	r, vault := pinRig(t)
	old := r.enrol()
	q := old.recoverer(vault)
	s := must[*integrity.RecoveryStarted](t)(q.start())
	if s.OpensAt.Sub(r.clock()) != r.opts.Policy.Waits.Recovery || s.Ticket != nil || s.Ceremony != "" || s.Finished {
		t.Errorf("started: %+v", s)
	}
	if n := r.count("alert WHERE account = ? AND kind = 'recovery.start' AND cause = ''", string(old.account)); n != 1 {
		t.Errorf("%d alerts", n)
	}
	if p := old.status().Rest.Pending; len(p) != 1 || p[0].ID != s.Pending {
		t.Errorf("the old phone sees %+v", p)
	}
	r.advance(r.opts.Policy.Waits.Recovery - time.Second)
	if s := must[*integrity.RecoveryStarted](t)(q.ask()); s.Ticket != nil {
		t.Errorf("early: %+v", s)
	}
	r.advance(time.Second)
	s = must[*integrity.RecoveryStarted](t)(q.ask())
	again := must[*integrity.RecoveryStarted](t)(q.ask())
	if len(s.Ticket) != 32 || !bytes.Equal(s.Ticket, again.Ticket) || s.Ceremony != "" || s.Until.Sub(r.clock()) != 24*time.Hour {
		t.Errorf("asked: %+v", s)
	}
	if n := r.count("pending WHERE instr(params, ?) > 0", base64.StdEncoding.EncodeToString(s.Ticket)); n != 0 {
		t.Error("the ticket itself is in the store")
	}
	vault.prove(s.Ticket)
	r.advance(time.Minute)
	answer := q.answer(must[*integrity.RecoveryStarted](t)(q.ask()))
	out := must[*integrity.Signed](t)(q.finish(answer))
	until := r.clock().Add(r.opts.Policy.Holds.Recovery)
	if out.Account != old.account || out.AccountState != account.Held || out.DeviceState != account.Held || !out.Hold.Until.Equal(until) || out.Class != account.Person {
		t.Errorf("recovered: %+v", out)
	}
	r.checked()
	if c := q.caller(); c.Device != out.Device || c.Session != out.Session {
		t.Errorf("the new phone is %+v", c)
	}
	if _, err := r.Prove(t.Context(), old.message(old.token), old.token, false); !errors.Is(err, integrity.ErrSessionEnded) {
		t.Errorf("the old session: %v", err)
	}
	old.token = nil
	if s := old.status(); s.DeviceState != account.Held || s.Hold.Reason != account.HoldLeaving || !s.Hold.Until.Equal(until) {
		t.Errorf("the old phone: %+v", s)
	}
	for from, want := range map[string]int{
		"alert WHERE kind = 'account.recovered'":       1,
		"outbox WHERE type = 'account.recovered'":      1,
		"risk WHERE signal = 'recent_recovery'":        1,
		"audit_entry WHERE action = 'account.recover'": 1,
		"session WHERE ended_at IS NULL":               1,
		"pending WHERE state = 'finished'":             1,
	} {
		if n := r.count(from); n != want {
			t.Errorf("%d of %s, want %d", n, from, want)
		}
	}
	if s := must[*integrity.RecoveryStarted](t)(q.ask()); !s.Finished || s.Ticket != nil || s.Ceremony != "" {
		t.Errorf("asked when it is over: %+v", s)
	}
	answer.Message = q.message(nil)
	if _, err := q.finish(answer); !errors.Is(err, integrity.ErrTooLate) {
		t.Errorf("finished twice: %v", err)
	}
	r.advance(r.opts.Policy.Holds.Recovery - time.Second)
	r.tick()
	if s := q.status(); s.AccountState != account.Held {
		t.Errorf("early: %+v", s)
	}
	r.advance(time.Second)
	r.tick()
	if s := q.status(); s.AccountState != account.Active || s.DeviceState != account.Active || s.Rest.Devices != 1 || s.Rest.Passkeys != 1 {
		t.Errorf("after the hold: %+v", s)
	}
	r.checked()
}

// TestRecoveryStartRefused: who may not begin, and why.
func TestRecoveryStartRefused(t *testing.T) {
	limited := func(after time.Duration) func(*testing.T, *rig, error) {
		return func(t *testing.T, r *rig, err error) {
			var l *integrity.RateLimited
			if !errors.As(err, &l) || l.RetryAt.Sub(r.clock()) != after {
				t.Errorf("%v, want to be told to come in %v", err, after)
			}
		}
	}
	is := func(want error) func(*testing.T, *rig, error) {
		return func(t *testing.T, _ *rig, err error) {
			if !errors.Is(err, want) || (err == nil) != (want == nil) {
				t.Errorf("%v, want %v", err, want)
			}
		}
	}
	const day = 24 * time.Hour
	// another begins a recovery of the same account.
	another := func(q *recoverer) *integrity.RecoveryStarted {
		return must[*integrity.RecoveryStarted](q.r.t)((&recoverer{q.r.newPhone(nil), q.of, q.vault}).start())
	}
	tests := []struct {
		name   string
		before func(old *phone, q *recoverer)
		change func(old *phone, in *integrity.RecoveryStart)
		check  func(*testing.T, *rig, error)
	}{
		{"good", nil, nil, is(nil)},
		{"no PIN was set", func(_ *phone, q *recoverer) { q.vault.none = true }, nil, is(integrity.ErrNoBackup)},
		{"unknown account", func(_ *phone, q *recoverer) { q.of = account.NewID() }, nil, is(integrity.ErrAccountUnknown)},
		{"no account", func(_ *phone, q *recoverer) { q.of = "x" }, nil, is(integrity.ErrAccountUnknown)},
		{"held", func(old *phone, q *recoverer) { q.r.set(old, "account", account.Held) }, nil, is(account.ErrRefused)},
		{"locked", func(old *phone, q *recoverer) { q.r.set(old, "account", account.Locked) }, nil, is(account.ErrRefused)},
		{"deleted", func(old *phone, q *recoverer) { q.r.set(old, "account", account.Deleted) }, nil, is(integrity.ErrAccountUnknown)},
		{"by a device of the account", func(old *phone, _ *recoverer) {}, func(old *phone, in *integrity.RecoveryStart) {
			in.Message = old.message(nil)
		}, is(integrity.ErrProofInvalid)},
		{"signed by another key", nil, func(old *phone, in *integrity.RecoveryStart) {
			other := old.r.newPhone(nil)
			in.Message = other.attest(old.r.challenge()).Message
		}, is(integrity.ErrProofInvalid)},
		{"without a proof", nil, func(_ *phone, in *integrity.RecoveryStart) { in.Message = nil }, is(integrity.ErrMalformed)},
		{"a second one at once", func(_ *phone, q *recoverer) { another(q) }, nil, limited(day)},
		{"a second one after a day", func(_ *phone, q *recoverer) { another(q); q.r.advance(day) }, nil, is(nil)},
		{"a fourth one in 30 days", func(_ *phone, q *recoverer) {
			for range 3 {
				another(q)
				q.r.advance(2 * day)
			}
		}, nil, limited(24 * day)},
		{"a fourth one after 30 days", func(_ *phone, q *recoverer) {
			for range 3 {
				another(q)
				q.r.advance(2 * day)
			}
			q.r.advance(24 * day)
		}, nil, is(nil)},
		{"after a veto", func(old *phone, q *recoverer) {
			s := another(q)
			old.signIn()
			must[*integrity.Vetoed](q.r.t)(q.r.Veto(q.r.t.Context(), old.caller(), "", s.Pending))
			q.r.advance(2 * day)
		}, nil, limited(5 * day)},
		{"a week after a veto", func(old *phone, q *recoverer) {
			s := another(q)
			old.signIn()
			must[*integrity.Vetoed](q.r.t)(q.r.Veto(q.r.t.Context(), old.caller(), "", s.Pending))
			q.r.advance(7 * day)
		}, nil, is(nil)},
		{"after the owner has frozen the account", func(old *phone, q *recoverer) {
			another(q)
			q.r.advance(day)
			must[*integrity.Frozen](q.r.t)(q.r.Freeze(q.r.t.Context(), old.caller()))
		}, nil, is(nil)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, vault := pinRig(t)
			old := r.enrol()
			r.advance(time.Minute)
			q := old.recoverer(vault)
			if tt.before != nil {
				tt.before(old, q)
			}
			in := q.starting()
			if tt.change != nil {
				tt.change(old, in)
			}
			starts := r.count("pending WHERE action = 'recovery.start'")
			out, err := r.StartRecovery(t.Context(), r.anonymous(), in)
			tt.check(t, r, err)
			if err != nil && r.count("pending WHERE action = 'recovery.start'") != starts {
				t.Error("it is stored nevertheless")
			}
			if tt.name == "after the owner has frozen the account" && err == nil && out.OpensAt.Sub(r.clock()) != r.opts.Policy.Waits.RecoveryFrozen {
				t.Errorf("a frozen account opens in %v", out.OpensAt.Sub(r.clock()))
			}
		})
	}
	t.Run("without the pillar", func(t *testing.T) {
		r := newRig(t)
		old := r.enrol()
		if _, err := old.recoverer(nil).start(); !errors.Is(err, integrity.ErrNoRecovery) {
			t.Error(err)
		}
		if _, err := old.propose(account.SetupRecovery, "reg_id", "00112233445566778899aabbccddeeff"); !errors.Is(err, integrity.ErrNoRecovery) {
			t.Error(err)
		}
		if _, err := old.propose(account.OpenRecovery); !errors.Is(err, integrity.ErrNoRecovery) {
			t.Error(err)
		}
		if _, err := r.FinishRecovery(t.Context(), r.anonymous(), &integrity.RecoveryAnswer{Pending: account.NewPendingID()}); !errors.Is(err, integrity.ErrNoRecovery) {
			t.Error(err)
		}
	})
}

// TestRecoveryFinishRefused: what keeps a recovery from being finished, and that
// nothing has changed then.
func TestRecoveryFinishRefused(t *testing.T) {
	tests := []struct {
		name   string
		change func(old *phone, q *recoverer, in *integrity.RecoveryAnswer)
		want   error
	}{
		{"good", func(*phone, *recoverer, *integrity.RecoveryAnswer) {}, nil},
		{"the PIN was not proved", func(_ *phone, q *recoverer, _ *integrity.RecoveryAnswer) { clear(q.vault.proved) }, integrity.ErrNotProved},
		{"vetoed", func(old *phone, q *recoverer, in *integrity.RecoveryAnswer) {
			old.signIn()
			must[*integrity.Vetoed](q.r.t)(q.r.Veto(q.r.t.Context(), old.caller(), "", in.Pending))
			if n := len(q.vault.ended); n != 1 || q.vault.ended[0] == "" {
				q.r.t.Errorf("sessions of %q ended", q.vault.ended)
			}
		}, integrity.ErrTooLate},
		{"the account was frozen meanwhile", func(old *phone, q *recoverer, _ *integrity.RecoveryAnswer) {
			must[*integrity.Frozen](q.r.t)(q.r.Freeze(q.r.t.Context(), old.caller()))
		}, integrity.ErrTooLate},
		{"the account is held", func(old *phone, q *recoverer, _ *integrity.RecoveryAnswer) { q.r.set(old, "account", account.Held) }, account.ErrRefused},
		{"the account is locked", func(old *phone, q *recoverer, _ *integrity.RecoveryAnswer) { q.r.set(old, "account", account.Locked) }, account.ErrRefused},
		{"the ticket is over", func(_ *phone, q *recoverer, in *integrity.RecoveryAnswer) {
			q.r.advance(24 * time.Hour)
			in.Message = q.message(nil)
		}, integrity.ErrTooLate},
		{"the ceremony is over", func(_ *phone, q *recoverer, in *integrity.RecoveryAnswer) {
			q.r.advance(time.Hour)
			in.Message = q.message(nil)
		}, integrity.ErrCeremonyExpired},
		{"another ceremony", func(_ *phone, q *recoverer, in *integrity.RecoveryAnswer) { in.Ceremony = account.NewCeremonyID() }, integrity.ErrCeremonyExpired},
		{"another start", func(_ *phone, q *recoverer, in *integrity.RecoveryAnswer) { in.Pending = account.NewPendingID() }, integrity.ErrPendingUnknown},
		{"too early, and as if the PIN was proved", func(_ *phone, q *recoverer, in *integrity.RecoveryAnswer) {
			second := q.r.enrol().recoverer(q.vault)
			s := must[*integrity.RecoveryStarted](q.r.t)(second.start())
			q.vault.all = true
			in.Pending, in.Message = s.Pending, second.message(nil)
		}, integrity.ErrTooEarly},
		{"signed by the old phone", func(old *phone, _ *recoverer, in *integrity.RecoveryAnswer) { in.Message = old.message(nil) }, integrity.ErrPendingUnknown},
		{"signed by another newcomer", func(old *phone, q *recoverer, in *integrity.RecoveryAnswer) {
			j := q.r.join()
			in.Message = j.message(nil)
		}, integrity.ErrPendingUnknown},
		{"the row was changed", func(_ *phone, q *recoverer, _ *integrity.RecoveryAnswer) {
			q.r.exec("UPDATE pending SET opens_at = opens_at - 1")
		}, integrity.ErrIntegrity},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, vault := pinRig(t)
			old := r.enrol()
			r.advance(time.Minute)
			q := old.recoverer(vault)
			in := q.answer(q.ready())
			tt.change(old, q, in)
			_, err := q.finish(in)
			if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Fatalf("%v, want %v", err, tt.want)
			}
			if n := r.count("device WHERE account = ?", string(old.account)); err != nil && n != 1 {
				t.Errorf("%d devices", n)
			}
		})
	}
}

// TestRecoveryTicket: a ticket is worth something to the key that it was given
// to, while it is good, and while it could be given out.
func TestRecoveryTicket(t *testing.T) {
	r, vault := pinRig(t)
	old := r.enrol()
	q := old.recoverer(vault)
	s := must[*integrity.RecoveryStarted](t)(q.start())
	early := sha256.Sum256([]byte("no ticket"))
	given := read(r, func(tx integrity.Tx) (hash [32]byte, err error) {
		p, _, err := tx.Pending(t.Context(), s.Pending)
		if err != nil {
			return hash, err
		}
		var kept struct{ Ticket []byte }
		err = json.Unmarshal(p.Params, &kept)
		return [32]byte(kept.Ticket), err
	})
	waiting := must[account.Caller](t)(r.ProveNewcomer(t.Context(), q.message(nil)))
	if found, err := r.ticketed(waiting, old.account, given); found || err != nil {
		t.Errorf("before the wait is over: %v, %v", found, err)
	}
	r.advance(s.OpensAt.Sub(s.At))
	s = must[*integrity.RecoveryStarted](t)(q.ask())
	hash := sha256.Sum256(s.Ticket)
	mine := must[account.Caller](t)(r.ProveNewcomer(t.Context(), q.message(nil)))
	if mine.Account != "" || mine.Device != "" || mine.Key == "" {
		t.Errorf("a newcomer is %+v", mine)
	}
	look := func(c account.Caller, id account.ID, hash [32]byte) (found bool, err error) {
		err = r.opts.View(t.Context(), func(tx integrity.Tx) error {
			var tk integrity.RecoveryTicket
			tk, found, err = r.Ticket(t.Context(), tx, c, id, hash)
			if found && err == nil && (tk.Account != old.account || tk.Key != c.Key || !tk.Until.Equal(s.Until)) {
				t.Errorf("ticket %+v", tk)
			}
			return err
		})
		return found, err
	}
	for name, tt := range map[string]struct {
		c     account.Caller
		id    account.ID
		hash  [32]byte
		found bool
	}{
		"mine":                {mine, old.account, hash, true},
		"another hash":        {mine, old.account, early, false},
		"of another account":  {mine, account.NewID(), hash, false},
		"of no account":       {mine, "", hash, false},
		"of the old phone":    {old.caller(), old.account, hash, false},
		"of nobody":           {account.Caller{}, old.account, hash, false},
		"of an account alone": {account.Caller{Kind: account.Phone, App: "demo", Account: old.account}, old.account, hash, false},
	} {
		if found, err := look(tt.c, tt.id, tt.hash); err != nil || found != tt.found {
			t.Errorf("%s: %v, %v", name, found, err)
		}
	}
	r.set(old, "account", account.Held)
	if _, err := look(mine, old.account, hash); !errors.Is(err, account.ErrRefused) {
		t.Errorf("while the account is held: %v", err)
	}
	r.set(old, "account", account.Active)
	r.advance(24 * time.Hour)
	if found, err := look(mine, old.account, hash); found || err != nil {
		t.Errorf("a day later: %v, %v", found, err)
	}
	r.exec("UPDATE pending SET opens_at = opens_at + 3600000000")
	if found, err := look(mine, old.account, hash); found || !errors.Is(err, integrity.ErrIntegrity) {
		t.Errorf("a row that was changed: %v, %v", found, err)
	}
}

// TestRecoveryOfHeldNewcomer: what cooled off when the account was recovered is
// gone, for only devices that leave vouch for it.
func TestRecoveryOfHeldNewcomer(t *testing.T) {
	r, vault := pinRig(t)
	old := r.enrol()
	q := old.recoverer(vault)
	in := q.answer(q.ready())
	j := r.join()
	old.signIn()
	old.letIn(j.open)
	must[*integrity.Signed](t)(j.finish(j.answer()))
	must[*integrity.Signed](t)(q.finish(in))
	if n := r.count("device WHERE id = ? AND state = 'deleted'", string(j.device)); n != 1 {
		t.Error("the newcomer is there")
	}
	if n := r.count("device WHERE id = ? AND state = 'held' AND hold_reason = 'leaving'", string(old.device)); n != 1 {
		t.Error("the old phone does not leave")
	}
	r.checked()
}

// TestRecoveryVetoed: a device that was there before takes the account back.
func TestRecoveryVetoed(t *testing.T) {
	r, vault := pinRig(t)
	old := r.enrol()
	q, _ := old.recovered(vault)
	mine := q.caller()
	r.advance(time.Minute)
	old.token = nil // it has ended
	old.signIn()
	out := must[*integrity.Vetoed](t)(r.Veto(t.Context(), old.caller(), q.device, ""))
	if out.State != account.Active || out.Removed != q.device {
		t.Errorf("%+v", out)
	}
	if s := old.status(); s.DeviceState != account.Active || s.Rest.Devices != 1 {
		t.Errorf("%+v", s)
	}
	if !slices.Contains(vault.ended, mine.Key) {
		t.Errorf("sessions of %q ended, not those of the phone that is gone", vault.ended)
	}
	r.checked()
	if s, err := q.ask(); err == nil && !s.Finished {
		t.Errorf("the start goes on: %+v", s)
	}
}

// TestRecoverySetupAndOpen: one confirmed approval lets a device register, or
// gives it a ticket for itself.
func TestRecoverySetupAndOpen(t *testing.T) {
	r, vault := pinRig(t)
	p := r.enrol()
	p.signIn()
	for _, bad := range []string{"", "00", "zz112233445566778899aabbccddeeff", "00112233445566778899aabbccddeeff00"} {
		if _, err := p.propose(account.SetupRecovery, "reg_id", bad); !errors.Is(err, integrity.ErrMalformed) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	done := must[*integrity.Confirmed](t)(p.do(account.SetupRecovery, "reg_id", "00112233445566778899aabbccddeeff"))
	reg := [16]byte{0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff}
	if vault.setUp[reg] != p.device || vault.approval != done.Approval.ID {
		t.Errorf("set up: %v by %s", vault.setUp, vault.approval)
	}
	opened := must[*integrity.Confirmed](t)(p.do(account.OpenRecovery))
	var result struct{ Ticket []byte }
	if err := json.Unmarshal(opened.Result, &result); err != nil || len(result.Ticket) != 32 {
		t.Fatalf("%s, %v", opened.Result, err)
	}
	hash := sha256.Sum256(result.Ticket)
	mine := must[account.Caller](t)(r.ProveNewcomer(t.Context(), p.message(nil)))
	look := func() (found bool, err error) {
		err = r.opts.View(t.Context(), func(tx integrity.Tx) (err error) {
			_, found, err = r.Ticket(t.Context(), tx, mine, p.account, hash)
			return err
		})
		return found, err
	}
	if found, err := look(); !found || err != nil {
		t.Errorf("%v, %v", found, err)
	}
	if s := p.status(); s.AccountState != account.Active || s.DeviceState != account.Active || s.Hold != nil {
		t.Errorf("a state has changed: %+v", s)
	}
	must[*integrity.Frozen](t)(r.Freeze(t.Context(), p.caller()))
	if found, err := look(); found {
		t.Errorf("after a freeze: %v, %v", found, err)
	}
	if n := len(vault.ended); n != 1 || vault.ended[0] != "" {
		t.Errorf("sessions of %q ended", vault.ended)
	}
	vault.none = true
	second := r.enrol()
	second.signIn()
	if _, err := second.propose(account.OpenRecovery); !errors.Is(err, integrity.ErrNoBackup) {
		t.Errorf("without a PIN: %v", err)
	}
	r.checked()
}
