package integrity

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/staunchid/staunch/account"
)

type handleParams struct {
	Handle string `json:"handle"`
}

// newHandle reads a handle that nobody else has.
func (s *Service) newHandle(ctx context.Context, tx Tx, a *actor, params json.RawMessage) (shown string, err error) {
	p, err := parameters[handleParams](params)
	if err != nil {
		return "", err
	}
	shown, key, err := account.ParseHandle(p.Handle)
	if err != nil {
		return "", err
	}
	other, found, err := s.accountByHandle(ctx, tx, key)
	if err != nil {
		return "", err
	}
	if found && other.ID != a.Account {
		return "", ErrHandleTaken
	}
	return shown, nil
}

func (s *Service) textChangeHandle(ctx context.Context, tx Tx, a *actor, params json.RawMessage) (string, error) {
	shown, err := s.newHandle(ctx, tx, a, params)
	if err != nil {
		return "", err
	}
	if a.account.Handle == "" {
		return fmt.Sprintf("Take the name “%s”? Other people can see it.", shown), nil
	}
	return fmt.Sprintf("Change your name from “%s” to “%s”? Other people can see it, and the old one is free for others.", a.account.Handle, shown), nil
}

func (s *Service) runChangeHandle(ctx context.Context, tx Tx, a *actor, d *deed, params json.RawMessage) (any, error) {
	shown, err := s.newHandle(ctx, tx, a, params)
	if err != nil {
		return nil, err
	}
	a.account.Handle = shown
	d.event, d.alert = "account.handle_changed", string(account.ChangeHandle)
	d.data = map[string]any{"handle": shown}
	d.row(string(a.Account), a.account.Digest())
	return map[string]any{"handle": shown}, s.putAccount(ctx, tx, a.account)
}

func (s *Service) textRenewFreezeCode(_ context.Context, _ Tx, _ *actor, params json.RawMessage) (string, error) {
	if _, err := parameters[none](params); err != nil {
		return "", err
	}
	return "Make a new freeze code? The old one stops working.", nil
}

func (s *Service) runRenewFreezeCode(ctx context.Context, tx Tx, a *actor, d *deed, params json.RawMessage) (any, error) {
	if _, err := parameters[none](params); err != nil {
		return nil, err
	}
	code := account.NewFreezeCode()
	sum := code.Hash()
	a.account.FreezeCode = sum[:]
	d.event, d.alert = "account.freeze_code_renewed", string(account.RenewFreezeCode)
	d.row(string(a.Account), a.account.Digest())
	return map[string]any{"freeze_code": code.Reveal()}, s.putAccount(ctx, tx, a.account)
}

func (s *Service) textUnfreeze(_ context.Context, _ Tx, a *actor, params json.RawMessage) (string, error) {
	if _, err := parameters[none](params); err != nil {
		return "", err
	}
	if a.account.State != account.Frozen {
		return "", fmt.Errorf("%w: the account is not frozen", ErrTooLate)
	}
	return fmt.Sprintf("Unfreeze your account? It works again at once, or after %s if this device or passkey is not enough to do it at once.",
		span(s.policy.Waits.Unfreeze)), nil
}

// runUnfreeze unfreezes at once for who has met the requirement that wants that,
// and begins the wait for who has met the slower one.
func (s *Service) runUnfreeze(ctx context.Context, tx Tx, a *actor, d *deed, params json.RawMessage) (any, error) {
	if _, err := parameters[none](params); err != nil {
		return nil, err
	}
	if a.account.State != account.Frozen {
		d.action = ""
		return Thawed{State: a.account.State}.result(), nil
	}
	if s.require(a, account.UnfreezeAccount) != nil {
		p, err := s.wait(ctx, tx, a, d, account.UnfreezeAccount, s.policy.Waits.Unfreeze)
		return Thawed{State: account.Frozen, OpensAt: p.OpensAt}.result(), err
	}
	if err := s.unfreeze(ctx, tx, d, a.account); err != nil {
		return nil, err
	}
	next, err := s.account(ctx, tx, a.Account)
	return Thawed{State: next.State, Changed: true}.result(), err
}

func (s *Service) textDelete(_ context.Context, _ Tx, _ *actor, params json.RawMessage) (string, error) {
	if _, err := parameters[none](params); err != nil {
		return "", err
	}
	return fmt.Sprintf("Delete your account for good? It is deleted after %s; until then you can cancel it on any device.", span(s.policy.Waits.Delete)), nil
}

func (s *Service) runDelete(ctx context.Context, tx Tx, a *actor, d *deed, params json.RawMessage) (any, error) {
	if _, err := parameters[none](params); err != nil {
		return nil, err
	}
	p, err := s.wait(ctx, tx, a, d, account.DeleteAccount, s.policy.Waits.Delete)
	return map[string]any{"state": a.account.State.String(), "pending": p.ID, "opens_at": p.OpensAt.UTC()}, err
}
