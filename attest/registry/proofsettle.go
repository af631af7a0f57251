package registry

import (
	"context"

	"github.com/staunchid/staunch/attest"
)

// Settle is the second step of Prove, for the transaction of who calls: it uses
// up the nonce or the counter, and reads how the key stands.
//
// If that transaction is rolled back nothing is used up, and the same call may
// come again: what it does is done once at most. After a *ProofRefused it is for
// the caller to commit, and so use the call up, or not; Prove does.
func (p *Proving) Settle(ctx context.Context, tx Tx) (*Proved, error) {
	t := &settlement{s: p.s, tx: tx, asks: []*ask{p.ask}}
	if err := t.load(ctx); err != nil {
		return nil, err
	}
	k := t.keys[p.ask.key.id]
	if k == nil || k.State == StatePending && !p.in.Pending {
		return nil, refusedAt(p.ask.now, unknownKey()[0])
	}
	if k.AppID != p.ask.key.appID { // the phone signs anew, and is judged by what is stored
		p.s.requests.keys.forget(k.ID)
		return nil, refusedAt(p.ask.now, attest.NewFinding(keyUnknown, "the key was registered anew meanwhile"))
	}
	findings := p.appraise(k.KeyStanding)
	if f := t.replay(p.ask, k); f != nil {
		findings = append(findings, *f)
	}
	k.used(p.ask.now)
	if err := t.store(ctx); err != nil {
		return nil, err
	}
	v := p.ask.verdict.With(findings...)
	if k.State == StateSuperseded { // whatever the mode: another key has its place
		return nil, refusedAt(p.ask.now, gravest(v))
	}
	if err := p.ask.refusal(v); err != nil {
		return nil, err
	}
	return &Proved{
		KeyID: k.ID, Account: k.Account, Platform: p.ask.key.platform, Tier: k.Tier, State: k.State,
		AttestedAt: k.RegisteredAt, RegisteredAt: k.RegisteredAt,
		Warned: k.Tier == attest.TierWarning || v.Tier == attest.TierWarning, Findings: v.Findings,
	}, nil
}

// appraise is that of the ask, but for the states that the call may have.
func (p *Proving) appraise(k KeyStanding) []attest.Finding {
	if k.State == StatePending || k.State == StateRevoked && p.in.AllowRevoked {
		k.State = StateActive
	}
	return p.ask.appraise(&k)
}
