package recovery

import (
	"context"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery/wire"
)

// SetUp lets a device register reg: its owner has confirmed that, in the
// transaction tx. What another device may have registered, it may no more.
func (s *Service) SetUp(ctx context.Context, tx Tx, id account.ID, device account.DeviceID, approval account.ApprovalID, reg [16]byte) error {
	v := SetupRow{Account: id, Reg: reg, Device: device, Approval: approval, At: s.now()}
	v.MAC = v.Seal(s.rowKey)
	return tx.PutSetup(ctx, v)
}

// HasBackup reports whether a PIN brings something back for the account. It is for
// the flows of the accounts, in their transaction.
func (s *Service) HasBackup(ctx context.Context, tx Tx, id account.ID) (bool, error) {
	p, found, err := s.pointerOf(ctx, tx, id)
	return found && p.Stage != Deleting, err
}

// deleting notes that the owner wants the registration gone. It is when every
// vault has a tombstone.
func (s *Service) deleting(ctx context.Context, tx Tx, id account.ID, now time.Time) error {
	p, found, err := s.pointerOf(ctx, tx, id)
	if err != nil || !found || p.Stage == Deleting {
		return err
	}
	p.Stage, p.At = Deleting, now
	return s.putPointer(ctx, tx, p)
}

// deletedEverywhere drops what is left of a registration, if no vault has a record
// that is not a tombstone.
func (s *Service) deletedEverywhere(ctx context.Context, tx Tx, id account.ID) error {
	for _, p := range s.pools {
		row, found, err := tx.Recovery(ctx, p.id, p.acct(id))
		if err != nil {
			return err
		}
		if found && wire.State(row.State) != wire.StateDeleted {
			return nil
		}
	}
	return s.gone(ctx, tx, id)
}

// emptied is deletedEverywhere for profile seed, whose enclave deletes nothing: a
// phone that wants its backup gone puts an empty one in its place.
func (s *Service) emptied(ctx context.Context, tx Tx, id account.ID) error {
	p, found, err := s.pointerOf(ctx, tx, id)
	if err != nil || !found || p.Stage != Deleting {
		return err
	}
	return s.gone(ctx, tx, id)
}

// gone drops the pointer, and with it the blobs and what the owner had confirmed.
func (s *Service) gone(ctx context.Context, tx Tx, id account.ID) error {
	_, found, err := s.pointerOf(ctx, tx, id)
	if err != nil || !found {
		return err
	}
	if err := tx.DropPointer(ctx, id); err != nil {
		return err
	}
	if err := tx.DropBlobs(ctx, id, nil); err != nil {
		return err
	}
	if err := tx.DropNamed(ctx, id, [16]byte{}); err != nil {
		return err
	}
	if err := tx.EndSetup(ctx, id); err != nil {
		return err
	}
	return s.accounts.Registered(ctx, tx, id, "", whatDeleted)
}
