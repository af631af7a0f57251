package integrity

import (
	"context"
	"errors"
	"time"

	"github.com/staunchid/staunch/account"
)

// freezeCodeTime is how long every answer to a freeze code takes, so that it does
// not say whether there is such a code.
const freezeCodeTime = 250 * time.Millisecond

// FreezeByCode stops the account that a freeze code is of. Whoever has the code
// need be nobody else. The answer is the same, after the same time, whether or
// not there is one, and whatever state the account is in. Codes that are nobody's
// are counted by network, and a right one counts for nothing and is never
// refused: of 80 bits nobody finds one, and behind one address of a carrier there
// are thousands, any of whom would keep an owner from his.
func (s *Service) FreezeByCode(ctx context.Context, c account.Caller, code string) error {
	if !c.In(s.app) {
		return ErrNotAllowed
	}
	given, err := account.ParseFreezeCode(code)
	if err != nil {
		return err
	}
	wait := time.NewTimer(freezeCodeTime)
	defer wait.Stop()
	now := s.now()
	err = s.act(ctx, func(tx Tx) error {
		a, found, err := tx.AccountByFreezeCode(ctx, given.Hash())
		if err != nil {
			return err
		}
		if !found {
			return s.takeIn(ctx, tx, "freeze_code", c.Network, s.policy.Limits.FreezeCode, now)
		}
		if !a.Sound(s.rowKey) {
			return &tampered{a.ID, string(a.ID)}
		}
		if !given.Opens(a) || a.State != account.Active && a.State != account.Held {
			return nil
		}
		d := &deed{
			caller: account.Caller{Kind: account.Anonymous, App: s.app, Network: c.Network, Place: c.Place},
			class:  account.AnonymousClass, account: a.ID, action: "account.freeze", subject: string(a.ID), now: now,
			body: map[string]any{"method": account.ByFreezeCode}, data: map[string]any{"method": account.ByFreezeCode},
		}
		return s.freeze(ctx, tx, d, a)
	})
	if errors.Is(err, ErrIntegrity) {
		err = nil // the account is locked and an operator told; a stranger learns nothing
	}
	select {
	case <-wait.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return err
}
