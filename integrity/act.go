package integrity

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/staunchid/staunch/account"
)

// act runs fn in one transaction that writes. If fn meets a row that was
// tampered with, the transaction is undone, the account is locked in another,
// and the caller gets ErrIntegrity. After the commit, those who wait for alerts
// of the accounts that it touched, for the joins or for the transfers, are woken.
func (s *Service) act(ctx context.Context, fn func(Tx) error) error {
	touched := &touches{}
	err := s.update(ctx, func(tx Tx) error {
		*touched = touches{} // may run twice
		return fn(&noting{Tx: tx, touched: touched})
	})
	err = s.lockIf(ctx, err)
	if err == nil {
		s.alerts.wake(touched.accounts.all())
		s.joins.wake(touched.joins.all())
		if s.moves != nil {
			s.moves.Wake(touched.moves.all()...)
		}
	}
	return err
}

// look runs fn in one transaction that reads.
func (s *Service) look(ctx context.Context, fn func(Tx) error) error {
	return s.lockIf(ctx, s.view(ctx, fn))
}

// noting is a Tx that remembers for which accounts an alert was appended, and
// which joins changed; and, as long as no device changes, the one that a call's
// key was found to be of, so that it is not read twice.
type noting struct {
	Tx
	touched *touches
	device  *account.Device
}

// DeviceByKey keeps what it finds for Device.
func (n *noting) DeviceByKey(ctx context.Context, keyID string) (account.Device, bool, error) {
	d, found, err := n.Tx.DeviceByKey(ctx, keyID)
	if err == nil && found {
		n.device = &d
	}
	return d, found, err
}

// Device gives what DeviceByKey has found, if it is the same.
func (n *noting) Device(ctx context.Context, id account.DeviceID) (account.Device, bool, error) {
	if n.device != nil && n.device.ID == id {
		return *n.device, true, nil
	}
	return n.Tx.Device(ctx, id)
}

func (n *noting) PutDevice(ctx context.Context, d account.Device) error {
	n.device = nil
	return n.Tx.PutDevice(ctx, d)
}

func (n *noting) SeenDevice(ctx context.Context, id account.DeviceID, at time.Time) error {
	n.device = nil
	return n.Tx.SeenDevice(ctx, id, at)
}

type touches struct {
	accounts set[account.ID]
	joins    set[account.JoinID]
	moves    set[account.TransferID]
}

type set[ID comparable] map[ID]bool

func (t *set[ID]) add(id ID) {
	if *t == nil {
		*t = set[ID]{}
	}
	(*t)[id] = true
}

func (t set[ID]) all() []ID { return slices.Collect(maps.Keys(t)) }

// AppendAlert notes the account, whose readers are woken after the commit.
func (n *noting) AppendAlert(ctx context.Context, a AlertRow) (uint64, error) {
	n.touched.accounts.add(a.Account)
	return n.Tx.AppendAlert(ctx, a)
}

// PutJoin notes the join, whose holder is woken after the commit.
func (n *noting) PutJoin(ctx context.Context, j JoinRow, was string) (bool, error) {
	n.touched.joins.add(j.ID)
	return n.Tx.PutJoin(ctx, j, was)
}
