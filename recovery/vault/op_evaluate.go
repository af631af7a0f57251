package vault

import (
	"crypto/subtle"
	"math"

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
	want := u.nonce(q.Reg, r.Charges, q.B, q.E) // of this charge, whose number never comes back: a recorded release is of another
	if subtle.ConstantTimeCompare(want[:], q.Nonce[:]) != 1 {
		return wire.VerdictRepeat
	}
	if r.Closed >= r.Charges {
		return wire.VerdictNoOpenTry
	}
	tbs, err := wire.Encode(q.TBS(u.config.Vault, in.acct))
	if err != nil || u.config.Suite.Verify(slot.Auth, tbs, q.Sig) != nil {
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
	k, err := s.Scalar(slotOf(r, in.evaluate.Reg).K[:])
	if err != nil {
		return err
	}
	e, err := s.Evaluate(k, b)
	if err != nil {
		return err
	}
	a.E = e.Bytes()
	nonce := u.nonce(in.evaluate.Reg, r.Charges, in.evaluate.B, a.E)
	a.Nonce = &nonce
	if in.evaluate.WantProof {
		p, err := s.Prove(k, b, e)
		if err != nil {
			return err
		}
		a.Proof = (*wire.Proof)(&p)
	}
	return nil
}
