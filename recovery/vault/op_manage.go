package vault

import "github.com/staunchid/staunch/recovery/wire"

// A managed request names the gen that it acts on, so that a replay fails. If it
// names another and its end already holds, the answer is ok and nothing changes.

// activate makes the other registration the current one, and gives the attempts
// back if that is asked for and the quota allows.
func (u *rules) activate(r *wire.Record, in *demand) wire.Verdict {
	q := &in.activate
	current := r.Current != nil && r.Current.Reg == q.Reg
	switch {
	case !u.signedBy(in, r.Current, r.Other):
		return wire.VerdictBadSig
	case q.Gen != r.Gen && current:
		return wire.VerdictOK
	case q.Gen != r.Gen:
		return wire.VerdictGenMismatch
	case current && q.Reset && u.reset(r):
		return u.changed(r, in)
	case current:
		return wire.VerdictOK
	case r.Other == nil || r.Other.Reg != q.Reg:
		return wire.VerdictUnknownReg
	}
	r.Current, r.Other = r.Other, r.Current
	if q.Reset {
		u.reset(r)
	}
	return u.changed(r, in)
}

// finalize drops the registration that is not the current one.
func (u *rules) finalize(r *wire.Record, in *demand) wire.Verdict {
	q := &in.finalize
	current := r.Current != nil && r.Current.Reg == q.Reg
	switch {
	case !u.signedBy(in, r.Current):
		return wire.VerdictBadSig
	case current && r.Other == nil:
		return wire.VerdictOK
	case q.Gen != r.Gen:
		return wire.VerdictGenMismatch
	case !current:
		return wire.VerdictUnknownReg
	}
	r.Other.Wipe()
	r.Other = nil
	return u.changed(r, in)
}

// update replaces the hash of a blob under the same keys.
func (u *rules) update(r *wire.Record, in *demand) wire.Verdict {
	q := &in.update
	slot := slotOf(r, q.Reg)
	switch {
	case slot == nil:
		return wire.VerdictUnknownReg
	case !u.signedBy(in, slot):
		return wire.VerdictBadSig
	case slot.BlobHash == q.New:
		return wire.VerdictOK
	case q.Gen != r.Gen:
		return wire.VerdictGenMismatch
	case slot.BlobHash != q.Old:
		return wire.VerdictHash
	}
	slot.BlobHash = q.New
	return u.changed(r, in)
}

// delete wipes everything and leaves a tombstone: by the owner's key, or by the
// word of the service, which can deny but never reveal.
func (u *rules) delete(r *wire.Record, in *demand) wire.Verdict {
	switch {
	case !u.redo && !u.signedBy(in, r.Current) && !in.vouched(wire.PurposeDelete, u.now):
		return wire.VerdictBadSig
	case in.delete.Gen != r.Gen:
		return wire.VerdictGenMismatch
	}
	wipe(r)
	r.State = wire.StateDeleted
	return u.changed(r, in)
}
