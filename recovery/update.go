package recovery

import (
	"context"
	"fmt"

	"github.com/staunchid/staunch/recovery/wire"
)

// Update replaces the payload under the same PIN and keys; it takes no PIN and
// costs no attempt. What b has begun is finished first. ErrNotFound: b has no
// registration. In profile seed, where the enclave wants the PIN with each
// payload, it is ErrProfile: Register instead.
//
// A vault that was lost for good is not waited for: see BackupInfo.Gone.
//
// After *UnavailableError recovery brings the new payload or the one before,
// until a further Update has reached all vaults.
func (c *Client) Update(ctx context.Context, b *Backup, p Payload) error {
	if b == nil || b.current == nil && b.pending == nil {
		return ErrNotFound
	}
	r, _, err := c.open(ctx, b)
	if err != nil {
		return err
	}
	if b.profile == ProfileSeed {
		return fmt.Errorf("%w: with an enclave that learns the PIN, a new payload needs it: register with the same PIN", ErrProfile)
	}
	if b.pending != nil {
		if err := c.settle(ctx, r, b); err != nil {
			return err
		}
	}
	if err := c.newBlob(b, &p); err != nil || b.blob == nil {
		return err
	}
	if err := c.save(b); err != nil {
		return err
	}
	return c.push(ctx, r, b)
}

// newBlob seals the payload, unless it is on its way already, or everywhere.
func (c *Client) newBlob(b *Backup, p *Payload) error {
	reg, seq := b.current, b.current.seq
	if b.blob != nil {
		_, old, err := reg.key.OpenBlob(b.blob.blob)
		if err != nil {
			return fmt.Errorf("recovery: the journal: %w", err)
		}
		was := opened(old)
		if same, err := was.same(p); err != nil || same {
			return err
		}
		seq = b.blob.seq
	}
	blob, err := reg.key.SealBlob(&reg.header, p.sealed(reg.manage, seq+1, c.now()))
	if err != nil {
		return fmt.Errorf("recovery: the payload: %w", err)
	}
	b.blob = &newBlob{blob: blob, seq: seq + 1}
	return nil
}

// push brings the new blob to the service, and its hash to all vaults.
func (c *Client) push(ctx context.Context, r *round, b *Backup) error {
	reg, hash := b.current, wire.Sum(b.blob.blob)
	// Also when it was there before: the service keeps one that no vault names for
	// minutes only, and the phone may have been away.
	if err := c.transport.PutBlob(ctx, reg.reg(), b.blob.blob); err != nil {
		return fmt.Errorf("recovery: store the blob: %w", err)
	}
	signer, err := reg.signer()
	if err != nil {
		return err
	}
	commit := func(ctx context.Context) error {
		if err := c.transport.CommitBackup(ctx, reg.reg(), Updated, hash); err != nil {
			return fmt.Errorf("recovery: commit the payload: %w", err)
		}
		b.blob.committed = true
		return nil
	}
	views, errs, err := r.drive(ctx, b, reg, func(views map[string]*view) (*step, error) {
		s, done := newStep(), 0
		for _, v := range views {
			slot := v.current
			if !holds(slot, reg.reg()) {
				slot = v.other
			}
			switch {
			case v.state == wire.StateLocked:
				return nil, fmt.Errorf("%w (vault %s): register anew", ErrLocked, v.id)
			case v.empty() || !holds(slot, reg.reg()):
				return nil, fmt.Errorf("%w (vault %s)", ErrOtherDevice, v.id)
			case slot.BlobHash == hash:
				done++
				continue
			}
			q, err := managed(wire.OpUpdate, signer, &wire.Update{Target: v.target(), Reg: reg.reg(), Old: slot.BlobHash, New: hash})
			if s.blob[v.id] = hash; s.add(v.id, reg.reg(), q, err) != nil {
				return nil, err
			}
		}
		// The service points at the new blob when of any t vaults one names it, as their
		// receipts say.
		if n, t := int(reg.header.N), int(reg.header.T); len(s.requests) == 0 && done >= t && done > n-t && !b.blob.committed {
			s.commit = commit
		}
		return s, nil
	})
	switch {
	case err != nil:
		return err
	case len(reachable(errs)) > 0 || len(views) < int(reg.header.T):
		return b.unavailable(errs, len(views), len(reg.ids()))
	}
	reg.blobHash, reg.seq, b.blob = hash, b.blob.seq, nil
	return c.save(b)
}
