package registry_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/store/storetest"
)

// risky has one risk rule that rejects.
func risky(signal string, atLeast uint64) func(*attest.PolicyFile) {
	return func(f *attest.PolicyFile) {
		f.Risk = []attest.RiskFile{{Signal: signal, AtLeast: atLeast, Effect: attest.Reject}}
	}
}

// signals are those in the evidence of a decision.
func (r *rig) signals(evidence string) map[string]uint64 {
	r.t.Helper()
	var e registry.Evidence
	err := r.store.View(r.t.Context(), func(tx storetest.Tx) (err error) {
		e, _, err = tx.Evidence(r.t.Context(), evidence)
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	var b attest.Bundle
	if err := json.Unmarshal(e.Bundle, &b); err != nil {
		r.t.Fatal(err)
	}
	return b.Expect.Signals
}

// batchPhone is a phone whose batch certificate was put in at the factory, or
// fetched from Google.
func batchPhone(t testing.TB, rkp bool) *attesttest.AndroidPhone {
	p := androidPhone(t)
	if !rkp {
		p.Provisioning = attesttest.Factory
	}
	return p
}

// TestSignalsCountThisOne: a rule sees the registration that it judges, and the
// verdict is the same again in a replay.
func TestSignalsCountThisOne(t *testing.T) {
	tests := []struct {
		name, signal string
		rkp          bool
	}{
		{"keys of an account", attest.KeysPerAccount30Days, true},
		{"factory batch", attest.BatchRateFactory, false},
		{"batch of one phone", attest.BatchRateRKP, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, under(t, risky(tt.signal, 3)))
			phone := batchPhone(t, tt.rkp)
			next := func() *registry.Registration {
				c := r.challenge(alice)
				key, err := phone.GenerateKey(r.clock(), c)
				if err != nil {
					t.Fatal(err)
				}
				return &registry.Registration{App: "demo", Account: alice, Challenge: c, CertificateChain: key.Chain()}
			}
			for n := uint64(1); n <= 2; n++ {
				out := r.mustAllow(next())
				if got := r.signals(out.Evidence)[tt.signal]; got != n {
					t.Errorf("signal is %d in the evidence, want %d", got, n)
				}
				r.mustReplay(out.Evidence)
			}
			out := r.mustDeny(next(), "common.risk", registry.AdviceContact)
			if out.Verdict.Tier != attest.TierContraindicated || !strings.Contains(fmt.Sprint(out.Verdict.Findings), tt.signal+" is 3") {
				t.Errorf("tier %s: %+v", out.Verdict.Tier, out.Verdict.Findings)
			}
			r.mustReplay(out.Evidence)
			if n := r.rows("attest_key"); n != 2 {
				t.Errorf("%d keys", n)
			}
			r.mustCheck()
		})
	}
}

// TestSignalsOfOthers: what belongs to another account, to another batch or to
// the other kind of batch counts nothing.
func TestSignalsOfOthers(t *testing.T) {
	r := newRig(t, under(t, func(f *attest.PolicyFile) {
		f.Risk = []attest.RiskFile{
			{Signal: attest.KeysPerAccount30Days, AtLeast: 2, Effect: attest.Reject},
			{Signal: attest.BatchRateFactory, AtLeast: 1, Effect: attest.Reject},
			{Signal: attest.BatchRateRKP, AtLeast: 2, Effect: attest.Reject},
		}
	}))
	r.mustAllow(r.registrationOf(alice))
	r.mustAllow(r.registrationOf(bob, func(d *attesttest.AndroidDraft) {})) // another phone, another batch
	in := r.appleRegistration(applePhone(t).GenerateKey())
	out := r.mustDeny(in, "common.risk", registry.AdviceContact) // alice's second
	if s := r.signals(out.Evidence); s[attest.KeysPerAccount30Days] != 2 || len(s) != 1 {
		t.Errorf("signals %v", s)
	}
}

// TestSignalsOnceAKey: to attest a key again does not count again.
func TestSignalsOnceAKey(t *testing.T) {
	r := newRig(t, under(t, risky(attest.KeysPerAccount30Days, 2)))
	key := applePhone(t).GenerateKey()
	for range 3 {
		out := r.mustAllow(r.appleRegistration(key))
		if got := r.signals(out.Evidence)[attest.KeysPerAccount30Days]; got != 1 {
			t.Errorf("counts %d", got)
		}
	}
	r.mustDeny(r.appleRegistration(applePhone(t).GenerateKey()), "common.risk", registry.AdviceContact)
}

// TestSignalWindows: registrations leave the count when their time is over. A
// clock that goes back forgets none of them.
func TestSignalWindows(t *testing.T) {
	tests := []struct {
		signal string
		window time.Duration
	}{{attest.BatchRateRKP, time.Hour}, {attest.KeysPerAccount30Days, 30 * 24 * time.Hour}}
	for _, tt := range tests {
		for ahead, want := range map[time.Duration]uint64{0: 2, tt.window - time.Microsecond: 2, tt.window: 1, -time.Hour: 2} {
			r := newRig(t, under(t, risky(tt.signal, 9)))
			phone := batchPhone(t, tt.signal == attest.BatchRateRKP)
			var out *registry.Registered
			for i := range 2 {
				if i == 1 {
					r.advance(ahead)
				}
				c := r.challenge(alice)
				key, err := phone.GenerateKey(noon, c)
				if err != nil {
					t.Fatal(err)
				}
				out = r.register(&registry.Registration{App: "demo", Account: alice, Challenge: c, CertificateChain: key.Chain()})
			}
			if got := r.signals(out.Evidence)[tt.signal]; got != want {
				t.Errorf("%s, %s later: %d, want %d", tt.signal, ahead, got, want)
			}
		}
	}
}

// TestRiskMetric: what Apple last said of a key counts when it is attested again.
func TestRiskMetric(t *testing.T) {
	r := newRig(t, under(t, risky(attest.RiskMetric, 4)))
	key := applePhone(t).GenerateKey()
	out := r.mustAllow(r.appleRegistration(key))
	if _, ok := r.signals(out.Evidence)[attest.RiskMetric]; ok {
		t.Error("a new key has a metric")
	}
	for metric, allowed := range map[uint32]bool{3: true, 4: false} {
		err := r.store.Update(t.Context(), func(tx storetest.Tx) error {
			receipt, _, err := tx.AttestedReceipt(t.Context(), out.KeyID)
			if err != nil {
				return err
			}
			receipt.Metric, receipt.MetricAt = &metric, noon
			return tx.PutReceipt(t.Context(), receipt)
		})
		if err != nil {
			t.Fatal(err)
		}
		again := r.register(r.appleRegistration(key))
		if (again.Decision == registry.Allow) != allowed || r.signals(again.Evidence)[attest.RiskMetric] != uint64(metric) {
			t.Errorf("metric %d: %s, %v", metric, again.Decision, r.signals(again.Evidence))
		}
		r.mustReplay(again.Evidence)
	}
}

// TestNoSignalsAfterHardFinding: what nobody vouches for counts nothing.
func TestNoSignalsAfterHardFinding(t *testing.T) {
	r := newRig(t, under(t, risky(attest.KeysPerAccount30Days, 1)))
	out := r.mustDeny(r.androidRegistration(revokedIssuer), "android.revoked", registry.AdviceContact)
	if out.Verdict.Has("common.risk") || len(r.signals(out.Evidence)) != 0 {
		t.Errorf("signals %v: %+v", r.signals(out.Evidence), out.Verdict.Findings)
	}
	r.mustReplay(out.Evidence)
}

// TestSignalsAtOnce: a rule that rejects holds for registrations that are all
// verified before the first of them is stored. One that warns is a hint.
func TestSignalsAtOnce(t *testing.T) {
	for _, signal := range []string{attest.BatchRateRKP, attest.BatchRateFactory, attest.KeysPerAccount30Days} {
		for _, effect := range []attest.Effect{attest.Reject, attest.Warn} {
			r := newRig(t, under(t, risky(signal, 3), func(f *attest.PolicyFile) { f.Risk[0].Effect = effect }))
			phone := batchPhone(t, signal != attest.BatchRateFactory)
			var all []*registry.Attempt
			for range 4 {
				c := r.challenge(alice)
				key, err := phone.GenerateKey(r.clock(), c)
				if err != nil {
					t.Fatal(err)
				}
				a, err := r.Verify(t.Context(), backend, &registry.Registration{App: "demo", Account: alice, Challenge: c, CertificateChain: key.Chain()})
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, a)
			}
			update, _ := storetest.Registry(r.store)
			for i, a := range all {
				var out *registry.Registered
				err := update(t.Context(), func(tx registry.Tx) (err error) {
					out, err = a.Commit(t.Context(), tx, registry.StateActive)
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				if allowed := i < 2 || effect == attest.Warn; (out.Decision == registry.Allow) != allowed || out.Verdict.Has("common.risk") == allowed {
					t.Errorf("%s, %s, %d.: %s: %+v", signal, effect, i+1, out.Decision, out.Verdict.Findings)
				}
				want := uint64(1)
				if effect == attest.Reject {
					want = min(uint64(i)+1, 3)
				}
				if got := r.signals(out.Evidence)[signal]; got != want {
					t.Errorf("%s, %s, %d.: %d in the evidence, want %d", signal, effect, i+1, got, want)
				}
				r.mustReplay(out.Evidence)
			}
			r.mustCheck()
		}
	}
}
