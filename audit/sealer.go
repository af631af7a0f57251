package audit

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/staunchid/staunch/account"
)

// ErrRewound: the store has gone back behind a seal that this program made. The
// file was replaced, or seals were taken out, while the program ran. Stop it,
// keep a copy of the store, and find out who could write to it.
var ErrRewound = errors.New("audit: the store has gone back behind its last seal")

// maxSealed bounds the entries under one seal, and with them the transaction: 0.2
// seconds on SQLite, in which nobody else writes.
const maxSealed = 5_000

// SealTx is what a Sealer needs of a transaction.
type SealTx interface {
	AuditApp() account.AppID
	// LastAuditSeal is the seal with the highest number, the zero Seal if there is none.
	LastAuditSeal(ctx context.Context) (Seal, error)
	// UnsealedAuditEntries calls yield with the hashes of the first limit entries
	// that no seal covers, by account, then number.
	UnsealedAuditEntries(ctx context.Context, limit int, yield func(hash [32]byte) error) error
	// SealAuditEntries marks the first limit entries that no seal covers, in the
	// same order, as covered by the seal with this number, and says how many it marked.
	SealAuditEntries(ctx context.Context, number uint64, limit int) (int, error)
	// AppendAuditSeal stores a seal. There is none with its number yet.
	AppendAuditSeal(ctx context.Context, s Seal) error
}

// SealerOptions are a Sealer's.
type SealerOptions struct {
	Key    Signer                                                 // required
	Update func(ctx context.Context, fn func(SealTx) error) error // required
	Now    func() time.Time                                       // nil: time.Now

	testingOnlyMax int
}

// Sealer seals the entries of a store. It is safe for concurrent use, also with
// others over the same store.
type Sealer struct {
	key    Signer
	update func(context.Context, func(SealTx) error) error
	now    func() time.Time
	max    int

	sealing sync.Mutex
	made    Seal // the last one that this Sealer made; guarded by sealing
}

// NewSealer returns a Sealer.
func NewSealer(opts *SealerOptions) (*Sealer, error) {
	switch {
	case opts.Key == nil || len(opts.Key.Public()) != ed25519.PublicKeySize:
		return nil, errors.New("audit: sealer options: no Key")
	case opts.Update == nil:
		return nil, errors.New("audit: sealer options: no Update")
	}
	s := &Sealer{key: opts.Key, update: opts.Update, now: opts.Now, max: opts.testingOnlyMax}
	if s.now == nil {
		s.now = time.Now
	}
	if s.max == 0 {
		s.max = maxSealed
	}
	return s, nil
}

// Seal covers the entries that no seal covers yet, at most 5,000 of them, and
// reports whether there were any. Call it again until it says no:
//
//	for {
//		sealed, err := s.Seal(ctx)
//		if err != nil || !sealed {
//			return err
//		}
//	}
//
// Before the commit nothing has happened; after it the seal is there. A call
// that does not know which may be made again.
func (s *Sealer) Seal(ctx context.Context) (sealed bool, err error) {
	s.sealing.Lock()
	defer s.sealing.Unlock()
	now := s.now()
	var seal Seal
	err = s.update(ctx, func(tx SealTx) (err error) {
		if seal, err = s.next(ctx, tx, now); err != nil || seal.Count == 0 {
			return err
		}
		n, err := tx.SealAuditEntries(ctx, seal.Number, int(seal.Count))
		if err != nil {
			return err
		}
		if uint64(n) != seal.Count {
			return fmt.Errorf("audit: seal %d is over %d entries, and the store has marked %d", seal.Number, seal.Count, n)
		}
		return tx.AppendAuditSeal(ctx, seal)
	})
	if err != nil || seal.Count == 0 {
		return false, err
	}
	s.made = seal
	return true, nil
}

// next makes and signs the seal over what is not covered yet. Without such
// entries its Count is 0.
func (s *Sealer) next(ctx context.Context, tx SealTx, now time.Time) (Seal, error) {
	last, err := tx.LastAuditSeal(ctx)
	if err != nil {
		return Seal{}, err
	}
	app := tx.AuditApp()
	if m := s.made; last.Number < m.Number || last.Number == m.Number && m.Number != 0 && last.Sum(app) != m.Sum(app) {
		return Seal{}, fmt.Errorf("%w: seal %d was made here, and the last one is %d", ErrRewound, m.Number, last.Number)
	}
	count, digest := uint64(0), sha256.New()
	err = tx.UnsealedAuditEntries(ctx, s.max, func(hash [32]byte) error {
		count++
		digest.Write(hash[:])
		return nil
	})
	if err != nil || count == 0 {
		return Seal{}, err
	}
	seal := NewSeal(app, last, count, [32]byte(digest.Sum(nil)), now)
	if seal.Signature, err = s.key.Sign(ctx, seal.Message(app)); err != nil {
		return Seal{}, fmt.Errorf("audit: sign seal %d: %w", seal.Number, err)
	}
	if !seal.Verify(app, []ed25519.PublicKey{s.key.Public()}) { // a key service may hold another key than it says
		return Seal{}, fmt.Errorf("audit: seal %d: what Sign gives is no signature by Public; look at the audit key", seal.Number)
	}
	return seal, nil
}
