package registry

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/request"
)

// RequestCheck is a request that a phone has signed, as the app's backend has
// received it.
type RequestCheck struct {
	App     account.AppID
	Message *request.Message
	Account account.ID // whose key it must be; empty: anybody's
	Country string     // from the backend or a trusted edge; see attest.Country
}

// RequestVerdict is what became of it.
type RequestVerdict struct {
	Decision Decision
	Advice   Advice
	// Key is the key that signed. It is nil unless the verdict accepts: a stage
	// that only observes lets a request through, and proves nothing of it.
	Key     *VerifiedKey
	Verdict *attest.Verdict
	Stage   string // of the rollout; empty: none matched, and the verdict is enforced
}

// VerifiedKey is the key that signed a request.
type VerifiedKey struct {
	ID           string
	Account      account.ID
	Platform     string // "android" or "apple"
	Tier         attest.Tier
	RegisteredAt time.Time
}

const (
	platformAndroid = "android"
	platformApple   = "apple"
)

// VerifyRequest judges a signed request. The caller is the app's backend.
//
// The first check that fails ends it: shape, authority, what the route demands,
// clock, key, signature. What is signed is then appraised, and last the replay
// guard uses up its nonce or counter, whatever the verdict and the stage of the
// rollout: a request with a good signature is good for one answer. One without
// consumes nothing.
//
// An error means that it cannot tell, and that the nonce may have been used up
// all the same: the phone signs anew.
func (s *Service) VerifyRequest(ctx context.Context, caller account.Caller, in *RequestCheck) (*RequestVerdict, error) {
	now := s.now()
	rules, err := s.requestRules(in.App)
	if err != nil {
		return nil, err
	}
	if !caller.In(s.id) || caller.Kind != account.Backend {
		return nil, ErrNotAllowed
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	a := &ask{caller: caller, in: in, rules: rules, now: now}
	for range 2 { // once more if the key has changed in a way that the signature depends on
		if err := s.expectAndJudge(ctx, a); err != nil {
			return nil, err
		}
		a.room = s.requests.room(a)
		if err := s.requests.guard.pass(ctx, a); err != nil {
			return nil, fmt.Errorf("registry: verify request: %w", err)
		}
		if !a.out.again {
			return a.out.verdict, nil
		}
		s.requests.keys.forget(a.key.id)
	}
	return nil, errors.New("registry: verify request: the key changes all the time")
}

// expectAndJudge judges a, which the guard awaits meanwhile, unless it fails.
func (s *Service) expectAndJudge(ctx context.Context, a *ask) error {
	s.requests.guard.expect()
	comes := false
	defer func() { // also after a panic
		if !comes {
			s.requests.guard.drop()
		}
	}()
	err := s.judge(ctx, a)
	comes = err == nil
	return err
}

// check reports ErrMalformed for what no backend should send.
func (in *RequestCheck) check() error {
	if in.Message == nil {
		return fmt.Errorf("%w: no message", ErrMalformed)
	}
	if in.Account != "" {
		if err := in.Account.Validate(); err != nil {
			return fmt.Errorf("%w: %w", ErrMalformed, err)
		}
	}
	return nil
}

// requests is the part of a Service that judges requests.
type requests struct {
	rules atomic.Pointer[requestRules]
	keys  *keyCache
	guard guard
	loose budget   // of audit entries about requests that nobody has signed
	tight *budgets // of those about requests that a key has

	cleaned atomic.Int64 // when nonces were last deleted, in microseconds
}

func (s *Service) startRequests() {
	s.requests.keys = newKeyCache(keyCacheSize)
	s.requests.guard.commit = s.commitRequests
	s.requests.loose.rate, s.requests.loose.burst = looseRate, looseBurst
	s.requests.tight = newBudgets(keyBudgets)
}

// room says whether there is room on the record for a refusal of a. It is asked
// in the transaction, where a refusal is known, and takes once though that runs
// twice.
func (r *requests) room(a *ask) func() bool {
	return sync.OnceValue(func() bool {
		if !a.good {
			return r.loose.take(a.now)
		}
		return r.tight.take(a.key.id, a.now)
	})
}

// requestRules is what a policy says of an app's requests. It is read once a
// policy, for a policy gives copies of its lists.
type requestRules struct {
	policy  *attest.Policy
	app     attest.AppPolicy
	request attest.RequestPolicy
	android attest.Verdict // without findings, to be copied
}

func (s *Service) requestRules(app account.AppID) (*requestRules, error) {
	if app != s.id {
		return nil, ErrAppUnknown
	}
	if r := s.requests.rules.Load(); r != nil && r.policy == s.policy() {
		return r, nil
	}
	policy, known, err := s.current(app)
	if err != nil {
		return nil, err
	}
	r := &requestRules{policy: policy, app: known, request: policy.Request()}
	r.android = policy.Verdict(attest.FormatAndroidRequest, known.ID, time.Time{})
	s.requests.rules.Store(r)
	return r, nil
}

// nothing is a verdict without findings for what an Android key has signed, or
// for what nobody has.
func (r *requestRules) nothing(now time.Time) attest.Verdict {
	v := r.android
	v.At = now
	return v
}
