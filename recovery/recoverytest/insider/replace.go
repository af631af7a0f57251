package insider

import (
	"context"

	"github.com/staunchid/staunch/recovery/recoverytest"
	"github.com/staunchid/staunch/recovery/wire"
)

// Replace deletes the owner's registration with a voucher and puts one of the
// insider's own in its place, at one vault. It reports what the vault says to
// each.
func (s *Search) Replace(ctx context.Context, vault string) (deleted, created wire.Verdict, err error) {
	status, err := s.ask(ctx, vault, wire.OpStatus, &wire.Status{}, Move{})
	if err != nil {
		return 0, 0, err
	}
	target := wire.Target{Vault: vault, Acct: acctOf(s.owner.ID, vault), Gen: status.Gen}
	m, err := wire.SignManaged(nil, &wire.Delete{Target: target})
	if err != nil {
		return 0, 0, err
	}
	a, err := s.ask(ctx, vault, wire.OpDelete, m, Move{Purpose: wire.PurposeDelete})
	if err != nil {
		return 0, 0, err
	}
	d, err := recoverytest.NewDeal(&s.kit.set, "000000", "nothing")
	if err != nil {
		return 0, 0, err
	}
	if m, err = d.Create(vault, target.Acct, a.Gen, s.kit.set.Limit); err != nil {
		return 0, 0, err
	}
	b, err := s.ask(ctx, vault, wire.OpCreate, m, Move{Purpose: wire.PurposeAgain})
	if err != nil {
		return a.Verdict, 0, err
	}
	return a.Verdict, b.Verdict, nil
}

// Register puts a registration of the insider's own beside the owner's, at one
// vault: without a signature, for he has no manage key, but with a voucher. It
// reports what the account was before, and the verdict.
func (s *Search) Register(ctx context.Context, vault string) (was wire.State, v wire.Verdict, err error) {
	status, err := s.ask(ctx, vault, wire.OpStatus, &wire.Status{}, Move{})
	if err != nil {
		return 0, 0, err
	}
	d, err := recoverytest.NewDeal(&s.kit.set, "000000", "nothing")
	if err != nil {
		return 0, 0, err
	}
	m, err := d.Create(vault, acctOf(s.owner.ID, vault), status.Gen, s.kit.set.Limit)
	if err != nil {
		return 0, 0, err
	}
	a, err := s.ask(ctx, vault, wire.OpCreate, m, Move{Purpose: wire.PurposeAgain})
	if err != nil {
		return 0, 0, err
	}
	return status.State, a.Verdict, nil
}
