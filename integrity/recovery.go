package integrity

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/attest/request"
)

// Recovery is what the flows ask of pillar recovery, in their transaction.
type Recovery interface {
	// SetUp lets a device register reg: the owner has confirmed it.
	SetUp(ctx context.Context, tx Tx, id account.ID, device account.DeviceID, approval account.ApprovalID, reg [16]byte, now time.Time) error
	// Has reports whether a PIN brings something back for the account.
	Has(ctx context.Context, tx Tx, id account.ID) (bool, error)
	// Finished reports whether, with the ticket of that SHA-256, the PIN was proved.
	Finished(ctx context.Context, tx Tx, id account.ID, ticket [32]byte) (bool, error)
	// End ends the open sessions of an account, or of one key.
	End(ctx context.Context, tx Tx, id account.ID, key string, now time.Time) error
}

const (
	ticketLife   = 24 * time.Hour // from when the wait is over
	startsEvery  = 24 * time.Hour
	startsWindow = 30 * 24 * time.Hour
	startsMost   = 3
	startsVetoed = 7 * 24 * time.Hour // after a start that a device has cancelled
)

// RecoveryStart begins a recovery on a new phone, or asks how it stands. Phone is
// nil for a key that has started already.
type RecoveryStart struct {
	Account account.ID
	Phone   *NewPhone
	Message *request.Message // signed by the new key
}

// RecoveryStarted is how a recovery stands.
type RecoveryStarted struct {
	Pending  account.PendingID
	OpensAt  time.Time
	At       time.Time // now
	Ticket   Token     // empty: not yet
	Until    time.Time // of the ticket
	Ceremony account.CeremonyID
	Options  json.RawMessage // of the creation of the new passkey, once the PIN was proved
	Finished bool            // the account is recovered already, by this key
}

// starting is what a start of a recovery keeps of its phone.
type starting struct {
	Key        string `json:"key"`
	Name       string `json:"name"`
	Platform   string `json:"platform"`
	SealingAlg string `json:"sealing_alg,omitempty"`
	SealingKey []byte `json:"sealing_key,omitempty"`
	// Ticket is the SHA-256 of the ticket.
	Ticket []byte `json:"ticket"`
}

// phone is the phone as NewPhone has it.
func (st starting) phone() *NewPhone {
	return &NewPhone{Name: st.Name, Platform: st.Platform, SealingAlg: st.SealingAlg, SealingKey: st.SealingKey}
}

// started reads what a start has kept.
func started(p PendingRow) (st starting, err error) {
	if err := json.Unmarshal(p.Params, &st); err != nil {
		return st, fmt.Errorf("integrity: %s: %w", p.ID, err)
	}
	return st, nil
}

// ticket is the ticket of a start or an opening: a keyed hash of what it is for, so
// that who asks again, after an answer was lost, gets the same, and the store has
// only its SHA-256.
func (s *Service) ticket(id account.PendingID, key string) Token {
	m := hmac.New(sha256.New, s.rowKey)
	fmt.Fprintf(m, "staunch/recovery/ticket/v1\x00%s\x00%s\x00%s", s.app, id, key)
	return m.Sum(nil)
}

// StartRecovery begins to bring an account back on a new phone: the first thing
// that happens is a wait, of which all devices are told and which any of them
// can cancel. Asked again by the same key, signed and without the phone, it says
// how that stands: after the wait it gives the ticket with which pillar recovery
// takes PINs, and once the PIN was proved the ceremony of the new passkey.
//
// An account that is not there is not told from one that may not be recovered by
// who does not know its identifier, which is random.
func (s *Service) StartRecovery(ctx context.Context, c account.Caller, in *RecoveryStart) (*RecoveryStarted, error) {
	switch {
	case !c.In(s.app) || c.Kind != account.Anonymous:
		return nil, fmt.Errorf("%w: a phone that recovers an account has none yet", ErrNotAllowed)
	case s.recovery == nil:
		return nil, ErrNoRecovery
	case in.Account.Validate() != nil:
		return nil, ErrAccountUnknown
	}
	if err := s.takeBegin(ctx, c); err != nil {
		return nil, err
	}
	if in.Phone == nil {
		return s.askRecovery(ctx, c, in)
	}
	now := s.now()
	if err := s.look(ctx, func(tx Tx) error { return s.mayFail(ctx, tx, c, "", now) }); err != nil {
		return nil, err
	}
	in.Phone.Message = in.Message
	k, err := s.verifyJoiner(ctx, in.Phone, now)
	if err != nil {
		return nil, s.failed(ctx, c, "", err)
	}
	var out *RecoveryStarted
	err = s.actWithKey(ctx, k, registry.StatePending, func(tx Tx, keyID string) (err error) {
		out, err = s.startRecovery(ctx, tx, c, in, keyID, now)
		return err
	})
	return out, err
}

// startRecovery is the transaction of a first StartRecovery.
func (s *Service) startRecovery(ctx context.Context, tx Tx, c account.Caller, in *RecoveryStart, keyID string, now time.Time) (*RecoveryStarted, error) {
	acct, err := s.account(ctx, tx, in.Account)
	if err != nil {
		return nil, err
	}
	c.Kind, c.Key = account.Phone, keyID
	a := &actor{Caller: c, account: acct, now: now}
	if a.signals, err = tx.Signals(ctx, acct.ID, now); err != nil {
		return nil, err
	}
	if err := s.require(a, account.StartRecovery); err != nil {
		return nil, err
	}
	if has, err := s.recovery.Has(ctx, beneath(tx), acct.ID); err != nil || !has {
		return nil, firstError(err, ErrNoBackup)
	}
	if err := s.mayStart(ctx, tx, acct.ID, now); err != nil {
		return nil, err
	}
	wait := s.policy.Waits.Recovery
	if acct.State == account.Frozen {
		wait = s.policy.Waits.RecoveryFrozen
	}
	st := starting{
		Key: keyID, Name: in.Phone.Name, Platform: in.Phone.Platform, SealingAlg: in.Phone.SealingAlg, SealingKey: in.Phone.SealingKey,
	}
	p := PendingRow{
		ID: account.NewPendingID(), Account: acct.ID, Action: account.StartRecovery, By: Creator{Kind: account.Phone},
		CreatedAt: now, OpensAt: now.Add(wait), State: StateOpen,
	}
	st.Ticket = hashOf(s.ticket(p.ID, keyID))
	if p.Params, err = json.Marshal(st); err != nil {
		return nil, err
	}
	if err := tx.AddPending(ctx, p); err != nil {
		return nil, err
	}
	a.Account = acct.ID
	d := s.deed(a, string(account.StartRecovery), string(p.ID))
	d.class, d.event, d.alert = account.AnonymousClass, "recovery.waiting", string(account.StartRecovery)
	d.body = map[string]any{"pending": p.ID, "opens_at": p.OpensAt.UTC()}
	d.data = map[string]any{"pending": p.ID, "opens_at": p.OpensAt.UTC(), "name": st.Name, "platform": st.Platform}
	return &RecoveryStarted{Pending: p.ID, OpensAt: p.OpensAt, At: now}, s.record(ctx, tx, d)
}

// mayStart holds back who asks too often: one start a day, three in 30 days, and
// none for a week after an older device has cancelled one.
func (s *Service) mayStart(ctx context.Context, tx Tx, id account.ID, now time.Time) error {
	rows, err := tx.PendingsSince(ctx, id, account.StartRecovery, now.Add(-startsWindow))
	if err != nil {
		return err
	}
	var until time.Time
	wait := func(t time.Time) {
		if t.After(until) {
			until = t
		}
	}
	for i, p := range rows { // by time
		wait(p.CreatedAt.Add(startsEvery))
		if p.State == StateDenied {
			wait(p.EndedAt.Add(startsVetoed))
		}
		if len(rows)-i == startsMost {
			wait(p.CreatedAt.Add(startsWindow))
		}
	}
	if now.Before(until) {
		return &RateLimited{RetryAt: until}
	}
	return nil
}

// askRecovery says how the start of a key stands.
func (s *Service) askRecovery(ctx context.Context, c account.Caller, in *RecoveryStart) (*RecoveryStarted, error) {
	h, err := s.holder(ctx, in.Message, nil)
	if err != nil {
		return nil, err
	}
	var out *RecoveryStarted
	err = s.act(ctx, func(tx Tx) error {
		if err := s.settle(ctx, tx, h); err != nil {
			return err
		}
		now := s.now()
		p, st, err := s.startOf(ctx, tx, in.Account, h.key, now)
		if err != nil {
			return err
		}
		out = &RecoveryStarted{Pending: p.ID, OpensAt: p.OpensAt, At: now}
		if p.State == StateFinished {
			out.Finished = true
			return nil
		}
		if now.Before(p.OpensAt) {
			return nil
		}
		out.Ticket, out.Until = s.ticket(p.ID, h.key), p.OpensAt.Add(ticketLife)
		done, err := s.recovery.Finished(ctx, beneath(tx), p.Account, [32]byte(st.Ticket))
		if err != nil || !done {
			return err
		}
		out.Ceremony, out.Options, err = s.beginRecovered(ctx, tx, p, h, now)
		return err
	})
	return out, err
}

// startOf finds the start of a key for an account: the open one, or one that is
// finished. A start that was cancelled, or whose ticket is over, is ErrTooLate.
func (s *Service) startOf(ctx context.Context, tx Tx, id account.ID, key string, now time.Time) (PendingRow, starting, error) {
	rows, err := tx.PendingsSince(ctx, id, account.StartRecovery, now.Add(-startsWindow))
	if err != nil {
		return PendingRow{}, starting{}, err
	}
	for i := len(rows) - 1; i >= 0; i-- {
		p := rows[i]
		st, err := started(p)
		switch {
		case err != nil:
			return PendingRow{}, starting{}, err
		case st.Key != key || key == "":
			continue
		case p.State == StateFinished:
			return p, st, nil
		case p.State != StateOpen:
			return PendingRow{}, starting{}, fmt.Errorf("%w: the recovery was cancelled", ErrTooLate)
		case !now.Before(p.OpensAt.Add(ticketLife)):
			return PendingRow{}, starting{}, fmt.Errorf("%w: the recovery was not gone on with within a day; start it again", ErrTooLate)
		}
		return p, st, nil
	}
	return PendingRow{}, starting{}, ErrPendingUnknown
}

func hashOf(t Token) []byte {
	sum := sha256.Sum256(t)
	return sum[:]
}
