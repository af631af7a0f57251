package registry_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/store/storetest"
)

// capped is a strict policy with an exception for phones whose clock was never
// set, good for max accepted registrations a day.
func capped(max int) func(*attest.PolicyFile) {
	return func(f *attest.PolicyFile) {
		f.App[0].Android.Profile = attest.ProfileStrict
		f.Exception = []attest.Exception{{
			ID: "old-clock", Apps: []string{"demo"}, Check: "leaf_validity", Position: 0,
			Match: &attest.MatchFile{Models: []attest.ModelFile{{Manufacturer: attesttest.DemoManufacturer, Model: attesttest.DemoModel}}},
			Owner: "test", Ticket: "TEST-1", Reason: "the clock was never set",
			NotBefore: noon.Add(-72 * time.Hour), Expires: noon.Add(72 * time.Hour), MaxUsesPerDay: max,
		}}
	}
}

// oldClock is the deviation that the exception relaxes.
func oldClock(d *attesttest.AndroidDraft) {
	d.Chain[0].NotBefore, d.Chain[0].NotAfter = noon.Add(-2000*time.Hour), noon.Add(-1000*time.Hour)
}

// registrationOf is a good one of an account, but for the phone.
func (r *rig) registrationOf(id account.ID, opts ...attesttest.AndroidOption) *registry.Registration {
	r.t.Helper()
	c := r.challenge(id)
	key, err := androidPhone(r.t).GenerateKey(r.clock(), c, opts...)
	if err != nil {
		r.t.Fatal(err)
	}
	return &registry.Registration{App: "demo", Account: id, Challenge: c, CertificateChain: key.Chain()}
}

// mustReplay fails the test unless the evidence gives the same verdict again.
func (r *rig) mustReplay(evidence string) {
	r.t.Helper()
	var e registry.Evidence
	err := r.store.View(r.t.Context(), func(tx storetest.Tx) (err error) {
		e, _, err = tx.Evidence(r.t.Context(), evidence)
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	b, err := attest.ParseBundle(e.Bundle)
	if err != nil {
		r.t.Fatal(err)
	}
	replay, err := r.opts.Verifier.Replay(b)
	if err != nil || !replay.Equal {
		r.t.Errorf("replay: %+v, %v", replay, err)
	}
}

// uses counts the uses of the exception, in all and by account.
func (r *rig) uses() (total, accounts int) {
	r.t.Helper()
	return r.sum("uses", "attest_exception_use WHERE account = x''"), r.rows("attest_exception_use WHERE account <> x''")
}

// mustSpend registers what must be refused because the cap is reached.
func (r *rig) mustSpend(in *registry.Registration) *registry.Registered {
	r.t.Helper()
	out := r.mustDeny(in, "android.leaf_validity", registry.AdviceNewKey)
	if !out.Verdict.Has("common.exception_inactive") || out.Verdict.Has("common.exception_used") {
		r.t.Errorf("findings %+v", out.Verdict.Findings)
	}
	r.mustReplay(out.Evidence)
	return out
}

// TestCap: an exception is good for so many accepted registrations a day, over
// all servers of a store.
func TestCap(t *testing.T) {
	r := newRig(t, under(t, capped(3)))
	for _, id := range []account.ID{alice, alice, bob} {
		out := r.mustAllow(r.registrationOf(id, oldClock))
		if !out.Verdict.Has("common.exception_used") {
			t.Errorf("findings %+v", out.Verdict.Findings)
		}
		r.mustReplay(out.Evidence)
	}
	if total, accounts := r.uses(); total != 3 || accounts != 2 {
		t.Errorf("%d uses by %d accounts", total, accounts)
	}
	r.mustSpend(r.registrationOf(bob, oldClock))
	r.Service = r.service(r.store) // another server
	r.mustSpend(r.registrationOf(bob, oldClock))
	r.mustAllow(r.registrationOf(bob)) // who needs no exception
	if total, accounts := r.uses(); total != 3 || accounts != 2 {
		t.Errorf("%d uses by %d accounts after refusals", total, accounts)
	}
	r.mustCheck()
}

// TestCapDay: a cap is for a day in UTC. A clock that goes back a day finds what
// was used on that day.
func TestCapDay(t *testing.T) {
	r := newRig(t, under(t, capped(1)))
	r.mustAllow(r.registrationOf(alice, oldClock))
	r.advance(12*time.Hour - time.Microsecond)
	r.mustSpend(r.registrationOf(alice, oldClock))
	r.advance(time.Microsecond) // midnight
	r.mustAllow(r.registrationOf(alice, oldClock))
	r.advance(-24 * time.Hour)
	r.mustSpend(r.registrationOf(alice, oldClock)) // of the day on which the first was
	r.advance(-24 * time.Hour)
	r.mustAllow(r.registrationOf(alice, oldClock)) // of one on which there was none
	r.advance(48 * time.Hour)
	r.mustSpend(r.registrationOf(alice, oldClock))
}

// TestCapCountsAccepted: what is refused, or let in without being accepted,
// uses nothing.
func TestCapCountsAccepted(t *testing.T) {
	for _, mode := range []string{"enforce", "observe"} {
		r := newRig(t, under(t, capped(1), func(f *attest.PolicyFile) { f.Rollout = []attest.Stage{stage(mode)} }))
		out := r.register(r.registrationOf(alice, oldClock, unlocked))
		if !out.Verdict.Has("common.exception_used") || out.Verdict.Accept() {
			t.Errorf("findings %+v", out.Verdict.Findings)
		}
		if total, _ := r.uses(); total != 0 {
			t.Errorf("%s: %d uses", mode, total)
		}
		r.mustAllow(r.registrationOf(alice, oldClock))
	}
}

// TestCapSpentMeanwhile: a cap that is reached while evidence is verified is
// judged again when it is committed, and that verdict is what is answered,
// recorded and replayed.
func TestCapSpentMeanwhile(t *testing.T) {
	r := newRig(t, under(t, capped(1)))
	var overtake func()
	o := *r.opts
	o.Update, o.View = storetest.Registry(r.store)
	verifier := o.Verifier
	o.TestingOnlyVerify(func(ev attest.Evidence, want attest.Expect, p *attest.Policy, now time.Time) (attest.Verdict, error) {
		v, err := verifier.Verify(ev, want, p, now)
		if overtake != nil {
			first := overtake
			overtake = nil
			first()
		}
		return v, err
	})
	slow, err := registry.New(&o)
	if err != nil {
		t.Fatal(err)
	}
	fast := r.Service
	in, other := r.registrationOf(alice, oldClock), r.registrationOf(bob, oldClock)
	overtake = func() { r.mustAllow(other) }
	r.Service = slow
	r.mustSpend(in)
	r.Service = fast
	if total, accounts := r.uses(); total != 1 || accounts != 1 || r.rows("attest_key") != 1 {
		t.Errorf("%d uses by %d accounts", total, accounts)
	}
	if e := r.lastEntry(alice); !strings.Contains(e.Reason, "android.leaf_validity") {
		t.Errorf("entry %+v", e)
	}
	r.mustCheck()
}

// TestCapTogether: of many at the same time, as many as the cap allows.
func TestCapTogether(t *testing.T) {
	const max, calls = 3, 12
	r := newRig(t, under(t, capped(max)))
	all := make([]*registry.Registration, calls)
	for i := range all {
		all[i] = r.registrationOf(alice, oldClock)
	}
	var wg sync.WaitGroup
	out := make([]*registry.Registered, calls)
	for i := range all {
		wg.Go(func() {
			var err error
			if out[i], err = r.Register(t.Context(), backend, all[i]); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	allowed := 0
	for _, o := range out {
		if o.Decision == registry.Allow {
			allowed++
		}
		r.mustReplay(o.Evidence)
	}
	if total, _ := r.uses(); allowed != max || total != max || r.rows("attest_key") != max {
		t.Errorf("%d were accepted, %d uses, want %d", allowed, total, max)
	}
}

// TestCapPrivacy: who used an exception is not stored in the clear, nor under a
// hash that stays the same.
func TestCapPrivacy(t *testing.T) {
	r := newRig(t, under(t, capped(9)))
	r.mustAllow(r.registrationOf(alice, oldClock))
	r.advance(24 * time.Hour)
	r.mustAllow(r.registrationOf(alice, oldClock))
	if n := r.rows("(SELECT DISTINCT account FROM attest_exception_use WHERE account <> x'')"); n != 2 {
		t.Errorf("%d hashes of one account on two days", n)
	}
	if n := r.rows("attest_exception_use WHERE instr(account, '" + string(alice) + "') OR length(account) NOT IN (0, 16)"); n != 0 {
		t.Errorf("%d rows name the account", n)
	}
}

// TestSweepUses: uses are kept for forty days.
func TestSweepUses(t *testing.T) {
	r := newRig(t, under(t, capped(9)))
	r.mustAllow(r.registrationOf(alice, oldClock))
	r.advance(40 * 24 * time.Hour)
	if err := r.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := r.rows("attest_exception_use"); n != 2 {
		t.Errorf("after 40 days: %d rows", n)
	}
	r.advance(24 * time.Hour)
	if err := r.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := r.rows("attest_exception_use"); n != 0 {
		t.Errorf("after 41 days: %d rows", n)
	}
}
