package integrity_test

import (
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/store/storetest"
)

// TestJoinFaults: each call of the store fails once, before it took effect and
// after, in every part of a join: the part is done wholly or not at all, and can
// be done again if it was not.
func TestJoinFaults(t *testing.T) {
	flows := []struct {
		name    string
		prepare func(*rig) func() error
		counts  string
		again   bool
	}{
		{"request", func(r *rig) func() error {
			_, in := r.joining()
			return func() error { _, err := r.RequestJoin(r.t.Context(), r.anonymous(), in); return err }
		}, "joining", false},
		{"approve", func(r *rig) func() error {
			old, j := r.enrol(), r.join()
			in := must[*integrity.Proposed](r.t)(old.propose(account.AddDevice, "join", j.open.Join, "number", j.open.Number))
			c, answer := old.caller(), old.answer(in)
			return func() error { _, err := r.Confirm(r.t.Context(), c, answer); return err }
		}, "joining WHERE state = 'confirmed'", false},
		{"finish", func(r *rig) func() error {
			old, j := r.enrol(), r.join()
			old.letIn(j.open)
			answer := j.answer()
			return func() error { _, err := j.finish(answer); return err }
		}, "device", false},
		{"guest", func(r *rig) func() error {
			old, tv := r.enrol(), r.newBrowser()
			page := tv.join(integrity.JoinGuest)
			must[*integrity.Confirmed](r.t)(old.do(account.ApproveGuest, "join", page.Join, "number", page.Number))
			return func() error { _, err := tv.joinStatus(page.Join); return err }
		}, "session WHERE kind = 'guest'", true},
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
