package registry

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
)

// Purpose says what a challenge is for; it is good for nothing else.
type Purpose string

// The purposes.
const (
	PurposeRegister Purpose = "register" // to attest a new key
	PurposeRequest  Purpose = "request"  // to sign one request
)

// Challenge is what the store knows of a challenge: not its value.
type Challenge struct {
	Hash    [32]byte // SHA-256 of the value
	App     account.AppID
	Account account.ID // empty before sign-up
	Purpose Purpose
	Issued  time.Time
	Expires time.Time
	Used    time.Time // zero: open
}

// ChallengeRequest asks for a challenge.
type ChallengeRequest struct {
	App     account.AppID
	Account account.ID // empty before sign-up
	Purpose Purpose
}

// IssuedChallenge is a challenge for the phone.
type IssuedChallenge struct {
	Challenge  []byte // 32 random bytes
	ExpiresAt  time.Time
	ServerTime time.Time // lets a phone with a wrong clock correct itself
}

// How many challenges are stored at a time for callers other than the backend,
// and how long one waits for its turn. Each is a transaction of its own, and
// requests are answered in such a one, too: so it waits for few of them, however
// many ask.
const (
	challengeTurns = 4
	challengeWait  = time.Second
)

// turn waits for one of the turns, and gives it back with done; or it reports
// ErrRate.
func (s *Service) turn(ctx context.Context) (done func(), err error) {
	done = func() { <-s.turns }
	select {
	case s.turns <- struct{}{}:
		return done, nil
	default:
	}
	wait := time.NewTimer(challengeWait)
	defer wait.Stop()
	select {
	case s.turns <- struct{}{}:
		return done, nil
	case <-wait.C:
		return nil, ErrRate
	case <-ctx.Done():
		return nil, fmt.Errorf("registry: wait for a turn: %w", ctx.Err())
	}
}

// CreateChallenge issues a challenge. Anybody may have one for nobody's
// account, if there is a turn for him. One that is bound to an account is a permission to register a key
// there, and only the app's backend, or a phone of that account, may ask for it.
func (s *Service) CreateChallenge(ctx context.Context, caller account.Caller, in *ChallengeRequest) (*IssuedChallenge, error) {
	now := s.now()
	_, app, err := s.current(in.App)
	if err != nil {
		return nil, err
	}
	if err := in.check(caller, s.id); err != nil {
		return nil, err
	}
	if app.ChallengeLifetime <= 0 {
		return nil, fmt.Errorf("registry: the policy gives challenges of app %s no lifetime", in.App)
	}
	value := make([]byte, 32)
	rand.Read(value) // crypto/rand.Read never returns an error
	c := Challenge{
		Hash: sha256.Sum256(value), App: in.App, Account: in.Account, Purpose: in.Purpose,
		Issued: now, Expires: now.Add(app.ChallengeLifetime),
	}
	if caller.Kind != account.Backend {
		done, err := s.turn(ctx)
		if err != nil {
			return nil, err
		}
		defer done()
	}
	err = s.update(ctx, func(tx Tx) error { return tx.AddChallenge(ctx, c) })
	if err != nil {
		return nil, fmt.Errorf("registry: save challenge: %w", err)
	}
	return &IssuedChallenge{Challenge: value, ExpiresAt: c.Expires, ServerTime: now}, nil
}

func (in *ChallengeRequest) check(c account.Caller, app account.AppID) error {
	switch c.Kind {
	case account.Backend:
	case account.Phone, account.Anonymous: // whose Account is empty
		if in.Account != "" && in.Account != c.Account {
			return ErrNotAllowed
		}
	default:
		return ErrNotAllowed
	}
	if !c.In(app) {
		return ErrNotAllowed
	}
	if in.Purpose != PurposeRegister && in.Purpose != PurposeRequest {
		return fmt.Errorf("%w: purpose %.20q", ErrMalformed, in.Purpose)
	}
	if in.Account == "" {
		return nil
	}
	if err := in.Account.Validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return nil
}

// judge reports why c cannot be used for this now, or nil. Another app's,
// account's or purpose's challenge is as unknown as one that was never issued.
func (c Challenge) judge(app account.AppID, id account.ID, p Purpose, now time.Time) *attest.Finding {
	switch {
	case c.App != app || c.Account != id || c.Purpose != p:
		return finding(challengeUnknown, "not issued for this app, account and purpose")
	case !c.Used.IsZero():
		return finding(challengeUsed, "already consumed")
	case !now.Before(c.Expires):
		return finding(challengeExpired, "older than challenge_lifetime")
	}
	return nil
}

// openChallenge looks a challenge up in tx and judges it.
func openChallenge(ctx context.Context, tx Tx, hash [32]byte, app account.AppID, id account.ID, p Purpose, now time.Time) (*attest.Finding, error) {
	c, err := tx.Challenge(ctx, hash)
	if errors.Is(err, ErrChallengeUnknown) {
		return finding(challengeUnknown, "never issued, or long expired"), nil
	}
	if err != nil {
		return nil, err
	}
	return c.judge(app, id, p, now), nil
}
