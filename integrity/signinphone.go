package integrity

import (
	"context"
	"errors"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/passkey"
)

// errAtOnce says that a call has to go one step after the other.
var errAtOnce = errors.New("integrity: a sign-in cannot be finished at once")

// SignInOnPhone is Prove and then FinishSignIn, for a call of a phone that is
// known, and mostly in one transaction that writes: it uses the call up, opens
// the session and puts it on record. It gives who has signed the call, if that
// was found out.
//
// Whatever stands in the way, it undoes that transaction, unless the call itself
// is refused, and does the two one after the other. So the reason and what is
// counted are theirs.
func (s *Service) SignInOnPhone(ctx context.Context, m *request.Message, token Token, network string, in *SignInAnswer) (account.Caller, *SignInResult, error) {
	proving, err := s.proveLater(ctx, m, false)
	if err != nil {
		return account.Caller{}, nil, err
	}
	c, out, err := s.signInAtOnce(ctx, proving, token, network, in)
	if !errors.Is(err, errAtOnce) {
		return c, out, err
	}
	if c, err = s.settleCall(ctx, proving, token); err != nil {
		return account.Caller{}, nil, err
	}
	c.Network = network
	out, err = s.FinishSignIn(ctx, c, in)
	return c, out, err
}

// signInAtOnce is SignInOnPhone if all is well, and when the call is refused;
// else it changes nothing, and its error is errAtOnce.
func (s *Service) signInAtOnce(ctx context.Context, p *registry.Proving, token Token, network string, in *SignInAnswer) (account.Caller, *SignInResult, error) {
	nobody := account.Caller{Kind: account.Phone, App: s.app, Network: network}
	if in.Phone != nil || in.Browser != nil {
		return nobody, nil, errAtOnce
	}
	now := s.now()
	c := nobody
	c.Key = p.KeyID() // it has signed the call; what else there is to say of it says Settle
	as, err := (&attempt{Service: s, key: c.Key}).assert(ctx, c, passkey.SignIn, in.Ceremony, in.Response, bound(c, nil), "", now)
	if err != nil || as.assertion.BackupEligible && !account.SyncedAllowed(s.policy.SyncedOK, account.SignIn) {
		return nobody, nil, errAtOnce
	}
	var out *Signed
	var refused error
	err = s.act(ctx, func(tx Tx) error {
		c, out, refused = nobody, nil, nil
		proved, err := p.Settle(ctx, tx)
		if errors.Is(err, registry.ErrProofRefused) {
			refused = s.proofError(err)
			return nil // what was signed is used up
		}
		if err != nil {
			return err
		}
		if err := s.prove(ctx, tx, &c, proved, token, now); err != nil {
			return errAtOnce
		}
		if c.Account != as.credential.Account { // nor if it is of none
			return errAtOnce
		}
		if out, err = s.signIn(ctx, tx, c, nil, as, now); err != nil {
			return errAtOnce
		}
		return nil
	})
	if err = firstError(err, refused); err != nil {
		return account.Caller{}, nil, err
	}
	return c, &SignInResult{Signed: out}, nil
}

// attempt verifies an answer. With a key, whose call is not settled yet, it
// changes nothing: whatever is wrong is errAtOnce, and it is counted and locked
// once the call is settled.
type attempt struct {
	*Service
	key string
}

// look shows a call that is not settled what may never be committed: the
// transaction that signs in reads it again, and all that is wrong is looked at
// anew once the call is settled.
func (s *attempt) look(ctx context.Context, fn func(Tx) error) error {
	if s.key == "" {
		return s.Service.look(ctx, fn)
	}
	return s.peek(ctx, fn)
}

func (s *attempt) failed(ctx context.Context, c account.Caller, id account.ID, cause error) error {
	if s.key == "" {
		return s.Service.failed(ctx, c, id, cause)
	}
	return errAtOnce
}

func (s *attempt) refusal(ctx context.Context, c account.Caller, a *asserted, now time.Time) error {
	if s.key == "" || a.effect == passkey.Note || a.effect == passkey.Raise {
		return s.Service.refusal(ctx, c, a, now)
	}
	return errAtOnce
}
