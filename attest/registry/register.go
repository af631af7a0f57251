package registry

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
)

// Registration is the evidence for one new key, and what it is bound to.
type Registration struct {
	App       account.AppID
	Account   account.ID
	Challenge []byte // from CreateChallenge, for this app, account and PurposeRegister

	// Exactly one of the two.
	AttestationObject []byte   // a WebAuthn-shaped object: Apple App Attest, or Android with fmt android-key
	CertificateChain  [][]byte // Android Key Attestation: certificates in DER, leaf first

	ClientData []byte // with an object only: JSON whose member challenge is the challenge; empty: the challenge itself was hashed
	KeyID      string // with Apple only, and required there: what generateKey gave, in base64url
	Replaces   string // id of the account's key that this one takes the place of; empty: none
}

// Registered is what became of it.
type Registered struct {
	Decision Decision
	Advice   Advice // all that a phone learns besides
	KeyID    string // of the registered key; empty when denied

	// For backends only; nil and empty for a phone.
	Verdict  *attest.Verdict
	Evidence string // id of the evidence; empty: none was kept
}

// Register judges the evidence and registers the key if it is accepted. The
// caller is the app's backend, a phone of that account, or a phone that has
// proved nothing and brings a challenge that was made for the account.
//
// A verdict, good or bad, uses the challenge up; an error does not. A challenge
// that is not open is refused, which only the backend's call puts on record:
// everybody else may try as often as he likes and leaves nothing behind.
func (s *Service) Register(ctx context.Context, caller account.Caller, in *Registration) (*Registered, error) {
	now := s.now()
	policy, _, err := s.current(in.App)
	if err != nil {
		return nil, err
	}
	if err := in.allowed(caller, s.id); err != nil {
		return nil, err
	}
	ev, want, err := in.evidence()
	if err != nil {
		return nil, err
	}
	if s.status != nil {
		want.Status = s.status()
	}
	a := &attempt{caller: caller, in: in, hash: sha256.Sum256(in.Challenge), now: now, keep: s.retention}

	// A challenge that is not open is refused before anything is verified, so
	// that evidence without one costs nothing.
	var refused *attest.Finding
	err = s.view(ctx, func(tx Tx) (err error) {
		refused, err = openChallenge(ctx, tx, a.hash, in.App, in.Account, PurposeRegister, now)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("registry: look up challenge: %w", err)
	}
	if refused != nil {
		a.verdict = reject(attest.Verdict{
			Format: ev.Format, Tier: attest.TierNone, Provisioning: "none", Policy: policy.Name(), PolicyDigest: policy.Digest(),
			Rules: attest.Rules, At: now, App: string(in.App),
		}, refused)
		if !a.recorded() { // without a transaction: a flood takes no turn from those who write
			return a.answer(denied(a.verdict)), nil
		}
		return s.conclude(ctx, a, func(ctx context.Context, tx Tx) (*Registered, error) { return a.deny(ctx, tx, a.verdict, nil) })
	}

	// Verified outside any transaction: it takes long and needs nothing stored.
	a.verdict, err = s.verify(ev, want, policy, now)
	if err != nil {
		return nil, verifyError(err)
	}
	if ev.Format != attest.FormatAppleAppAttest && want.Status == nil {
		s.log.Warn("registry: there is no revocation list", "app", in.App)
	}
	if err := a.prepare(s, ev, want, policy); err != nil {
		return nil, err
	}
	return s.conclude(ctx, a, a.commit)
}

// conclude runs step in one transaction and gives its answer after the commit.
func (s *Service) conclude(ctx context.Context, a *attempt, step func(context.Context, Tx) (*Registered, error)) (*Registered, error) {
	var out *Registered
	err := s.update(ctx, func(tx Tx) (err error) {
		out, err = step(ctx, tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("registry: save registration: %w", err)
	}
	return a.answer(out), nil
}

// attempt is one call of Register with all that is known before the
// transaction. It does not change in it, for a transaction may run twice.
type attempt struct {
	caller  account.Caller
	in      *Registration
	hash    [32]byte // of the challenge
	now     time.Time
	keep    time.Duration  // how long evidence is kept
	verdict attest.Verdict // of the verifier, or for a challenge that is not open
	bundle  []byte         // for a replay; empty: not to be kept
	device  []byte         // keyed hash of the identifiers in the evidence
}

// recorded reports whether a refusal for want of an open challenge is put on
// record. Who needs neither token nor challenge could otherwise write into the
// record of any account, as much as he likes.
func (a *attempt) recorded() bool { return a.caller.Kind == account.Backend }

// answer leaves out of r what its caller may not learn.
func (a *attempt) answer(r *Registered) *Registered {
	if a.caller.Kind != account.Backend {
		r.Verdict, r.Evidence = nil, ""
	}
	return r
}

// prepare does what needs no transaction: the replay bundle, and the keyed
// hash that stands for the device's identifiers.
func (a *attempt) prepare(s *Service, ev attest.Evidence, want attest.Expect, p *attest.Policy) error {
	ids := identifiersIn(a.verdict)
	a.device = s.hashKey.device(ids.lasting)
	if a.keep == 0 || ids.possible && !s.keepIDs {
		return nil
	}
	b, err := attest.NewBundle(ev, want, p, a.verdict)
	if err == nil {
		a.bundle, err = json.Marshal(b)
	}
	if err != nil {
		return fmt.Errorf("registry: pack evidence: %w", err)
	}
	return nil
}

// commit uses the challenge and saves what the verdict calls for.
func (a *attempt) commit(ctx context.Context, tx Tx) (*Registered, error) {
	// Open at the same now as before, and used once: of two that come here with
	// one challenge, the second finds it used.
	refused, err := openChallenge(ctx, tx, a.hash, a.in.App, a.in.Account, PurposeRegister, a.now)
	if err != nil {
		return nil, err
	}
	if refused == nil {
		won, err := tx.UseChallenge(ctx, a.hash, a.now)
		if err != nil {
			return nil, err
		}
		if !won {
			refused = finding(challengeUsed, "consumed at the same time")
		}
	}
	if refused != nil {
		v := reject(a.verdict, refused)
		if !a.recorded() {
			return denied(v), nil
		}
		return a.deny(ctx, tx, v, nil)
	}
	old, refused, err := a.stored(ctx, tx)
	if err != nil {
		return nil, err
	}
	v := a.verdict
	if refused != nil {
		v = reject(v, refused)
	}
	evidence, err := a.saveEvidence(ctx, tx, v)
	if err != nil {
		return nil, err
	}
	if decision, _ := Decide(v); decision != Allow {
		return a.deny(ctx, tx, v, evidence)
	}
	return a.allow(ctx, tx, v, old, evidence)
}
