package integrity

import (
	"context"
	"errors"
	"sync"

	"github.com/staunchid/staunch/account"
)

// act runs fn in one transaction that writes. If fn meets a row that was
// tampered with, the transaction is undone, the account is locked in another,
// and the caller gets ErrIntegrity. After the commit, those who wait for alerts
// of the accounts that it touched are woken.
func (s *Service) act(ctx context.Context, fn func(Tx) error) error {
	touched := &touches{}
	err := s.update(ctx, func(tx Tx) error {
		touched.reset() // may run twice
		return fn(&noting{Tx: tx, touched: touched})
	})
	var t *tampered
	if errors.As(err, &t) {
		s.lockdown(ctx, t)
	}
	if err == nil {
		s.alerts.wake(touched.all())
	}
	return err
}

// look runs fn in one transaction that reads.
func (s *Service) look(ctx context.Context, fn func(Tx) error) error {
	err := s.view(ctx, fn)
	var t *tampered
	if errors.As(err, &t) {
		s.lockdown(ctx, t)
	}
	return err
}

// noting is a Tx that remembers for which accounts an alert was appended.
type noting struct {
	Tx
	touched *touches
}

type touches struct {
	mu  sync.Mutex
	ids map[account.ID]bool
}

func (t *touches) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ids = nil
}

func (t *touches) add(id account.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ids == nil {
		t.ids = map[account.ID]bool{}
	}
	t.ids[id] = true
}

func (t *touches) all() []account.ID {
	t.mu.Lock()
	defer t.mu.Unlock()
	ids := make([]account.ID, 0, len(t.ids))
	for id := range t.ids {
		ids = append(ids, id)
	}
	return ids
}

// AppendAlert notes the account, whose readers are woken after the commit.
func (n *noting) AppendAlert(ctx context.Context, a AlertRow) (uint64, error) {
	n.touched.add(a.Account)
	return n.Tx.AppendAlert(ctx, a)
}
