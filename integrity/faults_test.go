package integrity_test

import (
	"testing"

	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey/passkeytest"
	"github.com/staunchid/staunch/store/sqlite"
	"github.com/staunchid/staunch/store/storetest"
)

// TestFaults lets each call of the store fail once, before and after it took
// effect, in every flow. The flow says so; nothing of it is left, or all of it;
// and it can be done again.
func TestFaults(t *testing.T) {
	flows := []struct {
		name    string
		prepare func(*rig) func() error // makes what the flow needs, and gives the flow
		counts  string                  // what the flow adds, one row or none
		again   bool                    // it may be done again
	}{
		{"enrol", func(r *rig) func() error {
			answer := r.newPhone(nil).enrolment()
			return func() error { _, err := r.FinishEnrol(r.t.Context(), r.anonymous(), answer); return err }
		}, "account", false},
		{"sign in", func(r *rig) func() error {
			p := r.enrol()
			c, answer := p.caller(), p.assertion()
			return func() error { _, err := r.FinishSignIn(r.t.Context(), c, answer); return err }
		}, "session", false},
		{"new phone", func(r *rig) func() error {
			first := r.newPhone(&passkeytest.Options{Synced: true})
			first.enrolled(must[*integrity.Enrolled](r.t)(r.FinishEnrol(r.t.Context(), r.anonymous(), first.enrolment())))
			_, answer := r.newcomer(first.passkey)
			return func() error { _, err := r.FinishSignIn(r.t.Context(), r.anonymous(), answer); return err }
		}, "device", false},
		{"step up", func(r *rig) func() error {
			p := r.enrol()
			c, answer := p.caller(), p.stepping()
			return func() error { _, err := r.FinishStepUp(r.t.Context(), c, answer); return err }
		}, "audit_entry WHERE action = 'session.stepped_up'", false},
		{"add", func(r *rig) func() error {
			p := r.enrol()
			p.stepUp()
			c, answer := p.caller(), p.adding()
			return func() error { _, err := r.FinishAdd(r.t.Context(), c, answer); return err }
		}, "credential", false},
		{"sign out others", func(r *rig) func() error {
			p := r.enrol()
			p.signIn()
			p.stepUp()
			c := p.caller()
			return func() error { _, err := r.SignOutOthers(r.t.Context(), c); return err }
		}, "session WHERE ended_at IS NOT NULL", true},
	}
	for _, flow := range flows {
		t.Run(flow.name, func(t *testing.T) {
			t.Parallel()
			for _, when := range []storetest.When{storetest.Before, storetest.After} {
				for n := 1; ; n++ {
					if fired := faultIn(t, flow.prepare, flow.counts, flow.again, n, when); fired == "" {
						if n < 8 {
							t.Errorf("only %d calls", n-1)
						}
						break
					}
				}
			}
		})
	}
}

// faultIn runs a flow whose n-th call of the store fails, and names that call.
func faultIn(t *testing.T, prepare func(*rig) func() error, counts string, again bool, n int, when storetest.When) string {
	t.Helper()
	r, _ := pinRig(t)
	defer r.store.Close()
	flow := prepare(r)
	before := r.count(counts)
	good := storetest.Of[*sqlite.Tx](r.store)
	faulty := storetest.NewFaulty(good, n, when)
	r.reopen(func(o *integrity.Options) { o.Update, o.View = storetest.Flows(faulty) })
	err := flow()
	fired := faulty.Fired()
	if (err == nil) != (fired == "") {
		t.Fatalf("call %d (%s) failed, and the flow gives %v", n, fired, err)
	}
	added := r.count(counts) - before
	r.reopen(func(o *integrity.Options) { o.Update, o.View = storetest.Flows(good) })
	r.checked()
	committed := fired == "" || fired == "commit" && when == storetest.After
	if fired != "commit" && (added == 1) != committed {
		t.Fatalf("call %d (%s) failed, and %d rows of %s are there", n, fired, added, counts)
	}
	if added > 1 {
		t.Fatalf("call %d (%s) failed, and %d rows of %s are there", n, fired, added, counts)
	}
	if err := flow(); (err == nil) != (added == 0 || again) {
		t.Fatalf("call %d (%s) failed, %d rows were there, and again the flow gives %v", n, fired, added, err)
	}
	if got := r.count(counts) - before; got != 1 {
		t.Fatalf("call %d (%s) failed, and in the end %d rows of %s are there", n, fired, got, counts)
	}
	return fired
}
