package integrity

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/transfer"
)

// inspectedAlerts is how many alerts Inspect gives.
const inspectedAlerts = 50

// Inspected is an account as an operator sees it: nothing of it is secret, and
// nothing is left out. Rows whose MAC is wrong are here as they lie in the store,
// and Tampered names them: they prove nothing.
type Inspected struct {
	Account  account.Account // without freeze code and MAC
	Devices  []account.Device
	Passkeys []PasskeyView // removed ones too
	Sessions []account.Session
	Waiting  []PendingRow
	Signals  []account.Signal
	Alerts   []AlertRow // the newest first, up to 50
	Moves    []transfer.Transfer
	Tampered []string // subjects
	At       time.Time
}

// FindAccount finds an account by its exact id or its handle, for an operator.
// What neither is, nor is anybody's, is ErrAccountUnknown. A deleted account is
// found by its id.
func (s *Service) FindAccount(ctx context.Context, c account.Caller, text string) (account.ID, error) {
	if err := s.inspects(c); err != nil {
		return "", err
	}
	text = strings.TrimSpace(text)
	id := account.ID(text)
	var key string
	if id.Validate() != nil {
		var err error
		if key, err = handleKey(text); err != nil || key == "" {
			return "", ErrAccountUnknown //nolint:nilerr // nobody can have that name
		}
	}
	err := s.view(ctx, func(tx Tx) error {
		var a account.Account
		var found bool
		var err error
		if key == "" {
			a, found, err = tx.Account(ctx, id)
		} else {
			a, found, err = s.accountByHandle(ctx, tx, key)
		}
		if err == nil && !found {
			err = ErrAccountUnknown
		}
		id = a.ID
		return err
	})
	if err != nil {
		return "", err
	}
	return id, nil
}

// inspects lets operators of the app read what is not theirs.
func (s *Service) inspects(c account.Caller) error {
	if !c.In(s.app) || c.Kind != account.Operator {
		return fmt.Errorf("%w: accounts are looked at by operators", ErrNotAllowed)
	}
	return nil
}

// Inspect gives an account, a deleted one too, for an operator. Nothing is changed
// by it, and an account in which something is wrong is not locked: who is at the
// console sees that first. That he has looked is for package operator to record,
// before he does.
func (s *Service) Inspect(ctx context.Context, c account.Caller, id account.ID) (*Inspected, error) {
	if err := s.inspects(c); err != nil {
		return nil, err
	}
	if id.Validate() != nil {
		return nil, ErrAccountUnknown
	}
	now := s.now()
	var out *Inspected
	err := s.view(ctx, func(tx Tx) error {
		i := inspector{s: s, tx: &sealed{Tx: beneath(tx), key: s.rowKey, wrong: map[string]bool{}}, now: now, out: &Inspected{At: now}}
		if err := i.read(ctx, id); err != nil {
			return err
		}
		out = i.out
		out.Tampered = slices.Sorted(maps.Keys(i.tx.wrong))
		return nil
	})
	return out, err
}

// inspector reads one account.
type inspector struct {
	s   *Service
	tx  *sealed
	now time.Time
	out *Inspected
}

// sound notes a row whose MAC is wrong.
func (i *inspector) sound(row interface{ Sound(key []byte) bool }, id string) {
	if !row.Sound(i.s.rowKey) {
		i.tx.wrong[id] = true
	}
}

func (i *inspector) read(ctx context.Context, id account.ID) error {
	a, found, err := i.tx.Account(ctx, id)
	if err != nil || !found {
		return firstError(err, ErrAccountUnknown)
	}
	i.sound(a, string(a.ID))
	a.FreezeCode, a.MAC = nil, nil
	i.out.Account = a
	if i.out.Devices, err = i.tx.Devices(ctx, id); err != nil {
		return err
	}
	for k, d := range i.out.Devices {
		i.sound(d, string(d.ID))
		i.out.Devices[k].MAC = nil
	}
	if err := i.passkeys(ctx, id); err != nil {
		return err
	}
	sessions, err := i.tx.Sessions(ctx, id)
	if err != nil {
		return err
	}
	for _, sess := range sessions {
		if live(sess, i.now) {
			sess.TokenHash, sess.MAC = [32]byte{}, nil
			i.out.Sessions = append(i.out.Sessions, sess)
		}
	}
	waiting, err := i.tx.Pendings(ctx, id)
	if err != nil {
		return err
	}
	for _, p := range stillWaiting(waiting, i.now) {
		p.Params, p.MAC = nil, nil
		i.out.Waiting = append(i.out.Waiting, p)
	}
	if i.out.Signals, err = i.tx.Signals(ctx, id, i.now); err != nil {
		return err
	}
	if i.out.Alerts, err = i.tx.NewestAlerts(ctx, id, inspectedAlerts); err != nil {
		return err
	}
	return i.moves(ctx, id)
}

func (i *inspector) passkeys(ctx context.Context, id account.ID) error {
	all, err := i.tx.Credentials(ctx, id)
	if err != nil {
		return err
	}
	for _, c := range all {
		i.sound(c, string(c.Ref))
		view, err := passkeyView(c)
		if errors.Is(err, passkey.ErrMalformed) { // then its MAC is wrong as well
			view = PasskeyView{Ref: c.Ref, Name: c.Name, State: c.State, Devices: c.Devices, AddedAt: c.AddedAt, LastUsedAt: c.LastUsedAt}
		} else if err != nil {
			return err
		}
		i.out.Passkeys = append(i.out.Passkeys, view)
	}
	return nil
}

// moves are those of the account that have not ended, and the ended ones of its
// devices, by time.
func (i *inspector) moves(ctx context.Context, id account.ID) error {
	if i.s.moves == nil {
		return nil
	}
	tx, err := transferTx(i.tx)
	if err != nil {
		return err
	}
	rows, err := tx.TransfersOf(ctx, id)
	if err != nil {
		return err
	}
	for _, d := range i.out.Devices {
		more, err := tx.TransfersOfDevice(ctx, d.ID)
		if err != nil {
			return err
		}
		rows = append(rows, more...)
	}
	seen := map[transfer.ID]bool{}
	for _, t := range rows {
		if seen[t.ID] || t.Account != id {
			continue
		}
		seen[t.ID] = true
		standing, err := i.s.moves.Standing(ctx, tx, t.ID, i.now)
		var tampered *transfer.Tampered
		switch {
		case errors.As(err, &tampered):
			i.tx.wrong[string(t.ID)] = true
			standing = t
		case err != nil:
			return err
		}
		i.out.Moves = append(i.out.Moves, plain(standing))
	}
	slices.SortStableFunc(i.out.Moves, func(a, b transfer.Transfer) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return nil
}

// plain is a transfer with what no operator needs left out: shares, sealed keys and
// the messages of the phones.
func plain(t transfer.Transfer) transfer.Transfer {
	return transfer.Transfer{
		ID: t.ID, Version: t.Version, State: t.State, Reason: t.Reason, Account: t.Account, SenderDevice: t.SenderDevice, NewDevice: t.NewDevice,
		Class: t.Class, HoldReasons: t.HoldReasons, CreatedAt: t.CreatedAt, ConfirmedAt: t.ConfirmedAt, Opens: t.Opens, Deadline: t.Deadline,
		CommittedAt: t.CommittedAt, AckedAt: t.AckedAt, RecallUntil: t.RecallUntil, FrozenSince: t.FrozenSince, EndedAt: t.EndedAt,
		BytesExpected: t.BytesExpected, BytesStored: t.BytesStored, Revision: t.Revision, Place: t.Place,
	}
}
