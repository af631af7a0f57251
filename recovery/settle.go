package recovery

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery/wire"
)

// note is what is kept of an executed call beside its record: the receipt, and
// whom it concerns. In the retry stream it is JSON.
type note struct {
	Receipt []byte           `json:"receipt"` // a wire.Signed
	Session []byte           `json:"session,omitempty"`
	By      account.DeviceID `json:"by,omitempty"`
	Request []byte           `json:"request"` // SHA-256: which intent it ends
}

// read gives the receipt of a note. Its signature was verified when the call was
// executed.
func (n *note) read() (wire.Receipt, error) {
	signed, err := wire.Decode[wire.Signed](n.Receipt)
	if err != nil {
		return wire.Receipt{}, err
	}
	return wire.Decode[wire.Receipt](signed.TBS)
}

// settle makes what a vault has executed durable: the record, its receipt, and
// the alert that an attempt was counted, in one transaction. If the store does
// not take them, the retry stream does. Only after that may the answer leave.
func (s *Service) settle(ctx context.Context, j *job, out *executed) (receipt []byte, err error) {
	if out.receipt == nil {
		return nil, s.nothingWritten(ctx, j)
	}
	if receipt, err = wire.Encode(out.reply.Receipt); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(j.request)
	n := note{Receipt: receipt, By: j.by, Request: sum[:]}
	if j.session != [32]byte{} {
		n.Session = j.session[:]
	}
	text, err := json.Marshal(n)
	if err != nil {
		return nil, fmt.Errorf("recovery: note: %w", err)
	}
	r := Record{
		App: s.app, Vault: j.pool.id, Acct: j.acct, Account: j.account, Gen: out.receipt.Gen, Ver: out.receipt.Ver, Create: j.creates(),
		Used: out.receipt.Used, State: uint8(out.receipt.State), Sealed: out.reply.Record, Notes: [][]byte{text}, At: s.now(),
	}
	if s.fault("crash/05") { // the service dies before it stores
		return nil, errCrashed
	}
	err = s.Apply(ctx, r)
	if err == nil {
		return receipt, nil
	}
	s.log.Warn("recovery: a record is not stored; the retry stream carries on with it", "app", s.app, "vault", r.Vault, "gen", r.Gen, "ver", r.Ver, "error", err)
	if queued := s.retry.Enqueue(ctx, r); queued != nil {
		s.log.Error("recovery: a record is neither stored nor in the retry stream", "app", s.app, "vault", r.Vault, "gen", r.Gen, "ver", r.Ver, "error", queued)
		return nil, fmt.Errorf("%w: %w", ErrStoreUnavailable, errors.Join(err, queued))
	}
	return receipt, nil
}

// Apply stores one entry of the retry stream. The write is conditional on (gen,
// ver), and what was applied before is told to nobody again: entries may come
// late, twice and in any order. ErrPermanent is an entry that is none of this app.
func (s *Service) Apply(ctx context.Context, r Record) error {
	p, err := s.pool(r.Vault)
	switch {
	case r.App != s.app:
		return fmt.Errorf("%w: it is of app %q", ErrPermanent, r.App)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrPermanent, err)
	case r.Acct != p.acct(r.Account):
		return fmt.Errorf("%w: vault %s does not call account %s that", ErrPermanent, r.Vault, r.Account)
	case len(r.Sealed) != wire.RecordSize && len(r.Sealed) != wire.SeedRecordSize:
		return fmt.Errorf("%w: a record of %d bytes", ErrPermanent, len(r.Sealed))
	}
	notes := make([]note, len(r.Notes))
	for i, text := range r.Notes {
		if err := json.Unmarshal(text, &notes[i]); err != nil {
			return fmt.Errorf("%w: note: %w", ErrPermanent, err)
		}
		if _, err := notes[i].read(); err != nil {
			return fmt.Errorf("%w: note: %w", ErrPermanent, err)
		}
	}
	now := s.now()
	return s.update(ctx, func(tx Tx) error { return s.store(ctx, tx, r, notes, now) })
}

// errNoRow is a record that goes over one that is not there.
var errNoRow = errors.New("recovery: the store has no record that this one could replace")

// store is the transaction of Apply.
func (s *Service) store(ctx context.Context, tx Tx, r Record, notes []note, now time.Time) error {
	l, err := s.ledger(ctx, tx, r)
	if err != nil {
		return err
	}
	row := RecordRow{
		Vault: r.Vault, Acct: r.Acct, Account: r.Account, Profile: s.set.Profile, Gen: r.Gen, Ver: r.Ver, Used: r.Used, State: r.State,
		Sealed: r.Sealed, UpdatedAt: now,
	}
	if r.Create {
		err = tx.CreateRecovery(ctx, row)
	} else {
		var done bool
		if done, err = tx.AdvanceRecovery(ctx, row); err == nil && !done {
			err = errNoRow
		}
	}
	if err != nil {
		return err
	}
	for i := range notes {
		if err := s.noted(ctx, tx, l, r, &notes[i], now); err != nil {
			return err
		}
	}
	if wire.State(r.State) == wire.StateDeleted {
		return s.deletedEverywhere(ctx, tx, r.Account)
	}
	return nil
}

// noted stores one receipt and does what follows from it, once.
func (s *Service) noted(ctx context.Context, tx Tx, l *ledger, r Record, n *note, now time.Time) error {
	receipt, err := n.read()
	if err != nil {
		return err
	}
	right, err := s.right(ctx, tx, r, &receipt, n.Session)
	if err != nil {
		return err
	}
	fresh, err := s.history(ctx, tx, r, &receipt, now)
	if err != nil {
		return err
	}
	if len(n.Request) == sha256.Size {
		if err := tx.EndIntent(ctx, r.Vault, r.Acct, uint8(receipt.Op), [32]byte(n.Request)); err != nil {
			return err
		}
	}
	if !fresh {
		return nil
	}
	row := ReceiptRow{Vault: r.Vault, Signed: n.Receipt, At: now}
	if len(n.Session) == sha256.Size {
		row.Session = [32]byte(n.Session)
	}
	if _, err := tx.AddReceipt(ctx, row); err != nil {
		return err
	}
	if receipt.Op == wire.OpSeedBackup {
		if err := s.emptied(ctx, tx, r.Account); err != nil {
			return err
		}
	}
	c := l.counted(r.Vault, &receipt)
	if right && row.Session != [32]byte{} {
		if err := s.released(ctx, tx, row.Session, r.Account, r.Vault); err != nil {
			return err
		}
	}
	if c.locked {
		if err := tx.AppendEvent(ctx, s.event("recovery.locked", r.Account, map[string]any{"vault": r.Vault})); err != nil {
			return err
		}
	}
	if c.tell {
		return s.accounts.Charged(ctx, tx, r.Account, n.By, c.remaining, s.limit())
	}
	return nil
}

// right reports whether a receipt shows that the right PIN was given: the vault
// had counted attempts at the version just before, and with this release it has
// none. That used is 0 says nothing by itself: it is so too when a release is
// refused, whatever the reason, and nobody has tried a PIN since the last right
// one. If the version just before was lost, it was a release, and of this phone if
// nobody else is at work on the account. An enclave of profile seed counts a wrong
// PIN in the very call that brings it.
func (s *Service) right(ctx context.Context, tx Tx, r Record, receipt *wire.Receipt, session []byte) (bool, error) {
	switch {
	case receipt.Used != 0 || receipt.State != wire.StateActive:
		return false, nil
	case receipt.Op == wire.OpSeedRestore:
		return true, nil
	}
	before, found, err := tx.HistoryBefore(ctx, r.Vault, r.Acct, receipt.Gen, receipt.Ver)
	switch {
	case err != nil || !found || before.Used == 0:
		return false, err
	case before.Gen == receipt.Gen && before.Ver+1 == receipt.Ver:
		return receipt.Op == wire.OpRelease, nil
	}
	return s.alone(ctx, tx, r, session)
}

// alone reports whether a session's phone is the only one at work on an account:
// no session of another ticket is open, and no request of a device is on its way
// to that vault.
func (s *Service) alone(ctx context.Context, tx Tx, r Record, session []byte) (bool, error) {
	if len(session) != sha256.Size {
		return false, nil
	}
	own, found, err := s.sessionOf(ctx, tx, [32]byte(session))
	if err != nil || !found {
		return false, err
	}
	open, err := tx.OpenRecoverySessions(ctx, r.Account)
	if err != nil {
		return false, err
	}
	for _, v := range open {
		if v.Ticket != own.Ticket {
			return false, nil
		}
	}
	waiting, err := tx.IntentsOf(ctx, r.Vault, r.Acct)
	return err == nil && len(waiting) == 0, err
}

// history notes a version of a record, and reports whether it is a new one. Two
// records of one version are a fork: two replicas, or somebody with their keys,
// counted on from the same place.
func (s *Service) history(ctx context.Context, tx Tx, r Record, receipt *wire.Receipt, now time.Time) (fresh bool, err error) {
	fresh, err = tx.AddHistory(ctx, HistoryRow{Vault: r.Vault, Acct: r.Acct, Gen: receipt.Gen, Ver: receipt.Ver, Digest: receipt.Digest, Used: receipt.Used, At: now})
	if err != nil || !fresh {
		return false, err
	}
	digests, err := tx.HistoryAt(ctx, r.Vault, r.Acct, receipt.Gen, receipt.Ver)
	if err != nil || len(digests) < 2 {
		return true, err
	}
	s.log.Error("recovery.fork", "app", s.app, "vault", r.Vault, "gen", receipt.Gen, "ver", receipt.Ver)
	return true, tx.AppendEvent(ctx, s.event("recovery.fork", r.Account, map[string]any{"vault": r.Vault, "gen": receipt.Gen, "ver": receipt.Ver}))
}
