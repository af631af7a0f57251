package vault

import (
	"fmt"

	"github.com/staunchid/staunch/recovery/wire"
)

// checkCreate refuses what no honest phone sends.
func checkCreate(c *wire.Config, q *wire.Create) error {
	switch {
	case q.Suite != c.Suite:
		return fmt.Errorf("%w: a registration of suite %d", wire.ErrMalformed, q.Suite)
	case q.Limit > c.Limit:
		return fmt.Errorf("%w: %d attempts, and the configuration allows %d", wire.ErrMalformed, q.Limit, c.Limit)
	}
	for _, x := range []wire.Scalar{q.K, q.S} { // not canonical, or zero: RFC 9497, Section 2.1
		if _, err := suite(c).Scalar(x[:]); err != nil {
			return fmt.Errorf("%w: %w", wire.ErrMalformed, err)
		}
	}
	return nil
}

// create registers: the first of an account or the only one after lock or
// deletion by voucher, and a second one beside the first by its manage key.
func (u *rules) create(r *wire.Record, in *demand) (wire.Verdict, refusal) {
	q := &in.create
	if holds(r, q.Slot()) { // done before: repeated, it changes nothing
		return wire.VerdictOK, wire.CodeDone
	}
	switch {
	case u.redo && in.alone():
		return u.only(r, in), wire.CodeDone
	case r.Ver == 0: // nobody ever heard of the account, and settle has asked for gen 0
		return u.vouchedOnly(r, in, wire.PurposeFirst)
	case r.State != wire.StateActive && q.Gen != r.Gen:
		return wire.VerdictGenMismatch, wire.CodeDone
	case r.State != wire.StateActive:
		return u.vouchedOnly(r, in, wire.PurposeAgain)
	case !u.signedBy(in, r.Current):
		return wire.VerdictBadSig, wire.CodeDone
	case q.Gen != r.Gen:
		return wire.VerdictGenMismatch, wire.CodeDone
	case r.Other != nil || r.Current.Reg == q.Reg:
		return wire.VerdictOccupied, wire.CodeDone
	}
	r.Other = q.Slot()
	r.Limit = min(r.Limit, q.Limit) // and the count stays: registering gives no attempts back
	return u.changed(r, in), wire.CodeDone
}

// vouchedOnly is only, by the word of the service.
func (u *rules) vouchedOnly(r *wire.Record, in *demand, p wire.Purpose) (wire.Verdict, refusal) {
	switch {
	case !in.alone(): // there is no key that could have signed
		return wire.VerdictBadSig, wire.CodeDone
	case !in.vouched(p, u.now):
		return 0, wire.CodeVoucher
	}
	return u.only(r, in), wire.CodeDone
}

// only makes the only registration of an account.
func (u *rules) only(r *wire.Record, in *demand) wire.Verdict {
	wipe(r)
	r.Current = in.create.Slot()
	r.State, r.Limit, r.Resets = wire.StateActive, in.create.Limit, nil
	r.Base = r.Charges
	return u.changed(r, in)
}

// holds reports whether a slot has this very content.
func holds(r *wire.Record, want *wire.Slot) bool {
	s := slotOf(r, want.Reg)
	return s != nil && s.K.Equal(want.K) && s.S.Equal(want.S) && s.BlobHash == want.BlobHash &&
		s.PRS.Equal(want.PRS.Key) && string(s.Manage) == string(want.Manage)
}
