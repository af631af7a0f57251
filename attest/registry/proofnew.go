package registry

import (
	"time"

	"github.com/staunchid/staunch/attest/request"
)

// Proves verifies that a call which brings this evidence is signed by the key in
// it, under the id that the key will have: so the key is there, and who sends
// the evidence has it. The steps are those of Prove, but for what is stored: no
// nonce is used up, for the challenge in the evidence is used once.
//
// It says nothing of the evidence; Commit does. But from then on Commit denies,
// in every mode of the rollout, what is hard or of class abuse, for the call is
// to Staunch itself. So call it before Commit, and once. A refusal is a
// *ProofRefused. now is the flow's.
func (a *Attempt) Proves(m *request.Message, hosts []string, loopbackToo bool, now time.Time) error {
	a.call = true
	rules, err := a.s.requestRules(a.in.App)
	if err != nil {
		return err
	}
	call := &ask{in: &RequestCheck{App: a.in.App, Message: m}, rules: rules, now: now, verdict: rules.nothing(now)}
	p, err := call.parseCall(hosts, loopbackToo)
	if err != nil {
		return err
	}
	if p != nil {
		if call.key, err = a.newKey(p.KeyID); err != nil {
			return err
		}
		if err := a.s.judgeCall(call, p); err != nil {
			return err
		}
	}
	return call.refusal(call.verdict)
}

// newKey is the key in the evidence, whether or not anybody vouches for it; nil:
// the evidence names none, or another than id.
func (a *Attempt) newKey(id string) (*requestKey, error) {
	c := named(a.verdict)
	if c == nil || c.KeyID != id {
		return nil, nil
	}
	k := Key{ID: c.KeyID, Platform: c.Platform, SPKI: c.KeySPKI, Algorithm: c.KeyAlgorithm}
	if c.Apple != nil {
		k.AppID = c.Apple.AppID
	}
	return newRequestKey(k)
}
