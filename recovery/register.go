package recovery

import (
	"context"
	"errors"
	"fmt"
)

// Register makes a PIN the one that brings the payload back: the first of an
// account, or another in the place of b's. A registration that b has begun is
// finished first; with the same PIN that is all, but for a payload that differs.
// ErrPIN: the PIN is neither of Client.NewPIN, which judges those that are set, nor
// Recovered.PIN.
//
// It returns the journal also with an error. *UnavailableError: some vaults do
// not have it yet; call again. Until all have it, the PIN before works, or the
// new one, never none. ErrForgotten: what was begun cannot be finished, and the
// next call makes a registration of its own.
func (c *Client) Register(ctx context.Context, b *Backup, pin PIN, p Payload) (*Backup, error) {
	if err := pin.mayBeSet(); err != nil {
		return b, err
	}
	if b == nil {
		b = new(Backup)
	}
	r, got, err := c.open(ctx, b)
	if err != nil {
		return b, err
	}
	if r.vaults.set.Profile == ProfileSeed {
		return b, c.registerSeed(ctx, r, b, pin, &p)
	}
	if b.pending != nil {
		done, err := c.resume(ctx, r, b, pin, &p)
		if err != nil || done {
			return b, err
		}
	}
	if b.pending, err = c.deal(&r.vaults.set, pin, &p); err != nil {
		return b, err
	}
	b.pending.making.first = !got.Found || got.Stage == Deleting
	b.blob, b.deleted = nil, false
	c.remember(b, b.pending.reg(), pin)
	if err := c.save(b); err != nil {
		return b, err
	}
	return b, c.settle(ctx, r, b)
}

// Renew makes a registration anew with the same PIN, after a recovery: whoever
// finds the lost phone has the old keys, and must not have the new ones. It needs
// an active device. The recovered registration becomes the current one first, at
// the vaults where it was not. That it was asked for is kept first: until it is done
// the journal is not Complete, whatever fails.
//
// The PIN is Recovered.PIN; an app that was started anew since then asks for it again,
// and Client.NewPIN judges it. ErrPIN: it is neither.
func (c *Client) Renew(ctx context.Context, b *Backup, pin PIN, p Payload) (*Backup, error) {
	if err := pin.mayBeSet(); err != nil { // before the journal says that it is due
		return b, err
	}
	if b != nil && !b.renew {
		b.renew = true
		if err := c.save(b); err != nil {
			return b, err
		}
	}
	return c.Register(ctx, b, pin, p)
}

// resume finishes what was begun. done: it has the same PIN, so there is no need
// for another registration.
func (c *Client) resume(ctx context.Context, r *round, b *Backup, pin PIN, p *Payload) (done bool, err error) {
	reg := b.pending
	m := reg.making
	if m.lost {
		b.retire()
		return false, nil
	}
	same := m.pin == pinCheck(c.stretch(pin, reg.reg(), reg.header.Argon2))
	if !same && len(reg.have) == 0 && !m.put {
		b.pending = nil // nobody has heard of it
		return false, nil
	}
	if !r.vaults.lists(reg.ids()) { // a vault of it is gone for good
		if m.active {
			reg.making = nil
			b.current = reg
		}
		b.pending = nil
		return false, nil
	}
	_, old, err := reg.key.OpenBlob(m.blob)
	if err != nil {
		return false, fmt.Errorf("recovery: the journal: %w", err)
	}
	if err := c.settle(ctx, r, b); err != nil || !same {
		return false, err
	}
	was := opened(old)
	if equal, err := was.same(p); err != nil || equal {
		return true, err
	}
	return true, c.Update(ctx, b, *p)
}

// open asks who the vaults are and what the account has, and makes sure that the
// journal is of this account.
func (c *Client) open(ctx context.Context, b *Backup) (*round, *BackupView, error) {
	v, err := c.trust(ctx, b.known)
	if err != nil {
		return nil, nil, err
	}
	got, err := c.transport.GetBackup(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("recovery: get the backup: %w", err)
	}
	if b.account != "" && b.account != got.Account {
		return nil, nil, fmt.Errorf("recovery: the backup is of account %s, and this phone is signed in to %s", b.account, got.Account)
	}
	b.account, b.profile, b.known = got.Account, v.set.Profile, v.known
	b.assurance, b.operators, b.listed = v.assurance(), uint8(min(v.operators, 255)), v.ids()
	accts, err := b.name(&v.set, got.Accts)
	if err != nil {
		return nil, nil, err
	}
	return &round{c: c, vaults: v, accts: accts}, got, nil
}

func (c *Client) save(b *Backup) error {
	b.forget()
	if err := c.saveBackup(b); err != nil {
		return fmt.Errorf("recovery: save the backup: %w", err)
	}
	return nil
}

// approved asks the owner once for each registration.
func (c *Client) approved(ctx context.Context, b *Backup) error {
	m := b.pending.making
	if m.approved || c.approve == nil {
		return nil
	}
	if err := c.approve(ctx, b.pending.reg()); err != nil {
		return fmt.Errorf("recovery: approval of the registration: %w", err)
	}
	m.approved = true
	return c.save(b)
}

// put brings the service the blob of a registration, once the owner has approved.
func (c *Client) put(ctx context.Context, b *Backup, reg *registration) error {
	if err := c.approved(ctx, b); err != nil {
		return err
	}
	m := reg.making
	if m.put {
		return nil
	}
	if err := c.transport.PutBlob(ctx, reg.reg(), m.blob); err != nil {
		return fmt.Errorf("recovery: store the blob: %w", err)
	}
	m.put = true
	return c.save(b)
}

// settle brings the pending registration to its end, from whatever state the
// vaults are in. So it does not matter where it was interrupted.
func (c *Client) settle(ctx context.Context, r *round, b *Backup) error {
	reg := b.pending
	if reg.making.lost {
		return ErrForgotten
	}
	if err := c.put(ctx, b, reg); err != nil {
		return err
	}
	views, errs, err := r.drive(ctx, b, reg, func(views map[string]*view) (*step, error) { return r.next(b, reg, views) })
	switch {
	case reg.making.lost: // and the next registration is another
		return errors.Join(err, c.save(b))
	case err != nil:
		return err
	case len(errs) > 0:
		return b.unavailable(errs, len(views), len(reg.ids()))
	}
	if err := c.transport.CommitBackup(ctx, reg.reg(), Finalized, reg.blobHash); err != nil {
		return fmt.Errorf("recovery: commit the registration: %w", err)
	}
	for i := range reg.making.parts {
		reg.making.parts[i].wipe()
	}
	reg.making = nil
	b.current, b.pending, b.renew = reg, nil, false
	return c.save(b)
}

// note keeps what the vaults say for Info.
func (b *Backup) note(views map[string]*view, reg *registration) {
	for id, v := range views {
		if !v.empty() && (holds(v.current, reg.reg()) || holds(v.other, reg.reg())) {
			reg.hold(id)
		}
	}
	answers := answersOf(views)
	if left, known := remaining(answers, int(reg.header.T)); known {
		b.remaining, b.limit = uint8(left), answers[0].Limit
	}
}

// unavailable says that some vaults are missing.
func (b *Backup) unavailable(errs map[string]error, answered, needed int) error {
	in := b.Info()
	o := Outcome{
		Account: b.account, Reg: in.Reg, Limit: in.Limit, Remaining: in.Remaining, Vaults: in.Vaults,
		Threshold: in.Threshold, Answered: answered, Assurance: b.assurance, Operators: in.Operators,
	}
	return tooFew(o, needed, errs)
}
