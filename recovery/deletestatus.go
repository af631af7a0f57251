package recovery

import (
	"context"
	"errors"
	"fmt"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery/wire"
)

// Delete wipes the registration at every vault, and leaves a tombstone. It is
// signed where b has the key of what stands there; where it has not, or b is
// nil, the service vouches, which it can for a deletion and never for a release.
// *UnavailableError: some vaults are away; the service repeats what it could
// not bring them, and so does a further Delete.
func (c *Client) Delete(ctx context.Context, b *Backup) (*Backup, error) {
	if b == nil {
		b = new(Backup)
	}
	r, got, err := c.open(ctx, b)
	if err != nil {
		return b, err
	}
	if !got.Found && b.current == nil && b.pending == nil {
		return b, ErrNotFound
	}
	if c.approve != nil {
		if err := c.approve(ctx, got.Reg); err != nil {
			return b, fmt.Errorf("recovery: approval of the deletion: %w", err)
		}
	}
	b.deleted = true
	if err := c.save(b); err != nil {
		return b, err
	}
	if err := c.transport.CommitBackup(ctx, got.Reg, Deleting, [32]byte{}); err != nil {
		return b, fmt.Errorf("recovery: delete: %w", err)
	}
	if b.profile == ProfileSeed {
		err = c.deleteSeed(ctx, r, b)
	} else {
		err = c.deleteAtAll(ctx, r, b, got)
	}
	if err != nil {
		return b, err
	}
	b.current, b.pending, b.blob, b.deleted = nil, nil, nil, false
	return b, c.save(b)
}

func (c *Client) deleteAtAll(ctx context.Context, r *round, b *Backup, got *BackupView) error {
	reg, err := b.named(got, r.vaults)
	if err != nil {
		return err
	}
	asked := map[string]bool{}
	views, errs, err := r.drive(ctx, b, reg, func(views map[string]*view) (*step, error) {
		s := newStep()
		for _, v := range views {
			if v.none || v.state == wire.StateDeleted || v.state == wire.StateLocked && asked[v.id] {
				continue // of a locked one nothing is left to delete
			}
			asked[v.id] = true
			var signer *wire.SigningKey
			var err error
			if b.current != nil && holds(v.current, b.current.reg()) {
				if signer, err = b.current.signer(); err != nil {
					return nil, err
				}
			}
			q, err := managed(wire.OpDelete, signer, &wire.Delete{Target: v.target()})
			if err := s.add(v.id, wire.RegID{}, q, err); err != nil {
				return nil, err
			}
		}
		return s, nil
	})
	if err == nil && len(reachable(errs)) > 0 { // one that is gone has nothing to delete
		return b.unavailable(errs, len(views), len(reg.ids()))
	}
	return err
}

// named is the registration whose vaults are meant: the one at hand, or that
// which the service points at.
func (b *Backup) named(got *BackupView, v *vaults) (*registration, error) {
	switch {
	case b.pending != nil:
		return b.pending, nil
	case b.current != nil:
		return b.current, nil
	case got.Found:
		h, err := wire.Decode[wire.Header](got.Header)
		if err != nil {
			return nil, fmt.Errorf("recovery: the header of the backup: %w", err)
		}
		return &registration{header: h}, nil
	}
	h := wire.Header{N: v.set.N, T: v.set.T}
	for _, m := range v.set.Vaults {
		h.Vaults = append(h.Vaults, wire.Share{Vault: m.Vault})
	}
	return &registration{header: h}, nil
}

// The states of a Status.
const (
	StatusActive   = "active"
	StatusPending  = "pending"  // being registered, or with a payload on its way: run it again
	StatusDegraded = "degraded" // it stands, and some vaults do not have it, or are away
	StatusLocked   = "locked"
	StatusDeleted  = "deleted"
	StatusNone     = "none"
)

// Status is what the vaults hold of an account.
type Status struct {
	Account   account.ID
	State     string
	Reg       [16]byte
	Profile   string
	Limit     int
	Remaining int // -1: fewer than t vaults answered
	Assurance string
	Operators int
	Threshold int
	Vaults    []VaultStatus
}

// VaultStatus is one vault of a Status.
type VaultStatus struct {
	ID, Operator, Platform string
	Reachable              bool
	State                  string // "active", "locked", "deleted", "none"; empty: not reachable
	Used                   int
	Gone                   bool  // the set lists it no more: it was lost for good; Register anew
	Err                    error // why it is not reachable
}

// Status asks all vaults; it costs nothing. b may be nil. With fewer than t of
// them it is an *UnavailableError, and the Status says the rest.
func (c *Client) Status(ctx context.Context, b *Backup) (*Status, error) {
	if b == nil {
		b = new(Backup)
	}
	r, got, err := c.open(ctx, b)
	if err != nil {
		return nil, err
	}
	s := &Status{
		Account: b.account, State: StatusNone, Reg: got.Reg, Profile: b.profile, Remaining: -1,
		Limit: int(r.vaults.set.Limit), Assurance: b.assurance, Operators: r.vaults.operators, Threshold: int(r.vaults.set.T),
	}
	if b.profile == ProfileSeed {
		return s.seed(b, got, r.vaults), nil
	}
	reg, err := b.named(got, r.vaults)
	if err != nil {
		return nil, err
	}
	views, errs := r.views(ctx, reg.ids())
	s.Threshold = int(reg.header.T)
	counts := map[string]int{}
	for _, id := range reg.ids() {
		vs := VaultStatus{ID: id, Gone: r.vaults.byID[id] == nil, Err: errs[id]}
		if m := r.vaults.byID[id]; m != nil {
			vs.Operator, vs.Platform = m.member.Operator, m.platform
		}
		if v := views[id]; v != nil {
			vs.Reachable, vs.State, vs.Used = true, v.word(), int(v.answer.Used)
			counts[vs.State]++
			if vs.State == StatusActive && got.Found && !holds(v.current, got.Reg) {
				counts[StatusDegraded]++
			}
		}
		s.Vaults = append(s.Vaults, vs)
	}
	s.sum(b, counts, len(reg.ids()))
	if left, known := remaining(answersOf(views), s.Threshold); known {
		s.Remaining = left
		return s, nil
	}
	err = b.unavailable(errs, len(views), s.Threshold)
	if ue := new(UnavailableError); errors.As(err, &ue) {
		ue.Vaults, ue.Threshold = len(reg.ids()), s.Threshold
	}
	return s, err
}

func (v *view) word() string {
	if v.none {
		return StatusNone
	}
	return v.state.String()
}

// sum says in one word what n vaults hold.
func (s *Status) sum(b *Backup, counts map[string]int, n int) {
	switch {
	case b.pending != nil || b.blob != nil || b.deleted:
		s.State = StatusPending
	case counts[StatusActive] == n && counts[StatusDegraded] == 0:
		s.State = StatusActive
	case counts[StatusActive] >= s.Threshold:
		s.State = StatusDegraded
	case counts[StatusLocked] > n-s.Threshold:
		s.State = StatusLocked
	case counts[StatusDeleted] > n-s.Threshold:
		s.State = StatusDeleted
	case counts[StatusActive] > 0:
		s.State = StatusDegraded
	}
}
