package integrity_test

import (
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/event"
	"github.com/staunchid/staunch/integrity"
)

// TestSweep: what is of no use goes, what is of use stays.
func TestSweep(t *testing.T) {
	const day = 24 * time.Hour
	r := newRig(t)
	p := r.enrol()
	p.assertion()
	p.signIn()
	p.stepUp()
	must[*integrity.Ended](t)(r.SignOutOthers(t.Context(), p.caller()))
	sweep := func() {
		t.Helper()
		if err := r.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	want := func(when string, ceremonies, sessions, alerts, rates int) {
		t.Helper()
		if a, b, c := r.count("ceremony"), r.count("session"), r.count("alert"); a != ceremonies || b != sessions || c != alerts {
			t.Errorf("%s: %d ceremonies, %d sessions, %d alerts; want %d, %d, %d", when, a, b, c, ceremonies, sessions, alerts)
		}
		if n := r.count("rate"); (n > 0) != (rates > 0) {
			t.Errorf("%s: %d buckets", when, n)
		}
	}
	sweep()
	want("at once", 4, 2, 1, 1)
	r.advance(5*time.Minute + time.Second)
	sweep()
	want("after the ceremonies", 0, 2, 1, 1)
	r.advance(23 * time.Hour)
	sweep()
	want("before a day is over", 0, 2, 1, 1)
	r.advance(29*day + time.Hour)
	sweep()
	want("after a month", 0, 1, 1, 0)
	p.caller()
	r.advance(61 * day)
	sweep()
	want("after three months", 0, 1, 0, 0)
	r.checked()
}

// TestPolicy: every value must be there, and make sense.
func TestPolicy(t *testing.T) {
	for want, change := range map[string]func(*integrity.Policy){
		"synced_new_device":    func(p *integrity.Policy) { p.SyncedNewDevice = "" },
		"synced_ok":            func(p *integrity.Policy) { p.SyncedOK = nil },
		"no hosts":             func(p *integrity.Policy) { p.AppHosts = nil },
		"session.person":       func(p *integrity.Policy) { p.Windows.Person = 0 },
		"session.fresh":        func(p *integrity.Policy) { p.Windows.Fresh = -1 },
		"session.phone":        func(p *integrity.Policy) { p.Sessions.Phone = 0 },
		"hold.add":             func(p *integrity.Policy) { p.Holds.Add = time.Minute },
		"wait.unfreeze":        func(p *integrity.Policy) { p.Waits.Unfreeze = time.Minute },
		"wait.recovery_frozen": func(p *integrity.Policy) { p.Waits.RecoveryFrozen = 0 },
		"limit.begin_network":  func(p *integrity.Policy) { p.Limits.BeginNetwork.N = 0 },
		"limit.failed_network": func(p *integrity.Policy) { p.Limits.FailedNetwork = integrity.Limit{} },
		"limit.audit_refusal":  func(p *integrity.Policy) { p.Limits.AuditRefusal.Per = 0 },
		"limit.join":           func(p *integrity.Policy) { p.Limits.Join.Burst = -1 },
	} {
		p := demoPolicy()
		if err := p.Validate(); err != nil {
			t.Fatal(err)
		}
		change(&p)
		if err := p.Validate(); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "integrity: ") {
			t.Errorf("%s: %v", want, err)
		}
	}
	short := demoPolicy()
	short.Holds.Add, short.ShortWaits = time.Minute, true
	if err := short.Validate(); err != nil {
		t.Errorf("short waits are allowed: %v", err)
	}
	if err := new(integrity.Policy).Validate(); err == nil {
		t.Error("the zero policy is good")
	}
}

// TestOptions: what New refuses.
func TestOptions(t *testing.T) {
	r := newRig(t)
	for name, change := range map[string]func(*integrity.Options){
		"app":        func(o *integrity.Options) { o.App = "" },
		"passkey":    func(o *integrity.Options) { o.Passkey = nil },
		"attest":     func(o *integrity.Options) { o.Attest = nil },
		"update":     func(o *integrity.Options) { o.Update = nil },
		"view":       func(o *integrity.Options) { o.View = nil },
		"row key":    func(o *integrity.Options) { o.RowKey = o.RowKey[:31] },
		"rate key":   func(o *integrity.Options) { o.RateKey = nil },
		"fake key":   func(o *integrity.Options) { o.FakeKey = nil },
		"the policy": func(o *integrity.Options) { o.Policy = integrity.Policy{} },
	} {
		o := r.opts
		change(&o)
		if _, err := integrity.New(&o); err == nil {
			t.Errorf("without %s", name)
		}
	}
	if got := (integrity.Token{1}).String(); got != "[redacted]" {
		t.Errorf("a token prints as %s", got)
	}
}

// TestEventsSwept: an event goes a week after it happened, when the backend has
// asked for what comes after it, and the clock has looked at it.
func TestEventsSwept(t *testing.T) {
	r := newRig(t)
	r.enrol()
	r.tick()
	if err := r.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	all := must[[]event.Event](t)(r.PollEvents(t.Context(), r.backend(), 0, 100))
	last := all[len(all)-1].ID
	must[[]event.Event](t)(r.PollEvents(t.Context(), r.backend(), last, 100))
	must[[]event.Event](t)(r.PollEvents(t.Context(), r.backend(), 0, 100)) // who looks again is done all the same
	for _, step := range []struct {
		wait time.Duration
		left int
	}{{7*24*time.Hour - time.Second, len(all)}, {2 * time.Second, 0}} {
		r.advance(step.wait)
		if err := r.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := r.count("outbox WHERE id <= ?", last); n != step.left {
			t.Errorf("after %s, %d events are left, want %d", step.wait, n, step.left)
		}
	}
	r.enrol()
	r.tick()
	r.advance(8 * 24 * time.Hour)
	if err := r.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r.count("outbox") == 0 {
		t.Error("events are gone that the backend has not asked for")
	}
}
