package recovery

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery/wire"
)

// How many blobs are kept of a registration beside those that a vault names: of
// updates that were interrupted. One that was put just now is on its way to the
// vaults, and stays until it has had time to get there.
const (
	blobsOfReg   = 8
	blobOnItsWay = 10 * time.Minute
	whatSet      = "set"
	whatChanged  = "changed"
	whatDeleted  = "deleted"
	auditFinal   = "recovery.finalized"
	auditUpdated = "recovery.updated"
)

// GetBackup says what is registered for the calling device's account.
func (s *Service) GetBackup(ctx context.Context, c account.Caller) (*BackupView, error) {
	out := &BackupView{Account: c.Account, Accts: s.accts(c.Account)}
	err := s.view(ctx, func(tx Tx) error {
		if err := s.accounts.Allow(ctx, tx, c, account.AccountRead); err != nil {
			return err
		}
		p, found, err := s.pointerOf(ctx, tx, c.Account)
		if err != nil {
			return err
		}
		if out.Found = found; found {
			out.Reg, out.Blob, out.Header, out.Stage = p.Reg, p.Blob, p.Header, p.Stage
		}
		out.Blobs, err = blobsOf(ctx, tx, c.Account)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func blobsOf(ctx context.Context, tx Tx, id account.ID) ([]BlobView, error) {
	rows, err := tx.Blobs(ctx, id)
	if err != nil {
		return nil, err
	}
	var out []BlobView
	for _, b := range rows {
		out = append(out, BlobView{Reg: b.Reg, Hash: b.Hash, Blob: b.Blob})
	}
	return out, nil
}

// PutBlob stores what the phone has encrypted. It is not current yet: CommitBackup
// makes it so.
func (s *Service) PutBlob(ctx context.Context, c account.Caller, reg [16]byte, blob []byte) error {
	if s.seed() {
		return fmt.Errorf("%w: profile seed keeps no blobs", ErrProfile)
	}
	if _, err := blobHeader(reg, blob); err != nil {
		return err
	}
	now := s.now()
	return s.update(ctx, func(tx Tx) error {
		p, found, err := s.pointerOf(ctx, tx, c.Account)
		if err != nil {
			return err
		}
		if found && p.Reg == reg {
			err = s.accounts.Allow(ctx, tx, c, account.RecoveryUpdate)
		} else {
			err = s.maySetUpThis(ctx, tx, c, reg)
		}
		if err != nil {
			return err
		}
		b := BlobRow{Account: c.Account, Reg: reg, Hash: sha256.Sum256(blob), Blob: blob, At: now}
		if err := s.roomFor(ctx, tx, b, p, now); err != nil {
			return err
		}
		return tx.PutBlob(ctx, b)
	})
}

// maySetUpThis is maySetUp of one registration.
func (s *Service) maySetUpThis(ctx context.Context, tx Tx, c account.Caller, reg [16]byte) error {
	v, err := s.maySetUp(ctx, tx, c)
	if err == nil && v.Reg != reg {
		return &account.Refused{Action: account.SetupRecovery, Why: account.WhyStepUp, Need: account.Bound, Have: account.OnDevice}
	}
	return err
}

// blobHeader checks that bytes are a blob of a registration, and gives its header.
// What is in it only the phone can read.
func blobHeader(reg [16]byte, blob []byte) ([]byte, error) {
	if len(blob) > wire.MaxBlob {
		return nil, fmt.Errorf("%w: %d bytes, more than %d", ErrBlob, len(blob), wire.MaxBlob)
	}
	b, err := wire.Decode[wire.Blob](blob)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBlob, err)
	}
	h, err := wire.Decode[wire.Header](b.Header)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBlob, err)
	}
	if h.Reg != reg {
		return nil, fmt.Errorf("%w: its header names registration %s", ErrBlob, h.Reg)
	}
	return b.Header, nil
}

// roomFor drops the oldest blobs that stand in the way of b, but of the registration
// that the pointer names none that is needed: the one that the pointer names, those
// that a vault names, and those on their way there. Any device of the account may
// put one there, so it must not cost another one's.
func (s *Service) roomFor(ctx context.Context, tx Tx, b BlobRow, p PointerRow, now time.Time) error {
	rows, err := tx.Blobs(ctx, b.Account) // the newest first
	if err != nil {
		return err
	}
	if slices.ContainsFunc(rows, func(o BlobRow) bool { return o.Reg == b.Reg && o.Hash == b.Hash }) {
		return nil // the same again
	}
	named, err := namedOf(ctx, tx, b.Account, p.Reg)
	if err != nil {
		return err
	}
	keep, others := [][32]byte{b.Hash}, map[bool]int{b.Reg == p.Reg: 1} // by whether they are of the pointer's
	for _, o := range rows {
		current := o.Reg == p.Reg
		if !current || o.Hash != p.Blob && named[o.Hash] == 0 {
			others[current]++
			if others[current] > blobsOfReg {
				if left := o.At.Add(blobOnItsWay); current && left.After(now) {
					return &RateError{RetryAt: left}
				}
				continue
			}
		}
		keep = append(keep, o.Hash)
	}
	return tx.DropBlobs(ctx, b.Account, keep)
}

// namedOf counts the vaults that name each blob of a registration.
func namedOf(ctx context.Context, tx Tx, id account.ID, reg [16]byte) (map[[32]byte]int, error) {
	rows, err := tx.NamedBlobs(ctx, id)
	if err != nil {
		return nil, err
	}
	named := map[[32]byte]int{}
	for _, n := range rows {
		if n.Reg == reg {
			named[n.Hash]++
		}
	}
	return named, nil
}

// CommitBackup says how far the vaults have come with a registration, or with an
// update of its blob. Repeated, it changes nothing.
func (s *Service) CommitBackup(ctx context.Context, c account.Caller, reg [16]byte, stage Stage, hash [32]byte) error {
	err := s.commitBackup(ctx, c, reg, stage, hash)
	if !errors.Is(err, errUnnamed) {
		return err
	}
	for _, p := range s.pools { // a receipt may be in the retry stream
		if err := s.retry.Nudge(ctx, s.app, p.id, p.acct(c.Account)); err != nil {
			s.log.Warn("recovery: what the retry stream holds for a backup cannot be applied", "app", s.app, "vault", p.id, "error", err)
		}
	}
	return s.commitBackup(ctx, c, reg, stage, hash)
}

func (s *Service) commitBackup(ctx context.Context, c account.Caller, reg [16]byte, stage Stage, hash [32]byte) error {
	now := s.now()
	return s.update(ctx, func(tx Tx) error {
		p, found, err := s.pointerOf(ctx, tx, c.Account)
		if err != nil {
			return err
		}
		is := found && p.Reg == reg
		switch stage {
		case Activated:
			return s.commitActivated(ctx, tx, c, p, found, reg, hash, now)
		case Finalized:
			if !is {
				return s.notThis(ctx, tx, c)
			}
			return s.commitFinalized(ctx, tx, c, p, now)
		case Updated:
			if !is {
				return s.notThis(ctx, tx, c)
			}
			return s.commitUpdated(ctx, tx, c, p, hash, now)
		case Deleting:
			if _, err := s.maySetUp(ctx, tx, c); err != nil {
				return err
			}
			return s.deleting(ctx, tx, c.Account, now)
		}
		return fmt.Errorf("%w: there is no stage %.20q", ErrMalformed, stage)
	})
}

// notThis is for a registration that is not the current one: who may not know
// hears that first.
func (s *Service) notThis(ctx context.Context, tx Tx, c account.Caller) error {
	if err := s.accounts.Allow(ctx, tx, c, account.RecoveryUpdate); err != nil {
		return err
	}
	return ErrNotFound
}

// commitActivated flips the pointer: t vaults have the registration as their
// current one. The blob of the one before stays until it is finalized.
func (s *Service) commitActivated(ctx context.Context, tx Tx, c account.Caller, p PointerRow, found bool, reg [16]byte, hash [32]byte, now time.Time) error {
	if found && p.Reg == reg && p.Stage != Deleting {
		return s.accounts.Allow(ctx, tx, c, account.RecoveryUpdate) // done before
	}
	if err := s.maySetUpThis(ctx, tx, c, reg); err != nil {
		return err
	}
	next := PointerRow{Account: c.Account, Reg: reg, Stage: Activated, SetVersion: s.set.Version, Profile: s.set.Profile, At: now}
	if !s.seed() {
		b, err := s.blobToPoint(ctx, tx, c.Account, reg, hash)
		if err != nil {
			return err
		}
		next.Blob = b.Hash
		if next.Header, err = blobHeader(reg, b.Blob); err != nil {
			return err
		}
	}
	if err := s.putPointer(ctx, tx, next); err != nil {
		return err
	}
	what := whatSet
	if found {
		what = whatChanged
	}
	return s.accounts.Registered(ctx, tx, c.Account, c.Device, what)
}

// blobToPoint is the blob of a registration with a hash; without a hash, the newest.
func (s *Service) blobToPoint(ctx context.Context, tx Tx, id account.ID, reg [16]byte, hash [32]byte) (BlobRow, error) {
	rows, err := tx.Blobs(ctx, id)
	if err != nil {
		return BlobRow{}, err
	}
	i := slices.IndexFunc(rows, func(b BlobRow) bool { return b.Reg == reg && (b.Hash == hash || hash == [32]byte{}) })
	if i < 0 {
		return BlobRow{}, fmt.Errorf("%w: put it first", ErrBlob)
	}
	return rows[i], nil
}

// commitFinalized drops what the registration has replaced: all vaults have.
func (s *Service) commitFinalized(ctx context.Context, tx Tx, c account.Caller, p PointerRow, now time.Time) error {
	if err := s.accounts.Allow(ctx, tx, c, account.RecoveryUpdate); err != nil {
		return err
	}
	if v, open, err := s.setupOf(ctx, tx, c.Account); err != nil {
		return err
	} else if open && v.Reg == p.Reg {
		if err := tx.EndSetup(ctx, c.Account); err != nil {
			return err
		}
	}
	if p.Stage == Finalized {
		return nil
	}
	p.Stage, p.At = Finalized, now
	if err := s.putPointer(ctx, tx, p); err != nil {
		return err
	}
	named, err := namedOf(ctx, tx, c.Account, p.Reg)
	if err != nil {
		return err
	}
	if err := tx.DropBlobs(ctx, c.Account, append(slices.Collect(maps.Keys(named)), p.Blob)); err != nil {
		return err
	}
	if err := tx.DropNamed(ctx, c.Account, p.Reg); err != nil {
		return err
	}
	return tx.AppendAudit(ctx, s.entry(c, c.Account, c.Device, auditFinal, now))
}

// errUnnamed is a blob that too few vaults name, as far as their receipts have come.
var errUnnamed = fmt.Errorf("%w: too few vaults are known to name that blob", ErrStale)

// commitUpdated makes another blob of the same registration the current one: of any
// t vaults one names it. That they do the vaults must have said. A device needs no
// person for this, and the word of one that was stolen would be enough to have the
// PIN bring nothing back. The one before stays until others take its room.
func (s *Service) commitUpdated(ctx context.Context, tx Tx, c account.Caller, p PointerRow, hash [32]byte, now time.Time) error {
	if err := s.accounts.Allow(ctx, tx, c, account.RecoveryUpdate); err != nil {
		return err
	}
	if p.Blob == hash {
		return nil
	}
	b, err := s.blobToPoint(ctx, tx, c.Account, p.Reg, hash)
	if err != nil {
		return err
	}
	h, err := wire.Decode[wire.Header](p.Header)
	if err != nil {
		return fmt.Errorf("recovery: the header of the backup: %w", err)
	}
	named, err := namedOf(ctx, tx, c.Account, p.Reg)
	if err != nil {
		return err
	}
	if named[b.Hash] <= int(h.N)-int(h.T) {
		return errUnnamed
	}
	if p.Header, err = blobHeader(p.Reg, b.Blob); err != nil {
		return err
	}
	p.Blob, p.At = b.Hash, now
	if err := s.putPointer(ctx, tx, p); err != nil {
		return err
	}
	if err := tx.AppendEvent(ctx, s.event("recovery.updated", c.Account, map[string]any{"by": string(c.Device)})); err != nil {
		return err
	}
	return tx.AppendAudit(ctx, s.entry(c, c.Account, c.Device, auditUpdated, now))
}
