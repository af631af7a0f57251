package registry_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/store/storetest"
)

// TestVerifyRequestFaults drives a request through a store whose n-th call
// fails, before and after it took effect, for every n. There is no answer then:
// either nothing was used up, and the same request is good for another try, or
// all was.
func TestVerifyRequestFaults(t *testing.T) {
	tests := []struct {
		name string
		make func(*rig) *request.Message
		pass bool
		at   []string
	}{
		{"android", func(r *rig) *request.Message { return message(r.t, otherPath(r, r.androidKey())) }, true,
			[]string{"begin", "AttestedKey", "KeyStandings", "NonceFloor", "AddNonces", "DeleteNonces", "MoveKeys", "commit"}},
		{"apple", func(r *rig) *request.Message { return message(r.t, otherPath(r, r.appleKey())) }, true,
			[]string{"begin", "AttestedKey", "KeyStandings", "MoveKeys", "commit"}},
		{"server nonce", func(r *rig) *request.Message {
			return message(r.t, r.sign(r.androidKey(), serverNonce(r.requestChallenge("", registry.PurposeRequest))))
		}, true, []string{"Challenge", "UseChallenge"}},
		{"denied", func(r *rig) *request.Message {
			key := r.androidKey()
			if _, err := r.RevokeKey(r.t.Context(), backend, "demo", key.ID(), "lost"); err != nil {
				r.t.Fatal(err)
			}
			return message(r.t, otherPath(r, key))
		}, false, []string{"AppendAudit", "AppendEvent"}},
		{"not signed", func(r *rig) *request.Message { return message(r.t, remit()) }, false, []string{"AppendAudit"}},
	}
	for _, tt := range tests {
		for _, when := range []storetest.When{storetest.Before, storetest.After} {
			t.Run(fmt.Sprintf("%s, after %v", tt.name, when), func(t *testing.T) {
				r := newRig(t, withPolicy(t, remitRoute...))
				fired := map[string]bool{}
				for n := 1; ; n++ {
					in := &registry.RequestCheck{App: "demo", Message: tt.make(r)}
					before := r.usedUp()
					faulty := storetest.NewFaulty(r.store, n, when)
					v, err := r.service(faulty).VerifyRequest(t.Context(), backend, in)
					if faulty.Fired() == "" {
						if err != nil || (v.Decision == registry.Allow) != tt.pass {
							t.Errorf("without a fault: %+v, %v", v, err)
						}
						break
					}
					fired[faulty.Fired()] = true
					if !errors.Is(err, storetest.ErrFault) || v != nil {
						t.Fatalf("fault at call %d, %s: %+v, %v", n, faulty.Fired(), v, err)
					}
					done := r.usedUp() != before
					if done && (faulty.Fired() != "commit" || when == storetest.Before) {
						t.Errorf("fault at call %d, %s: half done", n, faulty.Fired())
					}
					again, err := r.VerifyRequest(t.Context(), backend, in)
					if err != nil {
						t.Fatal(err)
					}
					if passed := again.Decision == registry.Allow; passed != (tt.pass && !done) {
						t.Errorf("fault at call %d, %s: used up: %v; another try: %s %+v", n, faulty.Fired(), done, again.Decision, again.Verdict.Findings)
					}
				}
				for _, name := range tt.at {
					if !fired[name] {
						t.Errorf("no fault at %s: %v", name, fired)
					}
				}
				r.mustCheck()
			})
		}
	}
}

// used is what requests leave behind.
func (r *rig) usedUp() [5]int {
	r.t.Helper()
	return [5]int{
		r.rows("attest_nonce"), r.rows("attest_key WHERE counter > 0"), r.rows("attest_key WHERE last_used IS NOT NULL"),
		r.rows("attest_challenge WHERE used_at IS NOT NULL"), r.rows("audit_entry WHERE action = 'attest.request'"),
	}
}
