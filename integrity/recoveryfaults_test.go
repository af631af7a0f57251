package integrity_test

import (
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/store/storetest"
)

// TestRecoveryFaults: each call of the store fails once, before it took effect and
// after, in every part of a recovery: the part is done wholly or not at all, and can
// be done again if it was not.
func TestRecoveryFaults(t *testing.T) {
	vault := func(r *rig) *pinVault { return r.opts.Recovery.(*pinVault) }
	flows := []struct {
		name    string
		prepare func(*rig) func() error
		counts  string
	}{
		{"start", func(r *rig) func() error {
			in := r.enrol().recoverer(vault(r)).starting()
			return func() error { _, err := r.StartRecovery(r.t.Context(), r.anonymous(), in); return err }
		}, "pending"},
		{"finish", func(r *rig) func() error {
			q := r.enrol().recoverer(vault(r))
			in := q.answer(q.ready())
			return func() error { _, err := q.finish(in); return err }
		}, "device"},
		{"open", func(r *rig) func() error {
			p := r.enrol()
			p.signIn()
			in := must[*integrity.Proposed](r.t)(p.propose(account.OpenRecovery))
			c, answer := p.caller(), p.answer(in)
			return func() error { _, err := r.Confirm(r.t.Context(), c, answer); return err }
		}, "pending"},
	}
	for _, flow := range flows {
		t.Run(flow.name, func(t *testing.T) {
			t.Parallel()
			for _, when := range []storetest.When{storetest.Before, storetest.After} {
				for n := 1; ; n++ {
					if fired := faultIn(t, flow.prepare, flow.counts, false, n, when); fired == "" {
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
