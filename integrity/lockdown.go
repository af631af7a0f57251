package integrity

import (
	"context"
	"errors"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/transfer"
)

// lockIf locks the account of a row that was tampered with, one of the flows' or a
// transfer, if that is what an error says. It gives the error, as ErrIntegrity then.
func (s *Service) lockIf(ctx context.Context, err error) error {
	var t *tampered
	var moved *transfer.Tampered
	switch {
	case errors.As(err, &t):
	case errors.As(err, &moved):
		t = &tampered{moved.Account, string(moved.ID)}
		err = t
	default:
		return err
	}
	s.lockdown(ctx, t)
	return err
}

// lockdown locks an account of which a row was tampered with: nobody uses it
// any more, the owner is told, and the record says what was found. The row
// itself keeps the MAC that it has, for whoever looks into it.
func (s *Service) lockdown(ctx context.Context, t *tampered) {
	now := s.now()
	err := s.store(ctx, func(tx Tx) error {
		tx = &sealed{Tx: tx, key: s.rowKey, wrong: map[string]bool{}}
		a, found, err := tx.Account(ctx, t.account)
		if err != nil || !found {
			return err
		}
		d := &deed{
			caller: account.Caller{Kind: account.System, App: s.app}, account: t.account, action: "account.lock",
			subject: string(t.account), reason: "the MAC of " + t.subject + " is wrong", now: now,
			event: "account.locked", alert: "account.locked",
		}
		if !a.Sound(s.rowKey) { // the account's own row: nothing in it is believed, so nothing is made of it
			d.action, d.event, d.alert = "integrity.failure", "", ""
			if err := s.takeIn(ctx, tx, "audit_refusal", string(t.account), s.policy.Limits.AuditRefusal, now); err != nil {
				return err // it stays like that, and every call finds it
			}
			return s.record(ctx, tx, d)
		}
		if _, err = s.stepAccount(ctx, tx, d, a, account.Step{Name: account.StepLock}); errors.Is(err, account.ErrStep) {
			return nil // it is locked, or deleted
		}
		if err != nil {
			return err
		}
		if _, err := s.revoke(ctx, tx, Scope{Account: t.account, Whole: true}, "integrity", now); err != nil {
			return err
		}
		return s.record(ctx, tx, d)
	})
	s.log.ErrorContext(ctx, "integrity: a row of the store was tampered with", "account", t.account, "subject", t.subject, "locked", err == nil && t.account != "", "error", err)
}
