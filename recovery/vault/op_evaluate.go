package vault

import (
	"bytes"
	"errors"
	"math"

	"github.com/staunchid/staunch/recovery/cpace"
	"github.com/staunchid/staunch/recovery/toprf"
	"github.com/staunchid/staunch/recovery/wire"
)

// evaluate charges for an attempt: a blinded PIN that was not the last one paid
// for.
func (u *rules) evaluate(r *wire.Record, in *demand) wire.Verdict {
	if slotOf(r, in.evaluate.Reg) == nil {
		return wire.VerdictUnknownReg
	}
	if _, err := suite(u.config).Element(in.evaluate.B); err != nil { // RFC 9497, Section 3.3.2: before anything is paid
		return wire.VerdictMalformed
	}
	switch {
	case r.Last == in.name: // paid for: the same again is free
		return wire.VerdictOK
	case used(r) >= uint32(r.Limit), r.Charges == math.MaxUint32:
		return lock(r)
	}
	r.Charges++
	r.Last = in.name
	return wire.VerdictOK
}

// release takes the proof that a PIN was right, and lets the share go. One try is
// open for each charge; what is no try consumes none.
func (u *rules) release(r *wire.Record, in *demand) wire.Verdict {
	q := &in.release
	slot := slotOf(r, q.Reg)
	if slot == nil {
		return wire.VerdictUnknownReg
	}
	if r.Last != in.name {
		return wire.VerdictSuperseded
	}
	x, err := u.exchange(in, slot, r.Charges, q.B, q.E) // of this charge, whose number never comes back: a recorded release is of another
	if err != nil {
		return wire.VerdictMalformed
	}
	if !bytes.Equal(x.Share(), q.Ya) {
		return wire.VerdictRepeat
	}
	if r.Closed >= r.Charges {
		return wire.VerdictNoOpenTry
	}
	switch err := x.Verify(q); {
	case errors.Is(err, toprf.ErrMalformed): // it is no guess
		return wire.VerdictMalformed
	case err != nil:
		r.Closed = r.Charges
		if used(r) >= uint32(r.Limit) {
			return lock(r)
		}
		return wire.VerdictWrongPIN
	}
	r.Base = r.Charges
	return wire.VerdictOK
}

// give is step 7: what leaves the vault, after the mark has.
func (u *rules) give(a *wire.Answer, r *wire.Record, in *demand) error {
	if a.Verdict != wire.VerdictOK {
		return nil
	}
	switch in.op {
	case wire.OpEvaluate:
		return u.giveEvaluation(a, r, in)
	case wire.OpRelease:
		slot := slotOf(r, in.release.Reg)
		a.S, a.BlobHash = &slot.S, &slot.BlobHash
	case wire.OpStatus:
		a.Slots = &wire.SlotViews{Current: r.Current.View(), Other: r.Other.View()}
	}
	return nil
}

func (u *rules) giveEvaluation(a *wire.Answer, r *wire.Record, in *demand) error {
	s := suite(u.config)
	b, err := s.Element(in.evaluate.B)
	if err != nil {
		return err
	}
	slot := slotOf(r, in.evaluate.Reg)
	k, err := s.Scalar(slot.K[:])
	if err != nil {
		return err
	}
	e, err := s.Evaluate(k, b)
	if err != nil {
		return err
	}
	a.E = e.Bytes()
	x, err := u.exchange(in, slot, r.Charges, in.evaluate.B, a.E)
	if err != nil {
		return err
	}
	a.Ya = x.Share()
	if in.evaluate.WantProof {
		p, err := s.Prove(k, b, e)
		if err != nil {
			return err
		}
		a.Proof = (*wire.Proof)(&p)
	}
	return nil
}

// exchange is the vault's side of the exchange that shows it the PIN. It is made
// anew for each call, and the same for each charge.
func (u *rules) exchange(in *demand, slot *wire.Slot, charges uint32, b, e wire.Element) (*cpace.Verifier, error) {
	session := &cpace.Session{Suite: u.config.Suite, PRS: slot.PRS, Vault: u.config.Vault, Acct: in.acct, Reg: slot.Reg, B: b, E: e}
	return session.Verifier(u.share(slot.Reg, charges, b, e))
}
