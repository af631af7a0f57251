package registry

import (
	"context"
	"errors"
	"fmt"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/android"
)

// Commit is the second step of Register, for the transaction of who calls: it
// uses the challenge up and saves what the verdict calls for, with evidence,
// audit entry, event and statistics. state is what an accepted key becomes:
// StateActive, or StatePending for a flow that makes it active at its end with
// Activate.
//
//   - accepted: the key is stored, unless the account has it in that state, and
//     the one that it replaces is superseded if it is active or pending.
//   - rejected, and the rollout enforces: the refusal is recorded.
//   - rejected, and the rollout only observes: the decision is Allow, the record
//     says would_deny, and a key that is named is stored as StateObserved, which
//     signs nothing. It never takes the place of a key in another state.
//   - without permission (no open challenge; a key of another account, or one
//     that was revoked; another account's key replaced): denied in every mode,
//     and no key is stored.
//
// After a denial the transaction is committed like any other: the record of it,
// and the use of the challenge, are in it. An error undoes both.
func (a *Attempt) Commit(ctx context.Context, tx Tx, state State) (*Registered, error) {
	if state != StateActive && state != StatePending {
		return nil, fmt.Errorf("registry: a key is not registered as %q", state)
	}
	if a.in.ForNobody && state != StatePending {
		return nil, fmt.Errorf("registry: a key that is nobody's yet is kept as %q, not %q", StatePending, state)
	}
	if a.refused != nil {
		return a.refuse(ctx, tx, a.verdict) // which says so already
	}
	// Open at the same now as before, and used once: of two that come here with
	// one challenge, the second finds it used.
	refused, err := a.useChallenge(ctx, tx)
	if err != nil {
		return nil, err
	}
	if refused != nil {
		return a.refuse(ctx, tx, a.verdict.With(*refused))
	}
	if a, err = a.recounted(ctx, tx); err != nil {
		return nil, err
	}
	if a, err = a.capped(ctx, tx); err != nil {
		return nil, err
	}
	old, refused, err := a.stored(ctx, tx)
	if err != nil {
		return nil, err
	}
	v := a.verdict
	for _, f := range []*attest.Finding{refused, a.revoked()} {
		if f != nil {
			v = v.With(*f)
		}
	}
	evidence, err := a.saveEvidence(ctx, tx, v)
	if err != nil {
		return nil, err
	}
	switch r := a.rule(v); {
	case r.decision != Allow:
		return a.deny(ctx, tx, r, evidence)
	case r.would:
		return a.observe(ctx, tx, r, old.same, evidence)
	default:
		return a.allow(ctx, tx, r, old, evidence, state)
	}
}

// useChallenge marks the challenge used, and reports why it cannot be, or nil.
func (a *Attempt) useChallenge(ctx context.Context, tx Tx) (*attest.Finding, error) {
	refused, err := a.openChallenge(ctx, tx)
	if err != nil || refused != nil {
		return refused, err
	}
	won, err := tx.UseChallenge(ctx, a.hash, a.now)
	if err == nil && !won {
		refused = finding(challengeUsed, "consumed at the same time")
	}
	return refused, err
}

// refuse denies for want of an open challenge.
func (a *Attempt) refuse(ctx context.Context, tx Tx, v attest.Verdict) (*Registered, error) {
	r := a.rule(v)
	if !a.recorded() {
		return r.answer("", nil), nil
	}
	return a.deny(ctx, tx, r, nil)
}

// revoked reports an issuer that was revoked since the evidence was verified,
// or nil. The list may have changed; a key must not slip in behind the job that
// revokes those which the new list names.
func (a *Attempt) revoked() *attest.Finding {
	if platform(a.ev.Format) != platformAndroid || len(a.verdict.Chain) == 0 || a.verdict.Has(androidRevoked) {
		return nil
	}
	for i, c := range a.verdict.Chain[1:] {
		if a.s.isRevoked(c.Serial) {
			position := i + 1
			f := finding(androidRevoked, "listed while the evidence was verified")
			f.Position = &position
			return f
		}
	}
	return nil
}

// isRevoked reports whether the list in force says so of a serial.
func (s *Service) isRevoked(serial string) bool {
	list := s.listInForce()
	return list != nil && list.Lookup(serial) == android.StatusRevoked
}

const androidRevoked = "android.revoked"

// known are the keys in the store that a registration touches.
type known struct {
	same     *Key // already stored under the new key's id
	replaced *Key // named in Replaces
}

// stored loads them and reports what in them forbids the registration, or nil.
// A replaced key that is not there and one of somebody else are refused alike.
// What is stored under an id that nobody vouches for forbids nothing.
func (a *Attempt) stored(ctx context.Context, tx Tx) (known, *attest.Finding, error) {
	var old known
	c := named(a.verdict)
	if c == nil {
		return old, nil, nil
	}
	load := func(id string) (*Key, error) {
		k, err := tx.AttestedKey(ctx, id)
		if errors.Is(err, ErrKeyUnknown) {
			return nil, nil
		}
		return &k, err
	}
	var err error
	if old.same, err = load(c.KeyID); err != nil || a.verdict.Claims == nil {
		return old, nil, err
	}
	if old.same != nil {
		if f := old.same.registrable(a.in.Account); f != nil {
			return old, f, nil
		}
	}
	if a.in.Replaces == "" || a.in.Replaces == c.KeyID {
		return old, nil, nil
	}
	if old.replaced, err = load(a.in.Replaces); err != nil {
		return old, nil, err
	}
	if old.replaced == nil {
		old.replaced = &Key{}
	}
	return old, old.replaced.replaceable(a.in.Account), nil
}

// deny records the refusal, with the evidence for it if there is any.
func (a *Attempt) deny(ctx context.Context, tx Tx, r ruling, evidence *Evidence) (*Registered, error) {
	return r.answer("", evidence), a.record(ctx, tx, r, told{kind: "attest.register_denied", evidence: evidence})
}

// allow saves the key.
func (a *Attempt) allow(ctx context.Context, tx Tx, r ruling, old known, evidence *Evidence, state State) (*Registered, error) {
	k, err := a.key(r.verdict, old.same, evidence)
	if err != nil {
		return nil, err
	}
	k.State = state
	if s := old.same; s != nil && (s.State == StatePending || s.State == StateActive) {
		k.State = s.State // the flow that holds a pending key makes it active
	}
	if err := a.put(ctx, tx, k, old.same); err != nil {
		return nil, err
	}
	if err := a.countUses(ctx, tx); err != nil {
		return nil, err
	}
	if err := a.record(ctx, tx, r, told{kind: "attest.key_registered", key: &k, evidence: evidence}); err != nil {
		return nil, err
	}
	if err := addReceipt(ctx, tx, k, r.verdict, a.now); err != nil {
		return nil, err
	}
	if o := old.replaced; o != nil && o.superseded() {
		o.State = StateSuperseded
		if err := tx.PutAttestedKey(ctx, *o); err != nil {
			return nil, err
		}
		if err := a.deed().record(ctx, tx, r, told{action: "attest.supersede", kind: "attest.key_superseded", key: o, by: k.ID}); err != nil {
			return nil, err
		}
	}
	return r.answer(k.ID, evidence), nil
}

// observe records what would have been denied, and keeps the key that is named,
// if it could sign requests and there is room for it: it never takes the place
// of a key in another state, and that of an observed key of another account only
// if somebody vouches for the claim.
func (a *Attempt) observe(ctx context.Context, tx Tx, r ruling, same *Key, evidence *Evidence) (*Registered, error) {
	t := told{kind: "attest.register_observed", evidence: evidence}
	mine := same != nil && same.Account == a.in.Account
	keyID := ""
	switch {
	case named(r.verdict) == nil:
	case (same == nil || same.State == StateObserved && (mine || r.verdict.Claims != nil)) && signsRequests(named(r.verdict)):
		k, err := a.key(r.verdict, same, evidence)
		if err != nil {
			return nil, err
		}
		k.State = StateObserved
		if err := a.put(ctx, tx, k, same); err != nil {
			return nil, err
		}
		t.key, keyID = &k, k.ID
	case mine && (same.State == StateActive || same.State == StatePending):
		keyID = same.ID
	}
	return r.answer(keyID, evidence), a.record(ctx, tx, r, t)
}

// maxObservedKey bounds the SubjectPublicKeyInfo of a key that nobody vouches
// for, in bytes. RSA with 8192 bits has 1062.
const maxObservedKey = 1100

// signsRequests reports whether c names a key that a request could be verified
// by. Whatever else a forged certificate holds as its key is not kept.
func signsRequests(c *attest.Claims) bool {
	if len(c.KeySPKI) > maxObservedKey {
		return false
	}
	k, err := newRequestKey(Key{ID: c.KeyID, Platform: c.Platform, SPKI: c.KeySPKI, Algorithm: c.KeyAlgorithm})
	return err == nil && k.unfit == ""
}

// put stores k in the place of same. If that was another account's, which only
// an observed key may have been, that account's record says that it is gone.
func (a *Attempt) put(ctx context.Context, tx Tx, k Key, same *Key) error {
	if err := tx.PutAttestedKey(ctx, k); err != nil {
		return err
	}
	if same == nil || same.Account == k.Account {
		return nil
	}
	return a.appendGone(ctx, tx, same)
}

// key builds the record of the key that v names. same is what is stored of it:
// its counter goes on, for evidence says nothing of requests. Of claims that
// nobody vouches for the record has the key alone.
func (a *Attempt) key(v attest.Verdict, same *Key, evidence *Evidence) (Key, error) {
	c := named(v)
	if c == nil {
		return Key{}, fmt.Errorf("registry: an accepted verdict names no key")
	}
	k := Key{
		ID: c.KeyID, App: a.in.App, Account: a.in.Account, Platform: c.Platform,
		SPKI: c.KeySPKI, Algorithm: c.KeyAlgorithm, Tier: v.Tier,
		PolicyDigest: v.PolicyDigest, RegisteredAt: a.now,
	}
	if evidence != nil {
		k.Evidence = evidence.ID
	}
	if c.Apple != nil {
		k.AppID = c.Apple.AppID
	}
	if same != nil {
		k.Counter, k.Window, k.LastUsed = same.Counter, same.Window, same.LastUsed
	}
	if v.Claims == nil {
		return k, nil
	}
	k.Device = a.device
	if c.Android != nil {
		k.Model, k.OS, k.Serials = model(c.Android.Device), c.Android.OSVersion, serials(v)
		k.Provisioning, k.Batch = v.Provisioning, batchKey(v)
	}
	if c.Apple != nil {
		k.OS = c.Apple.OSVersion
	}
	return k, nil
}
