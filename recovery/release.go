package recovery

import (
	"context"
	"fmt"

	"github.com/staunchid/staunch/recovery/toprf"
	"github.com/staunchid/staunch/recovery/wire"
)

// release shows each vault that the PIN was right, and gets its share of s.
func (t *try) release(ctx context.Context, r *round) error {
	if err := t.askRelease(ctx, r); err != nil {
		return err
	}
	if repeat := t.repeats(); len(repeat) > 0 { // the keys were replaced between both calls
		t.askEvaluate(ctx, r, repeat, true)
		for _, id := range repeat {
			if a := t.evaluated[id]; a != nil {
				if err := t.prove(id, a); err != nil {
					t.lied(id, err)
				}
			}
		}
		if err := t.askRelease(ctx, r); err != nil {
			return err
		}
	}
	switch n := int(t.header.N); {
	case len(t.released) >= t.threshold():
		return nil
	case len(t.refused) > n-t.threshold():
		return t.wrong()
	}
	return t.unavailable(len(t.released) + len(t.refused))
}

// repeats are the vaults that want the same evaluation again.
func (t *try) repeats() []string {
	var ids []string
	for id := range t.evaluated {
		if a := t.last[id]; a != nil && a.Verdict == wire.VerdictRepeat {
			ids = append(ids, id)
		}
	}
	return ids
}

// askRelease asks those that have evaluated and not released yet.
func (t *try) askRelease(ctx context.Context, r *round) error {
	requests := map[string]request{}
	for id, a := range t.evaluated {
		if t.released[id] != nil || t.refused[id] {
			continue
		}
		q := &wire.Release{Reg: t.header.Reg, B: t.blinded.Element.Bytes(), E: a.E, Nonce: *a.Nonce}
		key, err := wire.DeriveAuthKey(t.header.Suite, t.header.Reg, t.rwd, id)
		if err != nil {
			return err
		}
		tbs, err := wire.Encode(q.TBS(id, r.accts[id]))
		if err != nil {
			return err
		}
		if q.Sig, err = key.Sign(tbs); err != nil {
			return err
		}
		requests[id] = request{wire.OpRelease, q}
	}
	for id, o := range r.ask(ctx, requests) {
		if delete(t.errs, id); o.err != nil {
			t.errs[id] = o.err
			continue
		}
		t.last[id] = o.answer
		switch o.answer.Verdict {
		case wire.VerdictOK:
			if o.answer.S == nil || o.answer.BlobHash == nil {
				t.lied(id, fmt.Errorf("its answer has no share"))
				continue
			}
			t.released[id] = o.answer
		case wire.VerdictWrongPIN, wire.VerdictLocked,
			wire.VerdictNoOpenTry: // the same B was refused before, and that answer was lost
			t.refused[id] = true
		default:
			t.errs[id] = verdictError(o.answer.Verdict)
		}
	}
	return nil
}

// openBox opens the payload: with s from t shares, and of the blobs that vaults
// name the one with the highest seq. With more than t shares a false one does no
// harm, and is found.
func (t *try) openBox() (*wire.Payload, error) {
	named := map[wire.Hash]bool{}
	var shares []toprf.Share
	for _, v := range t.header.Vaults {
		a := t.released[v.Vault]
		if a == nil {
			continue
		}
		named[*a.BlobHash] = true
		k, err := t.suite().Scalar(a.S[:])
		if err != nil {
			t.lied(v.Vault, err)
			continue
		}
		shares = append(shares, toprf.Share{Index: t.index(v.Vault), Scalar: k})
	}
	for some := range subsets(shares, t.threshold()) {
		s, err := t.suite().CombineScalars(t.threshold(), some)
		if err != nil {
			continue // zero: false shares
		}
		key, err := wire.DeriveDataKey(t.header.Suite, t.header.Reg, t.rwd, s.Bytes())
		if err != nil {
			return nil, err
		}
		if p := t.newest(key, named); p != nil {
			t.findLiars(some, shares)
			return p, nil
		}
	}
	return nil, fmt.Errorf("%w: %d shares, and %d blobs of which the vaults name %d", ErrShares, len(shares), len(t.blobs), len(named))
}

// newest is the payload with the highest seq, of the blobs that a vault names
// and the key opens: hashes are split when an update was interrupted.
func (t *try) newest(key wire.DataKey, named map[wire.Hash]bool) *wire.Payload {
	var best *wire.Payload
	for _, blob := range t.blobs {
		if !named[wire.Sum(blob)] {
			continue
		}
		h, p, err := key.OpenBlob(blob)
		if err != nil || best != nil && p.Seq <= best.Seq {
			continue
		}
		best, t.key, t.hash, t.header = p, key, wire.Sum(blob), *h
	}
	return best
}

// findLiars names the vaults whose shares do not lie on the polynomial of those
// that have opened the box.
func (t *try) findLiars(right, all []toprf.Share) {
	want, err := t.suite().CombineScalars(t.threshold(), right)
	if err != nil {
		return
	}
	for _, sh := range all {
		with := append([]toprf.Share{sh}, without(right, sh.Index)...)[:t.threshold()]
		if s, err := t.suite().CombineScalars(t.threshold(), with); err != nil || s.Bytes() != want.Bytes() {
			t.lied(t.header.Vaults[sh.Index-1].Vault, fmt.Errorf("its share of s"))
		}
	}
}

func without(shares []toprf.Share, index int) []toprf.Share {
	var out []toprf.Share
	for _, sh := range shares {
		if sh.Index != index {
			out = append(out, sh)
		}
	}
	return out
}

// subsets yields those of t of the shares: at most 126, of five of nine.
func subsets(shares []toprf.Share, t int) func(func([]toprf.Share) bool) {
	return func(yield func([]toprf.Share) bool) {
		var pick func(from int, some []toprf.Share) bool
		pick = func(from int, some []toprf.Share) bool {
			if len(some) == t {
				return yield(append([]toprf.Share(nil), some...))
			}
			for i := from; i <= len(shares)-(t-len(some)); i++ {
				if !pick(i+1, append(some, shares[i])) {
					return false
				}
			}
			return true
		}
		pick(0, nil)
	}
}
