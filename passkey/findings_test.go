package passkey_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// lenient is the sample policy of the design.
func lenient() passkey.Policy {
	return passkey.Policy{
		CounterRegress: passkey.Refuse, CounterRegressSynced: passkey.Raise, BackupEligibleChanged: passkey.Refuse,
		BackupStateChanged: passkey.Raise, PRFMissing: passkey.Note,
	}
}

func TestAppraise(t *testing.T) {
	const be, bs = passkeytest.BackupEligible, passkeytest.BackupState
	count := func(n uint32) passkeytest.Change { return func(d *passkeytest.Draft) { d.SignCount = n } }
	tests := []struct {
		name   string
		synced bool
		stored uint32 // counter
		change passkeytest.Change
		found  []passkey.Code
		effect passkey.Effect // under the sample policy
	}{
		{"device-bound", false, 0, count(0), nil, passkey.Note},
		{"synced", true, 0, count(0), nil, passkey.Note},
		{"counter goes up", false, 5, count(6), nil, passkey.Note},
		{"counter begins", false, 0, count(1), nil, passkey.Note},
		{"counter stays", false, 5, count(5), []passkey.Code{passkey.CounterRegress}, passkey.Refuse},
		{"counter goes down", false, 5, count(4), []passkey.Code{passkey.CounterRegress}, passkey.Refuse},
		{"counter to zero", false, 5, count(0), []passkey.Code{passkey.CounterRegress}, passkey.Refuse},
		{"counter of a synced one", true, 5, count(4), []passkey.Code{passkey.CounterRegress}, passkey.Raise},
		{"becomes eligible", false, 0, flags(0, be), []passkey.Code{passkey.BackupEligibleChanged}, passkey.Refuse},
		{"becomes synced at once", false, 0, flags(0, be|bs), []passkey.Code{passkey.BackupEligibleChanged, passkey.BackupStateChanged}, passkey.Refuse},
		{"no longer eligible", true, 0, flags(be|bs, 0), []passkey.Code{passkey.BackupEligibleChanged, passkey.BackupStateChanged}, passkey.Refuse},
		{"no longer synced", true, 0, flags(bs, 0), []passkey.Code{passkey.BackupStateChanged}, passkey.Raise},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, &passkeytest.Options{Synced: tt.synced})
			stored := w.registered()
			stored.Count = tt.stored
			c, response := w.asserted(tt.change)
			a, err := w.rp.VerifyAssertion(c, w.user, stored, response, now)
			must(t, err)
			sample := lenient()
			effect, found := sample.Appraise(a)
			var codes []passkey.Code
			for _, f := range found {
				codes = append(codes, f.Code)
			}
			if !slices.Equal(codes, tt.found) || effect != tt.effect {
				t.Errorf("%v %s, want %v %s", codes, effect, tt.found, tt.effect)
			}
			// Nothing said is nothing allowed.
			if effect, found := new(passkey.Policy).Appraise(a); len(found) > 0 && effect != passkey.Refuse {
				t.Errorf("the empty policy: %s", effect)
			}
		})
	}
}

// TestBackupEligibleDriftNeedsSignature: a changed flag is a finding under a
// good signature, and nothing under a bad one.
func TestBackupEligibleDriftNeedsSignature(t *testing.T) {
	w := newWorld(t, &passkeytest.Options{})
	stored := w.registered()
	c, response := w.asserted(flags(0, passkeytest.BackupEligible), passkeytest.Edit(passkeytest.Signature, passkeytest.Flip))
	if a, err := w.rp.VerifyAssertion(c, w.user, stored, response, now); err == nil {
		t.Errorf("taken: %+v", a)
	}
}

// TestBackupEligibleNeverRewritten: whatever is asserted, the row keeps what was
// registered, so the finding comes every time.
func TestBackupEligibleNeverRewritten(t *testing.T) {
	for _, synced := range []bool{false, true} {
		w := newWorld(t, &passkeytest.Options{Synced: synced})
		stored := w.registered()
		before := stored.Record
		clear, set := byte(0), passkeytest.BackupEligible
		if synced {
			clear, set = passkeytest.BackupEligible|passkeytest.BackupState, 0
		}
		for i := range 3 {
			c, response := w.asserted(flags(clear, set))
			a, err := w.rp.VerifyAssertion(c, w.user, stored, response, now)
			must(t, err)
			if !a.BackupEligibleChanged || a.BackupEligible != synced {
				t.Fatalf("use %d: changed %t, eligible %t", i, a.BackupEligibleChanged, a.BackupEligible)
			}
			stored = a.Next(stored)
			if got := stored.Flags&passkeytest.BackupEligible != 0; got != synced {
				t.Fatalf("use %d: the row says eligible %t", i, got)
			}
			if d := cmp.Diff(before, stored.Record); d != "" {
				t.Fatal("the record changed: " + d)
			}
		}
	}
}

func TestNext(t *testing.T) {
	s := passkey.Stored{Flags: 0x05, Count: 9, Suspect: true}
	a := passkey.Assertion{Flags: 0x15, Count: 3}
	if d := cmp.Diff(passkey.Stored{Flags: 0x15, Count: 9, Suspect: true}, a.Next(s)); d != "" {
		t.Error(d)
	}
	a.Count = 10
	if n := a.Next(s); n.Count != 10 {
		t.Errorf("count %d", n.Count)
	}
}

func TestAppraiseRegistration(t *testing.T) {
	good := passkey.Registration{PRF: true}
	tests := []struct {
		name   string
		change func(*passkey.Registration)
		code   passkey.Code
		set    func(*passkey.Policy, passkey.Effect)
	}{
		{"prf", func(r *passkey.Registration) { r.PRF = false }, passkey.PRFMissing, func(p *passkey.Policy, e passkey.Effect) { p.PRFMissing = e }},
		{"unknown", func(r *passkey.Registration) { r.ModelUnknown = true }, passkey.ModelUnknown, func(p *passkey.Policy, e passkey.Effect) { p.ModelUnknown = e }},
		{"status", func(r *passkey.Registration) { r.ModelStatus = "REVOKED" }, passkey.ModelStatus, func(p *passkey.Policy, e passkey.Effect) { p.ModelStatus = e }},
		{"attestation", func(r *passkey.Registration) { r.AttestationUntrusted = "none" }, passkey.AttestationUntrusted, func(p *passkey.Policy, e passkey.Effect) { p.AttestationUntrusted = e }},
	}
	if effect, found := new(passkey.Policy).AppraiseRegistration(&good); effect != passkey.Note || found != nil {
		t.Errorf("nothing odd: %s %v", effect, found)
	}
	for _, tt := range tests {
		for _, want := range []passkey.Effect{passkey.Refuse, passkey.Raise, passkey.Note} {
			r := good
			tt.change(&r)
			var p passkey.Policy
			tt.set(&p, want)
			effect, found := p.AppraiseRegistration(&r)
			if effect != want || len(found) != 1 || found[0].Code != tt.code || found[0].Effect != want {
				t.Errorf("%s, %s: %s %v", tt.name, want, effect, found)
			}
		}
	}
	all := passkey.Registration{ModelUnknown: true, ModelStatus: "x", AttestationUntrusted: "y"}
	p := passkey.Policy{PRFMissing: passkey.Note, ModelUnknown: passkey.Raise, ModelStatus: passkey.Refuse, AttestationUntrusted: passkey.Note}
	if effect, found := p.AppraiseRegistration(&all); effect != passkey.Refuse || len(found) != 4 {
		t.Errorf("the strictest counts: %s %v", effect, found)
	}
}

func TestAppraiseNothing(t *testing.T) {
	p := lenient()
	if e, _ := p.Appraise(nil); e != passkey.Refuse {
		t.Errorf("no assertion: %s", e)
	}
	if e, _ := p.AppraiseRegistration(nil); e != passkey.Refuse {
		t.Errorf("no registration: %s", e)
	}
	p.PRFMissing = 99
	if e, _ := p.AppraiseRegistration(&passkey.Registration{}); e != passkey.Refuse {
		t.Errorf("an effect that is none: %s", e)
	}
}

func TestEffect(t *testing.T) {
	for _, e := range []passkey.Effect{passkey.Refuse, passkey.Raise, passkey.Note} {
		got, err := passkey.ParseEffect(e.String())
		if err != nil || got != e {
			t.Errorf("%s: %s, %v", e, got, err)
		}
	}
	for _, text := range []string{"", "Refuse", "accept", "Effect(3)"} {
		if got, err := passkey.ParseEffect(text); err == nil || got != passkey.Refuse {
			t.Errorf("%q: %s, %v", text, got, err)
		}
	}
}
