package registry

import (
	"slices"

	"github.com/staunchid/staunch/attest"
)

// ruling is what becomes of a registration.
type ruling struct {
	verdict  attest.Verdict
	stage    attest.Staged
	decision Decision
	advice   Advice
	would    bool // it would be denied, and the stage only observes
}

// rule says what becomes of a verdict, with what the store had to add.
//
// The rollout decides what happens, never what is true: where it observes, a
// verdict that rejects lets in all the same. But what is found of the caller's
// own permission denies in every mode; else a stage that observes would let
// anybody register keys who was given no challenge for the account. And where
// the key is to be one of Staunch's own callers, what is hard or of class abuse
// denies as it does in every call.
func (a *Attempt) rule(v attest.Verdict) ruling {
	r := ruling{verdict: v, stage: attest.Staged{Mode: attest.ModeEnforce}}
	if !unpermitted(v) && (!a.call || !barred(v)) {
		r.stage = a.policy.Stage(a.subject(v), v)
	}
	r.decision, r.advice, r.would = decideIn(v, r.stage)
	return r
}

// unpermitted reports whether a finding is about what the caller may do, and not
// about his phone.
func unpermitted(v attest.Verdict) bool {
	return slices.ContainsFunc(v.Findings, func(f attest.Finding) bool {
		switch f.Code {
		case challengeUnknown, challengeUsed, challengeExpired, keyExists, accountMismatch, keyRevoked:
			return true
		}
		return false
	})
}

// subject is the registration as the rollout looks at it.
func (a *Attempt) subject(v attest.Verdict) attest.Subject {
	s := attest.Subject{
		App: string(a.in.App), Platform: platform(a.ev.Format), Operation: attest.OperationRegister,
		Country: a.in.Country, Account: string(a.in.Account),
	}
	if c := named(v); c != nil {
		s.KeyID = c.KeyID
	}
	return s
}

// named are the claims that name a key, whether or not somebody vouches for
// them; nil: none is named.
func named(v attest.Verdict) *attest.Claims {
	c := v.Claims
	if c == nil {
		c = v.UnverifiedClaims
	}
	if c == nil || checkKeyID(c.KeyID) != nil || len(c.KeySPKI) == 0 {
		return nil
	}
	return c
}

// answer is what the caller learns.
func (r ruling) answer(keyID string, evidence *Evidence) *Registered {
	out := &Registered{Decision: r.decision, Advice: r.advice, KeyID: keyID, Verdict: &r.verdict, Stage: r.stage.Name}
	if evidence != nil {
		out.Evidence = evidence.ID
	}
	return out
}

// outcome is what the statistics count.
func (a *Attempt) outcome(r ruling) outcome {
	o := outcome{
		at: a.now, operation: attest.OperationRegister, platform: platform(a.ev.Format), country: a.in.Country,
		stage: r.stage, allowed: r.decision == Allow, account: a.in.Account,
	}
	o.judged(r.verdict)
	o.claims(a.in.Hints.Model, a.in.Hints.OSVersion, a.in.Hints.AppVersion)
	return o
}
