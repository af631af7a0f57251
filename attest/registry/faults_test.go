package registry_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/store/storetest"
)

// TestRegisterFaults drives Register through a store whose n-th call fails,
// before and after it took effect, for every n. Either nothing has happened and
// the same evidence is good for another try, or everything has and the try
// finds the challenge used and the key there.
func TestRegisterFaults(t *testing.T) {
	tests := []struct {
		name     string
		make     func(*rig) *registry.Registration
		decision registry.Decision
		entries  int // audit entries, and events, of one registration
	}{
		{"accepted", func(r *rig) *registry.Registration { return r.androidRegistration() }, registry.Allow, 1},
		{"accepted under an exception", func(r *rig) *registry.Registration { return r.androidRegistration(oldClock) }, registry.Allow, 1},
		{"observed", func(r *rig) *registry.Registration {
			in := r.androidRegistration(unlocked)
			in.Country = "JP"
			return in
		}, registry.Allow, 1},
		{"taken over", func(r *rig) *registry.Registration {
			key := applePhone(r.t).GenerateKey()
			claim := r.appleOf(bob, key, func(d *attesttest.AppleDraft) { d.RPIDHash = make([]byte, 32) })
			claim.Country = "JP"
			r.register(claim)
			return r.appleOf(alice, key)
		}, registry.Allow, 2},
		{"replacing", func(r *rig) *registry.Registration {
			old := r.mustAllow(r.androidRegistration())
			in := r.androidRegistration()
			in.Replaces = old.KeyID
			return in
		}, registry.Allow, 2},
		{"rejected", func(r *rig) *registry.Registration { return r.androidRegistration(unlocked) }, registry.Deny, 1},
	}
	for _, tt := range tests {
		for _, when := range []storetest.When{storetest.Before, storetest.After} {
			t.Run(fmt.Sprintf("%s, after %v", tt.name, when), func(t *testing.T) {
				r := newRig(t, under(t, capped(1000), func(f *attest.PolicyFile) { f.Rollout = []attest.Stage{stage("observe", "JP")} }))
				fired := map[string]bool{}
				for n := 1; ; n++ {
					in := tt.make(r)
					before := r.count()
					faulty := storetest.NewFaulty(r.store, n, when)
					out, err := r.service(faulty).Register(t.Context(), backend, in)
					if faulty.Fired() == "" {
						if err != nil || out.Decision != tt.decision {
							t.Errorf("without a fault: %+v, %v", out, err)
						}
						break
					}
					fired[faulty.Fired()] = true
					if !errors.Is(err, storetest.ErrFault) || out != nil {
						t.Fatalf("fault at call %d, %s: %+v, %v", n, faulty.Fired(), out, err)
					}
					r.mustCheck()
					after := r.count()
					done := after != before
					want := before.plus(tt.decision, tt.entries)
					switch tt.name {
					case "accepted under an exception":
						want.uses++
					case "taken over":
						want.keys--
					}
					if done && after != want {
						t.Fatalf("half done by a fault at call %d, %s: %+v, before %+v", n, faulty.Fired(), after, before)
					}
					if done != r.used(in.Challenge) {
						t.Fatalf("fault at call %d, %s: challenge used is %v, and the rest %v", n, faulty.Fired(), !done, done)
					}
					again := r.register(in)
					switch {
					case done && !again.Verdict.Has("common.challenge_used"):
						t.Errorf("another try after everything had happened: %+v", again.Verdict.Findings)
					case !done && again.Decision != tt.decision:
						t.Errorf("another try after nothing had happened: %+v", again.Verdict.Findings)
					}
					if done && faulty.Fired() != "commit" {
						t.Errorf("a fault at %s was committed", faulty.Fired())
					}
				}
				for _, name := range []string{"begin", "Challenge", "UseChallenge", "AppendAudit", "AppendEvent", "AddEvidence", "ExceptionUses", "AddStat", "commit"} {
					if !fired[name] {
						t.Errorf("no fault at %s: %v", name, fired)
					}
				}
			})
		}
	}
}

// TestCreateChallengeFaults: a challenge that was handed out is in the store.
func TestCreateChallengeFaults(t *testing.T) {
	r := newRig(t)
	for _, when := range []storetest.When{storetest.Before, storetest.After} {
		for n := 1; ; n++ {
			faulty := storetest.NewFaulty(r.store, n, when)
			c, err := r.service(faulty).CreateChallenge(t.Context(), backend, &registry.ChallengeRequest{App: "demo", Account: alice, Purpose: registry.PurposeRegister})
			if faulty.Fired() == "" {
				if err != nil || r.used(c.Challenge) {
					t.Errorf("without a fault: %v", err)
				}
				break
			}
			if !errors.Is(err, storetest.ErrFault) || c != nil {
				t.Errorf("fault at %s: %+v, %v", faulty.Fired(), c, err)
			}
		}
	}
}

// TestSweepFaults: a sweep that was cut off is finished by the next one.
func TestSweepFaults(t *testing.T) {
	r := newRig(t)
	for _, when := range []storetest.When{storetest.Before, storetest.After} {
		for n := 1; ; n++ {
			r.mustAllow(r.androidRegistration())
			r.advance(40 * 24 * time.Hour)
			faulty := storetest.NewFaulty(r.store, n, when)
			err := r.service(faulty).Sweep(t.Context())
			if faulty.Fired() == "" {
				if err != nil {
					t.Error(err)
				}
				break
			}
			if !errors.Is(err, storetest.ErrFault) {
				t.Errorf("fault at %s: %v", faulty.Fired(), err)
			}
			if err := r.Sweep(t.Context()); err != nil {
				t.Error(err)
			}
			if all := r.rows("attest_challenge"); all != 0 {
				t.Errorf("%d challenges are left", all)
			}
			if all := r.rows("attest_evidence"); all != 0 {
				t.Errorf("%d pieces of evidence are left", all)
			}
			r.advance(-40 * 24 * time.Hour)
		}
	}
	r.mustCheck()
}

// counts is what a registration leaves behind.
type counts struct{ keys, evidence, entries, events, uses, attempts int }

// plus is what one more registration makes of them.
func (c counts) plus(d registry.Decision, entries int) counts {
	c.evidence++
	c.attempts++
	c.entries += entries
	c.events += entries
	if d == registry.Allow {
		c.keys++
	}
	return c
}

func (r *rig) count() counts {
	r.t.Helper()
	return counts{
		r.rows("attest_key"), r.rows("attest_evidence"), r.rows("audit_entry"), r.rows("outbox"),
		r.sum("uses", "attest_exception_use WHERE account = x''"), r.sum("count", "attest_stat WHERE code = ''"),
	}
}

// sum adds up a column of rows in the file, beside the store.
func (r *rig) sum(column, from string) int {
	r.t.Helper()
	return r.scalar("SELECT coalesce(sum(" + column + "), 0) FROM " + from)
}

func (r *rig) used(challenge []byte) bool {
	r.t.Helper()
	var used bool
	err := r.store.View(r.t.Context(), func(tx storetest.Tx) error {
		c, err := tx.Challenge(r.t.Context(), sha256.Sum256(challenge))
		used = !c.Used.IsZero()
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return used
}
