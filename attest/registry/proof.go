package registry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/request"
)

// ProofRequest is a call to Staunch itself, as the edge has received it.
type ProofRequest struct {
	App account.AppID
	// Message holds Authorization and Staunch-App if the call has them, covered or
	// not: request.FromCall makes such a one. Take the session from it and not
	// from the header: what is in Message and not covered is refused.
	Message *request.Message
	// Authorities are the app's hosts, in lower case and without a port. Any port
	// will do. None: every call is refused.
	Authorities []string
	LoopbackToo bool // takes names of this machine besides, for staunch dev

	AllowRevoked bool // takes a key that was revoked: it may learn its own state
	Pending      bool // takes a key that waits for the end of a flow, for that flow
}

// Proved is who made a call, as far as the registry knows him.
type Proved struct {
	KeyID        string
	Account      account.ID
	Platform     string      // "android" or "apple"
	Tier         attest.Tier // of the evidence for the key
	State        State
	AttestedAt   time.Time        // when that evidence was accepted
	Warned       bool             // a warning stands: of the evidence, or of this call
	Findings     []attest.Finding // of this call: warnings, notes, and what a rollout that observes lets pass
	RegisteredAt time.Time        // the same as AttestedAt: new evidence registers a key anew
}

// ProofRefused is why a call is not proved. The client learns At and no more.
type ProofRefused struct {
	Code   string    // of the table of findings
	Detail string    // for the log; not stable
	At     time.Time // of the server, by which a phone corrects its clock
}

func (e *ProofRefused) Error() string {
	return "registry: the call is not proved: " + e.Code + ": " + e.Detail
}

// Unwrap makes every ProofRefused an ErrProofRefused.
func (e *ProofRefused) Unwrap() error { return ErrProofRefused }

// Proving is a call with a good signature that has used up nothing yet. It does
// not change itself, for a transaction may run twice.
type Proving struct {
	s   *Service
	in  ProofRequest
	ask *ask
}

// KeyID is the key that has signed the call. How it stands Settle says.
func (p *Proving) KeyID() string { return p.ask.key.id }

// Prove judges a call to Staunch itself, in a transaction of its own. The steps
// are those of VerifyRequest: shape, authority, what must be covered, clock, key,
// signature, the state of the key, replay guard. Routes and authorities of the
// policy are the backend's and have no part in it.
//
// Whatever is found that is hard, or of class abuse, refuses in every mode of
// the rollout; of the rest, what the app's stage only observes is let through and
// stands in Findings. A refusal is a *ProofRefused, and it uses the nonce or
// counter up if the signature is good. Nothing of it is put on record or counted.
func (s *Service) Prove(ctx context.Context, in *ProofRequest) (*Proved, error) {
	p, err := s.ProveLater(ctx, in)
	if err != nil {
		return nil, err
	}
	var out *Proved
	var refused *ProofRefused
	err = s.update(ctx, func(tx Tx) (err error) {
		refused = nil
		if out, err = p.Settle(ctx, tx); errors.As(err, &refused) {
			return nil // what was signed is used up
		}
		return err
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("registry: prove: %w", err)
	case refused != nil:
		return nil, refused
	}
	return out, nil
}

// ProveLater is the first step of Prove: it judges all that needs no transaction
// that writes, and changes nothing. The second is Proving.Settle, in the
// transaction of who calls.
func (s *Service) ProveLater(ctx context.Context, in *ProofRequest) (*Proving, error) {
	rules, err := s.requestRules(in.App)
	if err != nil {
		return nil, err
	}
	a := &ask{in: &RequestCheck{App: in.App, Message: in.Message}, rules: rules, now: s.now()}
	a.verdict = rules.nothing(a.now)
	p, err := a.parseCall(in.Authorities, in.LoopbackToo)
	if err != nil {
		return nil, err
	}
	if p != nil {
		if a.key, err = s.requestKey(ctx, a.keyID); err != nil {
			return nil, err
		}
		if err := s.judgeCall(a, p); err != nil {
			return nil, err
		}
	}
	if !a.good {
		return nil, a.refusal(a.verdict)
	}
	return &Proving{s, *in, a}, nil
}
