package recovery

import (
	"context"
	"errors"
	"fmt"

	"github.com/staunchid/staunch/recovery/wire"
)

// next is the rule of registering (spec/kr1.md, flows): where the old
// registration is not the current one, bring it back; drop what is neither; give
// all vaults their shares; only then activate; only when the service points at
// the new one, drop the old.
func (r *round) next(b *Backup, reg *registration, views map[string]*view) (*step, error) {
	s := newStep()
	m := reg.making
	if !m.active { // afterwards the old one is nobody's any more
		if err := b.restore(s, reg, views); err != nil || len(s.requests) > 0 {
			return s, err
		}
	}
	have, active := 0, 0
	for _, v := range views {
		switch {
		case v.empty() || !holds(v.current, reg.reg()) && !holds(v.other, reg.reg()):
			if err := b.createAt(s, reg, v, r.vaults.set.Limit); err != nil {
				return nil, err
			}
		case holds(v.current, reg.reg()):
			active++
			have++
		default:
			have++
		}
	}
	enough := len(reg.header.Vaults)
	if m.first || m.active { // nothing can be lost
		enough = int(reg.header.T)
	}
	if len(s.requests) > 0 || have < enough {
		return s, nil
	}
	signer, err := reg.signer()
	if err != nil {
		return nil, err
	}
	for _, v := range views {
		if holds(v.other, reg.reg()) {
			q, err := managed(wire.OpActivate, signer, &wire.Activate{Target: v.target(), Reg: reg.reg(), Reset: true})
			if err := s.add(v.id, reg.reg(), q, err); err != nil {
				return nil, err
			}
		}
	}
	if len(s.requests) > 0 {
		return s, nil
	}
	if !m.active {
		if active >= int(reg.header.T) {
			s.commit = func(ctx context.Context) error { return r.activated(ctx, b, reg) }
		}
		return s, nil
	}
	for _, v := range views {
		if v.other != nil {
			q, err := managed(wire.OpFinalize, signer, &wire.Finalize{Target: v.target(), Reg: reg.reg()})
			if err := s.add(v.id, reg.reg(), q, err); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// activated makes the service point at the new registration.
func (r *round) activated(ctx context.Context, b *Backup, reg *registration) error {
	if err := r.c.transport.CommitBackup(ctx, reg.reg(), Activated, reg.blobHash); err != nil {
		return fmt.Errorf("recovery: commit the registration: %w", err)
	}
	reg.making.active = true
	return r.c.save(b)
}

// restore makes room beside the registration that stands: it becomes the current
// one where a recovery has shown that it must, and what is neither it nor reg is
// dropped, unless some vault has that as the current one.
func (b *Backup) restore(s *step, reg *registration, views map[string]*view) error {
	if b.current == nil {
		return nil
	}
	old := b.current.reg()
	signer, err := b.current.signer()
	if err != nil {
		return err
	}
	foreign := false
	for _, v := range views {
		if v.empty() || holds(v.current, old) || holds(v.current, reg.reg()) {
			continue
		}
		foreign = true
		if !holds(v.other, old) || !b.current.recovered {
			return fmt.Errorf("%w (vault %s)", ErrOtherDevice, v.id)
		}
		q, err := managed(wire.OpActivate, signer, &wire.Activate{Target: v.target(), Reg: old})
		if err := s.add(v.id, old, q, err); err != nil {
			return err
		}
	}
	for _, v := range views {
		if foreign || v.empty() || v.other == nil || !holds(v.current, old) || holds(v.other, reg.reg()) {
			continue
		}
		q, err := managed(wire.OpFinalize, signer, &wire.Finalize{Target: v.target(), Reg: old})
		if err := s.add(v.id, old, q, err); err != nil {
			return err
		}
	}
	return nil
}

// createAt adds the request that gives a vault its share: signed by the key of
// what stands there, or with a voucher of the service's where nothing does.
func (b *Backup) createAt(s *step, reg *registration, v *view, limit uint8) error {
	var signer *wire.SigningKey
	var err error
	switch {
	case v.empty():
	case b.current == nil || !holds(v.current, b.current.reg()):
		return fmt.Errorf("%w (vault %s)", ErrOtherDevice, v.id)
	default:
		if signer, err = b.current.signer(); err != nil {
			return err
		}
	}
	q, fresh, err := reg.handOut(v, limit, signer)
	if errors.Is(err, ErrForgotten) {
		reg.making.lost = true
	}
	s.keep = s.keep || fresh
	s.blob[v.id] = reg.blobHash
	return s.add(v.id, reg.reg(), q, err)
}
