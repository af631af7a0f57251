package integrity

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/request"
)

// What pillar recovery asks of the accounts, in its own transactions.

// RecoveryTicket is what a recovery ticket was given out for.
type RecoveryTicket struct {
	Account account.ID
	Key     string
	Device  account.DeviceID // empty: the phone is new
	Until   time.Time
}

// ProveNewcomer finds out which key has signed a call, that of a device or one that
// is pending, and uses the proof up. The caller has a key and no account: what he
// may do, a ticket says.
func (s *Service) ProveNewcomer(ctx context.Context, m *request.Message) (account.Caller, error) {
	h, err := s.holder(ctx, m, nil)
	if err != nil {
		return account.Caller{}, err
	}
	if err := s.act(ctx, func(tx Tx) error { return s.settle(ctx, tx, h) }); err != nil {
		return account.Caller{}, err
	}
	return account.Caller{Kind: account.Phone, App: s.app, Key: h.key}, nil
}

// Allow reports an error unless the caller may do the action now.
func (s *Service) Allow(ctx context.Context, tx Tx, c account.Caller, action account.Action) error {
	a, err := s.load(ctx, s.judging(tx), c, s.now())
	if err != nil {
		return err
	}
	return s.require(a, action)
}

// judging is a transaction of the store, with the MACs of its rows.
func (s *Service) judging(tx Tx) Tx { return &sealed{Tx: tx, key: s.rowKey} }

// Ticket finds what a ticket of an account was given out for, by its SHA-256.
// found is false for one that is none, has expired, or was given to another key
// than the caller's.
func (s *Service) Ticket(ctx context.Context, tx Tx, c account.Caller, id account.ID, hash [32]byte) (t RecoveryTicket, found bool, err error) {
	now := s.now()
	if c.Key == "" || id.Validate() != nil {
		return t, false, nil //nolint:nilerr // nobody has a ticket of it
	}
	rows, err := s.judging(tx).Pendings(ctx, id)
	if err != nil {
		return t, false, err
	}
	for _, p := range rows {
		if p.Action != account.StartRecovery && p.Action != account.OpenRecovery {
			continue
		}
		st, err := started(p)
		if err != nil {
			return t, false, err
		}
		until := p.OpensAt.Add(ticketLife)
		if st.Key != c.Key || subtle.ConstantTimeCompare(st.Ticket, hash[:]) != 1 || now.Before(p.OpensAt) || !now.Before(until) {
			continue
		}
		return RecoveryTicket{Account: id, Key: st.Key, Device: p.By.Device, Until: until}, true, s.stillTicketed(ctx, tx, p, st, now)
	}
	return t, false, nil
}

// stillTicketed asks again, when a ticket is used, whether it could be given out:
// the account may be held or locked meanwhile, the device frozen.
func (s *Service) stillTicketed(ctx context.Context, tx Tx, p PendingRow, st starting, now time.Time) error {
	acct, err := s.account(ctx, tx, p.Account)
	if err != nil {
		return err
	}
	a := &actor{Caller: account.Caller{Kind: account.Phone, App: s.app, Key: st.Key}, account: acct, now: now}
	if p.Action == account.StartRecovery {
		return s.require(a, account.StartRecovery)
	}
	dev, err := s.device(ctx, tx, p.Account, p.By.Device)
	if err != nil {
		return err
	}
	a.Account, a.Device, a.device = acct.ID, dev.ID, &dev
	a.Proofs = []account.Proof{{Method: account.ByDeviceKey, At: now, Device: dev.ID}}
	return s.require(a, account.RecoveryUpdate) // from an active device, not held and not frozen
}

// endRecoveries ends the sessions in which PINs are tried, with the account or the
// device that they are of. Their tickets end as pending actions do.
func (s *Service) endRecoveries(ctx context.Context, tx Tx, scope Scope, now time.Time) error {
	switch {
	case s.recovery == nil:
		return nil
	case scope.all():
		return s.recovery.End(ctx, beneath(tx), scope.Account, "", now)
	case scope.Device == "":
		return nil
	}
	dev, found, err := tx.Device(ctx, scope.Device)
	if err != nil || !found {
		return err
	}
	return s.recovery.End(ctx, beneath(tx), scope.Account, dev.KeyID, now)
}

// endStart ends the sessions of a start that an older device has cancelled.
func (s *Service) endStart(ctx context.Context, tx Tx, p PendingRow, now time.Time) error {
	if s.recovery == nil || p.Action != account.StartRecovery {
		return nil
	}
	st, err := started(p)
	if err != nil {
		return err
	}
	return s.recovery.End(ctx, beneath(tx), p.Account, st.Key, now)
}

// Charged tells the owner that a PIN was tried, and what is left.
func (s *Service) Charged(ctx context.Context, tx Tx, id account.ID, by account.DeviceID, remaining, limit int) error {
	d := &deed{
		caller: account.Caller{Kind: account.Phone, App: s.app, Account: id, Device: by}, account: id, device: by, now: s.now(),
		action: "recovery.attempt", subject: string(id), event: "recovery.attempt", alert: "recovery.attempt",
		more: map[string]any{"remaining": remaining}, body: map[string]any{"remaining": remaining, "limit": limit},
		data: map[string]any{"remaining": remaining, "limit": limit},
	}
	return s.record(ctx, s.judging(tx), d)
}

// Registered tells the owner what has become of his PIN: "set", "changed" or
// "deleted".
func (s *Service) Registered(ctx context.Context, tx Tx, id account.ID, by account.DeviceID, what string) error {
	d := &deed{
		caller: account.Caller{Kind: account.Phone, App: s.app, Account: id, Device: by}, account: id, device: by, now: s.now(),
		action: "recovery." + what, subject: string(id), event: "recovery." + what, alert: "recovery." + what,
	}
	return s.record(ctx, s.judging(tx), d)
}

type setupParams struct {
	RegID string `json:"reg_id"`
}

// regID reads the registration that an approval is for.
func regID(params json.RawMessage) (reg [16]byte, err error) {
	p, err := parameters[setupParams](params)
	if err != nil {
		return reg, err
	}
	b, err := hex.DecodeString(p.RegID)
	if err != nil || len(b) != len(reg) {
		return reg, fmt.Errorf("%w: params: reg_id is 16 bytes in hex", ErrMalformed)
	}
	return [16]byte(b), nil
}

func (s *Service) textSetupRecovery(_ context.Context, _ Tx, _ *actor, params json.RawMessage) (string, error) {
	if s.recovery == nil {
		return "", ErrNoRecovery
	}
	if _, err := regID(params); err != nil {
		return "", err
	}
	return "Set, change or remove the recovery PIN of your account? With a PIN you get your chats back when you have lost all devices. It takes the place of the one that you may have.", nil
}

func (s *Service) runSetupRecovery(ctx context.Context, tx Tx, a *actor, d *deed, params json.RawMessage) (any, error) {
	if s.recovery == nil {
		return nil, ErrNoRecovery
	}
	reg, err := regID(params)
	if err != nil {
		return nil, err
	}
	approval, _ := d.more["approval"].(account.ApprovalID)
	d.subject, d.event, d.alert = string(a.Device), "recovery.setup", string(account.SetupRecovery)
	if a.device != nil {
		d.data = map[string]any{"name": a.device.Name}
	}
	return nil, s.recovery.SetUp(ctx, beneath(tx), a.Account, a.Device, approval, reg, a.now)
}

func (s *Service) textOpenRecovery(ctx context.Context, tx Tx, a *actor, params json.RawMessage) (string, error) {
	if s.recovery == nil {
		return "", ErrNoRecovery
	}
	if _, err := parameters[none](params); err != nil {
		return "", err
	}
	if has, err := s.recovery.Has(ctx, beneath(tx), a.Account); err != nil || !has {
		return "", firstError(err, ErrNoBackup)
	}
	return "Get your sealed keys back on this device with your recovery PIN?", nil
}

// runOpenRecovery gives a device a ticket for itself. It changes no state.
func (s *Service) runOpenRecovery(ctx context.Context, tx Tx, a *actor, d *deed, _ json.RawMessage) (any, error) {
	if s.recovery == nil {
		return nil, ErrNoRecovery
	}
	if a.device == nil {
		return nil, &account.Refused{Action: account.OpenRecovery, Why: account.WhyFrom}
	}
	p := PendingRow{
		ID: account.NewPendingID(), Account: a.Account, Action: account.OpenRecovery, By: Creator{Kind: a.Kind, Device: a.Device, Session: a.Session},
		CreatedAt: a.now, OpensAt: a.now, State: StateOpen,
	}
	ticket := s.ticket(p.ID, a.device.KeyID)
	sum := sha256.Sum256(ticket)
	var err error
	if p.Params, err = json.Marshal(starting{Key: a.device.KeyID, Name: a.device.Name, Platform: a.device.Platform, Ticket: sum[:]}); err != nil {
		return nil, err
	}
	d.subject, d.event, d.alert = string(a.Device), "recovery.opened", string(account.OpenRecovery)
	d.data = map[string]any{"name": a.device.Name}
	result := map[string]any{"ticket": base64.StdEncoding.EncodeToString(ticket), "until": p.OpensAt.Add(ticketLife).UTC()}
	return result, tx.AddPending(ctx, p)
}
