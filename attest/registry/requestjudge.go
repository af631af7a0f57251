package registry

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/request"
)

// ask is a request and what is known of it before the transaction, in which it
// does not change. out is set by it.
type ask struct {
	caller account.Caller
	in     *RequestCheck
	rules  *requestRules
	now    time.Time

	keyID   string // as the request says; empty: it says none that could be one
	key     *requestKey
	route   attest.Route
	verdict attest.Verdict // of shape to signature
	good    bool           // the signature is

	created   time.Time
	nonce     [32]byte    // Android: what the guard stores
	counter   uint32      // Apple: the assertion's
	challenge [32]byte    // SHA-256, where the route wants a nonce of the server
	room      func() bool // on the record, if it is refused

	out outcomeOf
}

// outcomeOf is what a transaction makes of an ask.
type outcomeOf struct {
	verdict *RequestVerdict
	again   bool // the key has changed: judge again
}

// signed reports whether the guard has something to use up.
func (a *ask) signed() bool { return a.good }

// judge looks at everything that needs no transaction that writes, in the order
// of the design, and ends at the first thing that is wrong. An error means that
// it cannot tell.
func (s *Service) judge(ctx context.Context, a *ask) error {
	a.key, a.good = nil, false
	a.verdict = a.rules.nothing(a.now)
	p, err := request.Parse(a.in.Message)
	if err != nil {
		return a.fail(err)
	}
	if checkKeyID(p.KeyID) == nil {
		a.keyID = p.KeyID
	}
	if f := p.At(a.rules.request.Authorities); f != nil {
		return a.fail(f)
	}
	if f := a.onRoute(p); f != nil {
		return a.fail(f)
	}
	if f := p.Clock(a.now, a.rules.request.MaxAge, a.rules.request.FutureSkew); f != nil {
		return a.fail(f)
	}
	a.created = p.Created
	if a.key, err = s.requestKey(ctx, a.keyID); err != nil {
		return err
	}
	if a.key == nil {
		a.refuse(keyUnknown, "no key of this app has this id")
		return nil
	}
	if a.key.unfit != "" {
		a.refuseUnverified(a.key.unfit)
		return nil
	}
	if a.key.platform == platformApple {
		return s.judgeApple(a, p)
	}
	a.judgeAndroid(p)
	return nil
}

// fail refuses the request for a *request.Failure; another error is that of a
// message which no request gives.
func (a *ask) fail(err error) error {
	var f *request.Failure
	if !errors.As(err, &f) {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	a.refuse(f.Code, f.Detail)
	return nil
}

func (a *ask) refuse(code, detail string) {
	a.verdict = a.verdict.With(attest.NewFinding(code, detail))
}

// onRoute holds the request against what its route demands.
func (a *ask) onRoute(p *request.Parsed) *request.Failure {
	m := a.in.Message
	var ok bool
	if a.route, ok = a.rules.policy.Route(m.Method, m.Path); !ok {
		return nil
	}
	if a.route.Refused != "" {
		return &request.Failure{Code: request.CodeComponents, Detail: a.route.Refused}
	}
	if f := p.Demand(a.route.Headers, a.route.Params); f != nil {
		return f
	}
	if !a.route.ServerNonce {
		return nil
	}
	challenge, err := base64.RawURLEncoding.Strict().DecodeString(p.Nonce)
	if err != nil || len(challenge) != 32 {
		return &request.Failure{Code: request.CodeNonce, Detail: a.route.Name + " demands the 32 bytes of a challenge in base64url"}
	}
	a.challenge = sha256.Sum256(challenge)
	return nil
}

// requestKey finds a key by its id, or nil.
func (s *Service) requestKey(ctx context.Context, id string) (*requestKey, error) {
	if id == "" {
		return nil, nil
	}
	if k := s.requests.keys.find(id); k != nil {
		return k, nil
	}
	var record Key
	err := s.view(ctx, func(tx Tx) (err error) {
		record, err = tx.AttestedKey(ctx, id)
		return err
	})
	if errors.Is(err, ErrKeyUnknown) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("registry: look up key: %w", err)
	}
	k, err := newRequestKey(record)
	if err != nil {
		return nil, err
	}
	s.requests.keys.keep(k)
	return k, nil
}

// refuseUnverified refuses a request whose signature is not even looked at: a
// phone that chooses its key must not choose how long we work on it.
func (a *ask) refuseUnverified(detail string) {
	a.refuse(keyAlgorithm, detail)
	a.verdict.Tier = attest.TierNone // nothing was verified
}

// judgeAndroid verifies a signature by an Android key. RFC 9421, Section 3.2:
// the algorithm comes from the key, and one that the request names must be it.
func (a *ask) judgeAndroid(p *request.Parsed) {
	algorithm := a.key.algorithm(a.rules.app.RequestAlgorithms)
	switch {
	case algorithm == "":
		a.refuseUnverified("no algorithm of " + a.key.kind + " is in request_algorithms")
	case p.Alg != "" && p.Alg != algorithm:
		a.refuse(request.CodeComponents, "alg is not "+algorithm+", the algorithm of the key")
	case !request.VerifySignature(algorithm, a.key.public, p.Base, p.Signature):
		a.refuse(signatureInvalid, "not signed by this key over this request")
	default:
		a.good = true
		a.nonce = nonceHash(p.KeyID, p.Nonce)
	}
}

// judgeApple verifies an assertion over SHA-256 of the signature base, and lets
// the verifier appraise what it says of the app.
func (s *Service) judgeApple(a *ask, p *request.Parsed) error {
	if p.Alg != "" {
		a.refuse(request.CodeComponents, "an assertion has no alg")
		return nil
	}
	hash := sha256.Sum256(p.Base)
	ev := attest.Evidence{Format: attest.FormatAppleAssertion, Object: p.Signature}
	want := attest.Expect{App: string(a.in.App), AppID: a.key.appID, PublicKey: a.key.spki, ClientDataHash: hash[:]}
	v, err := s.verify(ev, want, a.rules.policy, a.now)
	if errors.Is(err, attest.ErrMalformed) || errors.Is(err, attest.ErrUnsupported) {
		a.refuse("apple.assertion_signature", "the signature is no assertion: "+err.Error())
		return nil
	}
	if err != nil {
		return fmt.Errorf("registry: verify assertion: %w", err)
	}
	a.verdict = v
	if a.good = v.Claims != nil; !a.good {
		return nil
	}
	if v.Claims.Apple == nil || v.Claims.Apple.Counter == nil {
		return errors.New("registry: the verifier gives no counter of an assertion")
	}
	a.counter = *v.Claims.Apple.Counter
	return nil
}

// nonceHash is what is stored of a nonce.
//
//	SHA-256("staunch/attest/nonce/v1" ‖ 0x00 ‖ L(key id) ‖ L(SHA-256(nonce)))
func nonceHash(keyID, nonce string) [32]byte {
	sum := sha256.Sum256([]byte(nonce))
	return digest("staunch/attest/nonce/v1", keyID, string(sum[:]))
}
