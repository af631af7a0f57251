package registry

import (
	"context"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
)

// Activate is the last step of a flow that has committed a key as StatePending:
// it makes the key active in the flow's transaction, if nothing speaks against
// it at now. The time since its registration may be long, so the revocation
// list in force is asked again. A key that is active already stays so, and
// nothing is recorded.
//
// ErrKeyUnknown: the account has no such key. Otherwise the answer has a
// decision and the verdict behind it, and the transaction is to be committed
// either way:
//
//   - an issuer was revoked meanwhile: denied in every mode, and the key is
//     StateRevoked from then on;
//   - the key was revoked: denied in every mode;
//   - there is no list, or it is too old: the rollout decides. Denied, the key
//     stays pending; let through, it is StateObserved, and never active.
//   - the key was superseded, or is only observed: the rollout decides, and the
//     key stays as it is.
func (s *Service) Activate(ctx context.Context, tx Tx, caller account.Caller, id account.ID, keyID string, now time.Time) (*Registered, error) {
	policy, _, err := s.current(s.id)
	if err != nil {
		return nil, err
	}
	k, err := tx.AttestedKey(ctx, keyID)
	if err != nil {
		return nil, fmt.Errorf("registry: activate key: %w", err)
	}
	if k.Account != id || id == "" { // nobody's: see Adopt
		return nil, fmt.Errorf("registry: activate key: %w", ErrKeyUnknown)
	}
	v := policy.Verdict(formatOf(k), string(s.id), now, s.speaksAgainst(k, policy, now)...)
	return activate(ctx, tx, caller, k, s.ruleActivation(k, policy, v), now)
}

// activate does with k what was ruled.
func activate(ctx context.Context, tx Tx, caller account.Caller, k Key, r ruling, now time.Time) (*Registered, error) {
	t := told{action: "attest.activate", key: &k}
	switch {
	case k.State == StateActive:
		return r.answer(k.ID, nil), nil
	case k.State != StatePending: // and stays so
		if r.decision != Allow {
			return r.answer("", nil), nil
		}
		return r.answer(k.ID, nil), nil
	case r.verdict.Has(androidRevoked):
		k.State, t.kind = StateRevoked, "attest.key_revoked"
	case r.decision != Allow:
		return r.answer("", nil), nil
	case r.would:
		k.State, t.kind = StateObserved, "attest.register_observed"
	default:
		k.State, t.kind = StateActive, "attest.key_activated"
	}
	if err := tx.PutAttestedKey(ctx, k); err != nil {
		return nil, err
	}
	if err := (deed{caller, k.Account, now}).record(ctx, tx, r, t); err != nil {
		return nil, err
	}
	if r.decision != Allow {
		return r.answer("", nil), nil
	}
	return r.answer(k.ID, nil), nil
}

// speaksAgainst lists why k may not become active now.
func (s *Service) speaksAgainst(k Key, p *attest.Policy, now time.Time) (findings []attest.Finding) {
	find := func(code, detail string) { findings = append(findings, attest.NewFinding(code, detail)) }
	switch k.State {
	case StateActive:
		return nil
	case StatePending:
	case StateRevoked:
		find(keyRevoked, "this key was revoked")
	default:
		find(keyNotAttested, "this key is "+string(k.State))
	}
	if k.Platform != platformAndroid {
		return findings
	}
	for _, serial := range k.Serials {
		if s.isRevoked(serial) {
			find(androidRevoked, "serial "+serial+", listed since the key was registered")
		}
	}
	_, most, _ := p.RevocationAges()
	switch list := s.listInForce(); {
	case list == nil:
		find("android.status_unavailable", "there is no revocation list")
	case list.Age(now).Abs() > most: // from the future: as attest judges it
		find("android.status_stale", "the revocation list is older than max_age")
	}
	return findings
}

// ruleActivation says what becomes of a key at the end of its flow.
func (s *Service) ruleActivation(k Key, p *attest.Policy, v attest.Verdict) ruling {
	r := ruling{verdict: v, stage: attest.Staged{Mode: attest.ModeEnforce}}
	if !unpermitted(v) && !v.Has(androidRevoked) {
		r.stage = p.Stage(attest.Subject{
			App: string(s.id), Platform: k.Platform, Operation: attest.OperationRegister, KeyID: k.ID, Account: string(k.Account),
		}, v)
	}
	r.decision, r.advice, r.would = decideIn(v, r.stage)
	return r
}

// formatOf is a format in which k may have been attested.
func formatOf(k Key) attest.Format {
	if k.Platform == platformAndroid {
		return attest.FormatAndroidChain
	}
	return attest.FormatAppleAppAttest
}
