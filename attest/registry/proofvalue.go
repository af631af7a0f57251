package registry

import "github.com/staunchid/staunch/attest/request"

// ProvesValue is Proves for evidence that comes with a device proof over value
// instead of a signed call: so that who sends the evidence has the key in it, and
// that what value is the hash of belongs to it. It judges as VerifyProof does for
// a key that is registered. Call it before Commit, and once. A refusal is a
// *ProofRefused.
func (a *Attempt) ProvesValue(value [32]byte, proof []byte) error {
	a.call = true
	rules, err := a.s.requestRules(a.in.App)
	if err != nil {
		return err
	}
	call := &ask{in: &RequestCheck{App: a.in.App}, rules: rules, now: a.now, verdict: rules.nothing(a.now)}
	id, _ := a.Key()
	if call.key, err = a.newKey(id); err != nil {
		return err
	}
	p := &request.Parsed{KeyID: id, Base: request.DeviceProof(value), Signature: proof}
	if err := a.s.judgeCall(call, p); err != nil {
		return err
	}
	return call.refusal(call.verdict)
}
