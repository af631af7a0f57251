package recovery

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

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
	n := Note{Receipt: receipt, By: j.by, Request: sum[:]}
	if j.session != [32]byte{} {
		n.Session = j.session[:]
	}
	r, err := SealEntry(s.rowKey, Record{
		App: s.app, Vault: j.pool.id, Acct: j.acct, Account: j.account, Gen: out.receipt.Gen, Ver: out.receipt.Ver, Create: creating(j.op),
		Used: out.receipt.Used, State: uint8(out.receipt.State), Sealed: out.reply.Record, At: s.now(),
	}, n)
	if err != nil {
		return nil, err
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
// late, twice and in any order. ErrPermanent is an entry that is none of this app,
// or that it has not sealed: what a stream holds is believed by its MACs alone.
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
	notes, err := r.opened(s.rowKey)
	if err != nil {
		s.forged(ctx, r, err)
		return fmt.Errorf("%w: %w", ErrPermanent, err)
	}
	now := s.now()
	return s.update(ctx, func(tx Tx) error { return s.store(ctx, tx, r, notes, now) })
}

// errNoRow is a record that goes over one that is not there.
var errNoRow = errors.New("recovery: the store has no record that this one could replace")

// store is the transaction of Apply.
func (s *Service) store(ctx context.Context, tx Tx, r Record, notes []Note, now time.Time) error {
	l, err := s.ledger(ctx, tx, r)
	if err != nil {
		return err
	}
	row := RecordRow{
		Vault: r.Vault, Acct: r.Acct, Account: r.Account, Profile: s.set.Profile, Gen: r.Gen, Ver: r.Ver, Used: r.Used, State: r.State,
		Sealed: r.Sealed, UpdatedAt: now,
	}
	row.MAC = row.Seal(s.rowKey)
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
func (s *Service) noted(ctx context.Context, tx Tx, l *ledger, r Record, n *Note, now time.Time) error {
	receipt, err := n.read()
	if err != nil {
		return err
	}
	session := n.sessionHash()
	right, err := s.right(ctx, tx, r, &receipt, session)
	if err != nil {
		return err
	}
	fresh, err := s.history(ctx, tx, r, &receipt, session, now)
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
	row := ReceiptRow{Vault: r.Vault, Session: session, Signed: n.Receipt, At: now}
	if _, err := tx.AddReceipt(ctx, row); err != nil {
		return err
	}
	if receipt.Named != nil {
		err := tx.NameBlob(ctx, NamedRow{Account: r.Account, Reg: receipt.Named.Reg, Vault: r.Vault, Gen: receipt.Gen, Hash: receipt.Named.BlobHash})
		if err != nil {
			return err
		}
	}
	if receipt.Op == wire.OpSeedBackup {
		if err := s.emptied(ctx, tx, r.Account); err != nil {
			return err
		}
	}
	c := l.counted(r.Vault, &receipt)
	if right && session != [32]byte{} {
		if err := s.released(ctx, tx, session, r.Account, r.Vault); err != nil {
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
