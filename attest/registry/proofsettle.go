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
	if k == nil {
		return nil, refusedAt(p.ask.now, unknownKey()[0])
	}
	if k.AppID != p.ask.key.appID { // the phone signs anew, and is judged by what is stored
		p.s.requests.keys.forget(k.ID)
		return nil, refusedAt(p.ask.now, attest.NewFinding(keyUnknown, "the key was registered anew meanwhile"))
	}
	replayed := t.replay(p.ask, k)
	k.used(p.ask.now)
	if err := t.store(ctx); err != nil {
		return nil, err
	}
	if replayed != nil {
		return p.judge(&k.KeyStanding, *replayed)
	}
	return p.judge(&k.KeyStanding)
}

// judge says what a good signature is worth, of a key that stands so.
func (p *Proving) judge(k *KeyStanding, findings ...attest.Finding) (*Proved, error) {
	if k.State == StatePending && !p.in.Pending { // unknown outside its own flow
		return nil, refusedAt(p.ask.now, unknownKey()[0])
	}
	v := p.ask.verdict.With(append(p.appraise(*k), findings...)...)
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
