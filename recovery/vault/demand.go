package vault

import (
	"fmt"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// demand is an opened call: what the phone asks, and the service's word on it.
type demand struct {
	op        wire.Op
	acct      wire.Acct
	malformed bool      // the body is not what op demands, or names another vault or account
	name      wire.ID16 // c of a managed request; h of evaluate and release

	evaluate wire.Evaluate
	release  wire.Release
	managed  wire.Managed
	create   wire.Create // of managed, as the following
	activate wire.Activate
	finalize wire.Finalize
	update   wire.Update
	delete   wire.Delete

	voucher *wire.Voucher // genuine, and for this account; whether still valid is asked when it is needed
}

// readDemand decodes what the phone has sealed. A body that is not what the op
// demands gets a verdict, which only the phone can read.
func readDemand(c *wire.Config, op wire.Op, acct wire.Acct, body []byte) *demand {
	in := &demand{op: op, acct: acct}
	if err := in.decode(c, body); err != nil {
		in.malformed = true
	}
	return in
}

func (in *demand) decode(c *wire.Config, body []byte) error {
	switch in.op {
	case wire.OpEvaluate:
		err := read(body, &in.evaluate)
		in.name = wire.AttemptName(in.evaluate.Reg, in.evaluate.B)
		return err
	case wire.OpRelease:
		err := read(body, &in.release)
		in.name = wire.AttemptName(in.release.Reg, in.release.B)
		return err
	case wire.OpStatus:
		return read(body, &wire.Status{})
	}
	if err := read(body, &in.managed); err != nil {
		return err
	}
	in.name = wire.ContentName(in.managed.TBS)
	target, err := in.readTBS()
	if err != nil {
		return err
	}
	if target.Vault != c.Vault || target.Acct != in.acct {
		return fmt.Errorf("%w: made for vault %s and another account", wire.ErrMalformed, target.Vault)
	}
	if in.op == wire.OpCreate {
		return checkCreate(c, &in.create)
	}
	return nil
}

// readTBS decodes the signed bytes of the op, and says what they are for.
func (in *demand) readTBS() (*wire.Target, error) {
	switch in.op {
	case wire.OpCreate:
		return &in.create.Target, read(in.managed.TBS, &in.create)
	case wire.OpActivate:
		return &in.activate.Target, read(in.managed.TBS, &in.activate)
	case wire.OpFinalize:
		return &in.finalize.Target, read(in.managed.TBS, &in.finalize)
	case wire.OpUpdate:
		return &in.update.Target, read(in.managed.TBS, &in.update)
	case wire.OpDelete:
		return &in.delete.Target, read(in.managed.TBS, &in.delete)
	}
	return nil, fmt.Errorf("%w: no operation of KR-1", wire.ErrMalformed)
}

func read[T any, P interface {
	*T
	wire.Coded
}](b []byte, v P) (err error) {
	*v, err = wire.Decode[T, P](b)
	return err
}

// wipe overwrites the shares that a request brought.
func (in *demand) wipe() {
	in.create.K.Wipe()
	in.create.S.Wipe()
	in.create.PRS.Wipe()
	clear(in.managed.TBS)
}

// readVoucher checks that the service has signed the voucher, for this vault and
// this account. An expired one is no error: a request whose record was lost is
// repeated with it, and then needs none.
func readVoucher(c *wire.Config, acct wire.Acct, signed *wire.Signed) (*wire.Voucher, error) {
	if err := signed.Verify(c.VoucherKey); err != nil {
		return nil, err
	}
	v, err := wire.Decode[wire.Voucher](signed.TBS)
	if err != nil {
		return nil, err
	}
	if v.Vault != c.Vault || v.Acct != acct {
		return nil, fmt.Errorf("%w: a voucher for another vault or account", wire.ErrSignature)
	}
	return &v, nil
}

// vouched reports whether the service has vouched for this, and not too long ago.
// Without a clock nothing is vouched for.
func (in *demand) vouched(p wire.Purpose, now *time.Time) bool {
	return in.voucher != nil && in.voucher.Purpose == p && now != nil && seconds(*now) < in.voucher.Expires
}

// needsClock reports whether the time matters to the request.
func (in *demand) needsClock() bool {
	return in.voucher != nil || in.op == wire.OpActivate && in.activate.Reset
}
