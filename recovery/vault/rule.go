package vault

import (
	"time"

	"github.com/staunchid/staunch/recovery/toprf"
	"github.com/staunchid/staunch/recovery/wire"
)

// rules are what a rule knows beside the record and the request. A rule changes
// the record and gives a verdict; it computes nothing that leaves the vault.
type rules struct {
	config *wire.Config
	redo   bool       // the record of this very request was lost: the mark has its count already
	now    *time.Time // nil: no quorum of clocks, so nothing that depends on the time

	// share makes the vault's half of an exchange, bound to the charge that paid for it.
	share func(reg wire.RegID, charges uint32, b, e wire.Element) wire.Key
}

// refusal is a clear reply code instead of a verdict; CodeDone: there is none.
type refusal = wire.Code

// run is step 5: the rule of the op.
func (u *rules) run(r *wire.Record, in *demand) (wire.Verdict, refusal) {
	if in.malformed {
		return wire.VerdictMalformed, wire.CodeDone
	}
	switch in.op {
	case wire.OpEvaluate:
		return u.evaluate(r, in), wire.CodeDone
	case wire.OpRelease:
		return u.release(r, in), wire.CodeDone
	case wire.OpCreate:
		return u.create(r, in)
	case wire.OpActivate:
		return u.activate(r, in), wire.CodeDone
	case wire.OpFinalize:
		return u.finalize(r, in), wire.CodeDone
	case wire.OpUpdate:
		return u.update(r, in), wire.CodeDone
	case wire.OpDelete:
		return u.delete(r, in), wire.CodeDone
	case wire.OpStatus:
		return wire.VerdictOK, wire.CodeDone
	}
	return wire.VerdictMalformed, wire.CodeDone
}

// changed notes that the request changed what is registered.
func (u *rules) changed(r *wire.Record, in *demand) wire.Verdict {
	r.Gen++
	r.Redo = in.name
	return wire.VerdictOK
}

// signedBy reports whether the manage key of one of these slots has signed the
// request.
func (u *rules) signedBy(in *demand, slots ...*wire.Slot) bool {
	for _, s := range slots {
		if s != nil && in.managed.Verify(u.config.Suite, s.Manage) == nil {
			return true
		}
	}
	return false
}

// suite is the suite as the OPRF knows it: the numbers are the same.
func suite(c *wire.Config) toprf.Suite { return toprf.Suite(c.Suite) }
