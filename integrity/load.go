package integrity

import (
	"context"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
)

// tampered is a row whose MAC is wrong: it was changed in the store, or moved
// from elsewhere.
type tampered struct {
	account account.ID
	subject string
}

func (t *tampered) Error() string {
	return fmt.Sprintf("%v: the MAC of %s is wrong", ErrIntegrity, t.subject)
}

func (t *tampered) Unwrap() error { return ErrIntegrity }

// account reads an account that is there, and checks its MAC.
func (s *Service) account(ctx context.Context, tx Tx, id account.ID) (account.Account, error) {
	a, found, err := tx.Account(ctx, id)
	if err != nil || !found {
		return a, firstError(err, ErrAccountUnknown)
	}
	if !a.Sound(s.rowKey) {
		return account.Account{}, &tampered{id, string(id)}
	}
	if a.State == account.Deleted {
		return account.Account{}, ErrAccountUnknown
	}
	return a, nil
}

// accountByHandle finds an account by the folded form of its handle. The column
// that it is found by has no MAC, and the handle has: they must be of one another,
// or else whoever writes to the store leads a handle to another account's
// passkeys. The MAC is for the caller to check.
func (s *Service) accountByHandle(ctx context.Context, tx Tx, key string) (account.Account, bool, error) {
	a, found, err := tx.AccountByHandle(ctx, key)
	if err != nil || !found {
		return a, false, err
	}
	if own, err := handleKey(a.Handle); err != nil || own != key {
		return account.Account{}, false, &tampered{a.ID, string(a.ID)}
	}
	return a, true, nil
}

// device reads a device of an account that is there, and checks its MAC. One of
// another account is unknown.
func (s *Service) device(ctx context.Context, tx Tx, of account.ID, id account.DeviceID) (account.Device, error) {
	d, found, err := tx.Device(ctx, id)
	if err != nil || !found {
		return d, firstError(err, ErrDeviceUnknown)
	}
	if err := s.soundDevice(d); err != nil {
		return account.Device{}, err
	}
	if d.Account != of || d.State == account.Deleted {
		return account.Device{}, ErrDeviceUnknown
	}
	return d, nil
}

func (s *Service) soundDevice(d account.Device) error {
	if !d.Sound(s.rowKey) {
		return &tampered{d.Account, string(d.ID)}
	}
	return nil
}

// devices reads the devices of an account, without tombstones.
func (s *Service) devices(ctx context.Context, tx Tx, id account.ID) ([]account.Device, error) {
	all, err := tx.Devices(ctx, id)
	if err != nil {
		return nil, err
	}
	living := all[:0]
	for _, d := range all {
		if err := s.soundDevice(d); err != nil {
			return nil, err
		}
		if d.State != account.Deleted {
			living = append(living, d)
		}
	}
	return living, nil
}

// credentials reads the passkeys of an account, without removed ones.
func (s *Service) credentials(ctx context.Context, tx Tx, id account.ID) ([]account.Credential, error) {
	all, err := tx.Credentials(ctx, id)
	if err != nil {
		return nil, err
	}
	living := all[:0]
	for _, c := range all {
		if err := s.soundCredential(c); err != nil {
			return nil, err
		}
		if c.State != account.CredentialRemoved {
			living = append(living, c)
		}
	}
	return living, nil
}

func (s *Service) soundCredential(c account.Credential) error {
	if !c.Sound(s.rowKey) {
		return &tampered{c.Account, string(c.Ref)}
	}
	return nil
}

// credential reads a passkey of an account that is not removed.
func (s *Service) credential(ctx context.Context, tx Tx, of account.ID, ref account.CredentialRef) (account.Credential, error) {
	c, found, err := tx.Credential(ctx, ref)
	if err != nil || !found {
		return c, firstError(err, ErrCredentialUnknown)
	}
	if err := s.soundCredential(c); err != nil {
		return account.Credential{}, err
	}
	if c.Account != of || c.State == account.CredentialRemoved {
		return account.Credential{}, ErrCredentialUnknown
	}
	return c, nil
}

func (s *Service) putAccount(ctx context.Context, tx Tx, a account.Account) error {
	a.MAC = a.Seal(s.rowKey)
	key, err := handleKey(a.Handle)
	if err != nil {
		return err
	}
	return tx.PutAccount(ctx, a, key)
}

func (s *Service) putDevice(ctx context.Context, tx Tx, d account.Device) error {
	d.MAC = d.Seal(s.rowKey)
	return tx.PutDevice(ctx, d)
}

func (s *Service) putCredential(ctx context.Context, tx Tx, c account.Credential) error {
	c.MAC = c.Seal(s.rowKey)
	return tx.PutCredential(ctx, c)
}

func firstError(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

func handleKey(handle string) (string, error) {
	if handle == "" {
		return "", nil
	}
	_, key, err := account.ParseHandle(handle)
	return key, err
}

// actor is a caller with what the store says of him in this transaction: the
// account, its devices as far as they matter, and the signals that stand.
type actor struct {
	account.Caller
	account account.Account
	device  *account.Device // of a phone; nil: a browser, a backend, the clock
	signals []account.Signal
	now     time.Time
}

// load reads the account of a caller who has one. The caller was proved by the
// edge; whether he may act is for require to say.
func (s *Service) load(ctx context.Context, tx Tx, c account.Caller, now time.Time) (*actor, error) {
	if !c.In(s.app) {
		return nil, ErrNotAllowed
	}
	if c.Account == "" {
		return nil, ErrSessionRequired
	}
	a := &actor{Caller: c, now: now}
	var err error
	if a.account, err = s.account(ctx, tx, c.Account); err != nil {
		return nil, err
	}
	if c.Device != "" {
		d, err := s.device(ctx, tx, c.Account, c.Device)
		if err != nil {
			return nil, err
		}
		a.device = &d
	}
	if s.policy.AccountsWithoutDevice && a.device == nil {
		all, err := s.devices(ctx, tx, c.Account)
		if err != nil {
			return nil, err
		}
		a.account.Deviceless = len(all) == 0
	}
	if a.signals, err = tx.Signals(ctx, c.Account, now); err != nil {
		return nil, err
	}
	return a, s.reload(ctx, tx, a)
}

// reload reads the session of the caller anew, so that one that has ended since
// the edge looked counts for nothing.
func (s *Service) reload(ctx context.Context, tx Tx, a *actor) error {
	if a.Session == "" {
		return nil
	}
	sess, found, err := tx.Session(ctx, a.Session)
	if err != nil {
		return err
	}
	if !found || !live(sess, a.now) || sess.Account != a.Account || sess.Device != a.Device {
		return ErrSessionEnded
	}
	return nil
}

// live reports whether a session counts at now.
func live(sess account.Session, now time.Time) bool {
	return sess.EndedAt.IsZero() && now.Before(sess.Until)
}
