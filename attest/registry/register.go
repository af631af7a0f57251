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

	Country string // from backends only; see attest.Country
	Hints   Hints  // what the app says of its phone

	// BeforeSignUp: the challenge was made for no account, because there was none
	// yet. For flows that make the account in the transaction in which they
	// commit the key; Register refuses it.
	BeforeSignUp bool
	// ForNobody: whose key it will be is not known yet, and Account is empty. The
	// challenge was made for no account, too. Attempt.Commit keeps the key pending,
	// and Adopt gives it to an account. For joins; Register refuses it.
	ForNobody bool
}

// Hints are what the app says of its phone. They are believed nowhere: the
// statistics show them, as claimed, where the evidence says nothing.
type Hints struct {
	OSVersion  string
	AppVersion string
	Model      string
}

// Registered is what became of it.
type Registered struct {
	Decision Decision
	Advice   Advice // all that a phone learns besides
	// KeyID is the id of the key that the account has now. Empty when denied, and
	// when a stage that only observes lets evidence pass that leaves no key.
	KeyID string

	// For backends only; empty for a phone.
	Verdict  *attest.Verdict
	Evidence string // id of the evidence; empty: none was kept
	Stage    string // of the rollout that decided, "rollout[1]"; empty: none matched, and the verdict was enforced
}

// Register judges the evidence and registers the key if it is accepted. The
// caller is the app's backend, a phone of that account, or a phone that has
// proved nothing and brings a challenge that was made for the account.
//
// A verdict, good or bad, uses the challenge up; an error does not. A challenge
// that is not open is refused, which only the backend's call puts on record:
// everybody else may try as often as he likes and leaves nothing behind.
//
// What follows from a verdict that rejects is for the policy's rollout to say,
// except where it is about the caller's own permission: see Attempt.Commit.
func (s *Service) Register(ctx context.Context, caller account.Caller, in *Registration) (*Registered, error) {
	if in.BeforeSignUp {
		return nil, fmt.Errorf("%w: only a flow that makes the account can register a key before sign-up", ErrNotAllowed)
	}
	if in.ForNobody {
		return nil, fmt.Errorf("%w: only a join can bring a key that is nobody's yet", ErrNotAllowed)
	}
	a, err := s.Verify(ctx, caller, in)
	if err != nil {
		return nil, err
	}
	var out *Registered
	if a.refused != nil && !a.recorded() { // without a transaction: a flood takes no turn from those who write
		r := a.rule(a.verdict)
		o := a.outcome(r)
		o.unrecorded = true
		s.observed(o)
		out = r.answer("", nil)
	} else if out, err = s.save(ctx, a); err != nil {
		return nil, err
	}
	if caller.Kind != account.Backend {
		out.Verdict, out.Evidence, out.Stage = nil, "", ""
	}
	return out, nil
}

// save commits a in a transaction of its own and gives the answer after that.
func (s *Service) save(ctx context.Context, a *Attempt) (*Registered, error) {
	var out *Registered
	err := s.update(ctx, func(tx Tx) (err error) {
		out, err = a.Commit(ctx, tx, StateActive)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("registry: save registration: %w", err)
	}
	return out, nil
}

// Attempt is a registration that has been verified and has changed nothing yet.
// Commit does not change it, for a transaction may run twice.
type Attempt struct {
	s        *Service
	caller   account.Caller
	in       Registration
	hash     [32]byte // of the challenge
	now      time.Time
	policy   *attest.Policy
	ev       attest.Evidence
	want     attest.Expect
	refused  *attest.Finding // the challenge is not open, and nothing was verified
	verdict  attest.Verdict
	unrisked attest.Verdict // before the risk rules were asked, if they were
	bundle   []byte         // for a replay; empty: not to be kept
	device   []byte         // keyed hash of the identifiers in the evidence
	call     bool           // it came with a call to Staunch itself: see Proves
}

// Open reports whether the challenge was open when the evidence was verified. If
// it was not, nothing was looked at, and the phone needs another one.
func (a *Attempt) Open() bool { return a.refused == nil }

// Verify is the first step of Register: it judges the evidence, outside any
// transaction that writes, and changes nothing. The second is Attempt.Commit.
// Flows of several parts take the two apart, so that the key is committed in
// their own transaction; everybody else calls Register.
//
// A challenge that is not open is refused here before anything is verified, so
// that evidence without one costs nothing.
func (s *Service) Verify(ctx context.Context, caller account.Caller, in *Registration) (*Attempt, error) {
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
	a := &Attempt{s: s, caller: caller, in: *in, hash: sha256.Sum256(in.Challenge), now: now, policy: policy, ev: ev}
	var used map[string]int
	err = s.view(ctx, func(tx Tx) (err error) {
		if a.refused, err = a.openChallenge(ctx, tx); err != nil || a.refused != nil {
			return err
		}
		used, err = exceptionUses(ctx, tx, policy, now)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("registry: look up challenge: %w", err)
	}
	if a.refused != nil {
		a.verdict = policy.Verdict(ev.Format, string(in.App), now, *a.refused)
		return a, nil
	}
	want.UsesLeft = usesLeft(policy, used)
	a.want = want
	return a, a.verify(ctx)
}

// verify does what takes long and needs nothing stored.
func (a *Attempt) verify(ctx context.Context) (err error) {
	if a.verdict, err = a.s.verify(a.ev, a.want, a.policy, a.now); err != nil {
		return verifyError(err)
	}
	if a.ev.Format != attest.FormatAppleAppAttest && a.want.Status == nil {
		a.s.log.Warn("registry: there is no revocation list", "app", a.in.App)
	}
	if err := a.readSignals(ctx); err != nil {
		return err
	}
	return a.prepare()
}

// openChallenge looks the challenge up and judges it.
func (a *Attempt) openChallenge(ctx context.Context, tx Tx) (*attest.Finding, error) {
	id := a.in.Account
	if a.in.BeforeSignUp {
		id = ""
	}
	return openChallenge(ctx, tx, a.hash, a.in.App, id, PurposeRegister, a.now)
}

// recorded reports whether a refusal for want of an open challenge is put on
// record. Who needs neither token nor challenge could otherwise write into the
// record of any account, as much as he likes.
func (a *Attempt) recorded() bool { return a.caller.Kind == account.Backend }

// prepare makes what is stored of the evidence: the replay bundle, and the keyed
// hash that stands for the device's identifiers.
func (a *Attempt) prepare() error {
	ids := identifiersIn(a.verdict)
	a.device, a.bundle = a.s.hashKey.device(ids.lasting), nil
	if a.s.retention == 0 || ids.possible && !a.s.keepIDs {
		return nil
	}
	b, err := attest.NewBundle(a.ev, a.want, a.policy, a.verdict)
	if err == nil {
		a.bundle, err = json.Marshal(b)
	}
	if err != nil {
		return fmt.Errorf("registry: pack evidence: %w", err)
	}
	return nil
}
