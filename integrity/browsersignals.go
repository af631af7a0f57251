package integrity

import (
	"context"

	"github.com/staunchid/staunch/account"
)

// signals are the arguments of the browser's Signal API: every passkey that is
// not removed is accepted, suspect ones too, and what the account is called.
func (s *Service) signals(ctx context.Context, tx Tx, a account.Account) (*Signals, error) {
	all, err := s.credentials(ctx, tx, a.ID)
	if err != nil {
		return nil, err
	}
	list, err := records(all)
	if err != nil {
		return nil, err
	}
	accepted, err := s.rp.AllAccepted(user(a), list)
	if err != nil {
		return nil, err
	}
	current, err := s.rp.CurrentUser(user(a))
	if err != nil {
		return nil, err
	}
	return &Signals{AllAccepted: &accepted, CurrentUser: &current}, nil
}
