package registry

import (
	"context"
	"fmt"

	"github.com/staunchid/staunch/attest/request"
)

// VerifyProof verifies a device proof: the signature of a registered key over
// request.DeviceProof(value). It judges key, state and signature, by the same
// rules as Prove, and changes nothing: no nonce is used up and no counter is
// judged or moved, for the value occurs once, and an assertion in a call is older
// than the one that signs the call.
//
// keyID must come from the flow's own rows, never from the caller alone: it says
// whose proof is wanted. A pending key is good, for a flow may not have ended.
// A refusal is a *ProofRefused.
func (s *Service) VerifyProof(ctx context.Context, keyID string, value [32]byte, proof []byte) error {
	rules, err := s.requestRules(s.id)
	if err != nil {
		return err
	}
	a := &ask{in: &RequestCheck{App: s.id}, rules: rules, now: s.now()}
	a.verdict = rules.nothing(a.now)
	if a.key, err = s.requestKey(ctx, keyID); err != nil {
		return err
	}
	p := &request.Parsed{KeyID: keyID, Base: request.DeviceProof(value), Signature: proof}
	if err := s.judgeCall(a, p); err != nil {
		return err
	}
	if !a.good {
		return a.refusal(a.verdict)
	}
	k, err := s.standing(ctx, keyID)
	if err != nil {
		return err
	}
	if k == nil || k.AppID != a.key.appID {
		s.requests.keys.forget(keyID)
		return refusedAt(a.now, unknownKey()[0])
	}
	call := &Proving{s: s, in: ProofRequest{Pending: true}, ask: a}
	_, err = call.judge(k)
	return err
}

// standing is how a key stands, or nil.
func (s *Service) standing(ctx context.Context, keyID string) (*KeyStanding, error) {
	var found []KeyStanding
	err := s.view(ctx, func(tx Tx) (err error) {
		found, err = tx.KeyStandings(ctx, []string{keyID})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("registry: look up key: %w", err)
	}
	if len(found) == 0 {
		return nil, nil
	}
	return &found[0], nil
}
