package registry_test

import (
	"testing"
	"time"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/registry"
)

// TestRegisterBehindTheList: a list that comes into force between the
// verification and the commit of a registration refuses it, for Reevaluate may
// have passed already.
func TestRegisterBehindTheList(t *testing.T) {
	var use func(...string) *android.StatusList
	verifier, err := attest.NewVerifier(nil)
	if err != nil {
		t.Fatal(err)
	}
	var r *rig
	overtake := ""
	r, use = feed(t, func(o *registry.Options) {
		o.TestingOnlyVerify(func(ev attest.Evidence, want attest.Expect, p *attest.Policy, now time.Time) (attest.Verdict, error) {
			v, err := verifier.Verify(ev, want, p, now)
			if overtake != "" && err == nil {
				use(v.Chain[1].Serial + " " + overtake)
				r.reevaluate()
			}
			return v, err
		})
	})
	overtake = "SUSPENDED"
	r.mustAllow(r.androidRegistration())
	overtake = "REVOKED"
	in := r.androidRegistration()
	r.mustDeny(in, "android.revoked", registry.AdviceContact)
	if !r.used(in.Challenge) || r.rows("attest_key") != 1 {
		t.Error("the verdict has not been committed as one")
	}
	overtake = ""
	use("beef REVOKED")
	r.mustAllow(r.androidRegistration())
	r.mustCheck()
}
