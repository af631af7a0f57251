package integrity

import (
	"context"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
)

// joinFromSignIn is what "approve" does with a phone that nobody knows, and that
// has signed in with a passkey: it becomes a join into that account, which
// another device must approve, and is finished with the same passkey. Its key is
// the account's, and pending. All devices are told; the alert names the join.
func (s *Service) joinFromSignIn(ctx context.Context, c account.Caller, p *NewPhone, k *newKey, as *asserted, now time.Time) (*Joined, error) {
	j := s.newJoin(c, JoinPhone, now)
	j.Account = as.credential.Account
	c.Kind, c.Account, c.Session, c.Proofs = account.Phone, j.Account, "", []account.Proof{as.proof(now)}
	err := s.actWithKey(ctx, k, registry.StatePending, func(tx Tx, keyID string) error {
		c.Key = keyID
		a, err := s.load(ctx, tx, c, now)
		if err != nil {
			return err
		}
		if err := s.use(ctx, tx, as.ceremony, a.account, now); err != nil {
			return err
		}
		if err := s.require(a, account.SignInNewPhone); err != nil {
			return err
		}
		// a bucket of its own: who has the passkey does not use up the owner's joins
		if err := s.takeIn(ctx, tx, "join_asked", string(a.Account), s.policy.Limits.Join, now); err != nil {
			return err
		}
		if err := s.weigh(ctx, tx, c, as, now); err != nil {
			return err
		}
		if err := s.used(ctx, tx, as, "", now); err != nil {
			return err
		}
		j.of(p, keyID)
		if err := tx.AddJoin(ctx, j); err != nil {
			return err
		}
		d := s.deed(a, "join.requested", string(j.ID))
		d.more = map[string]any{"credential": as.credential.Ref, "key": keyID}
		d.alert = string(account.SignInNewPhone)
		d.data = map[string]any{"join": j.ID, "name": p.Name, "platform": p.Platform, "credential": as.credential.Ref}
		return s.record(ctx, tx, d)
	})
	if err != nil {
		return nil, err
	}
	return &Joined{Join: j.ID, Number: j.Number, ExpiresAt: j.ExpiresAt}, nil
}
