package recovery

import (
	"context"
	"errors"
	"fmt"

	"github.com/staunchid/staunch/recovery/cpace"
	"github.com/staunchid/staunch/recovery/toprf"
	"github.com/staunchid/staunch/recovery/wire"
)

// release shows each vault that the PIN was right, and gets its share of s.
func (t *try) release(ctx context.Context, r *round) error {
	requests, err := t.proofs(r)
	if err != nil {
		return err
	}
	if err := r.c.saveAttempt(t.attempt); err != nil { // before what it has answered leaves
		return fmt.Errorf("recovery: save the attempt: %w", err)
	}
	t.askRelease(ctx, r, requests)
	switch n := int(t.header.N); {
	case len(t.released) >= t.threshold():
		return nil
	case len(t.refused) > n-t.threshold():
		return t.wrong()
	}
	return t.unavailable(len(t.released) + len(t.refused))
}

// proofs are the requests to those that have evaluated.
//
// Nobody vouches for the registration yet, nor for the vaults' keys: whoever deals
// one himself, and has a vault's keys, learns of one PIN whether it is the owner's
// from what the phone answers to a half that he has made with it. So there is one
// answer for each vault and attempt, whatever a vault says of it.
func (t *try) proofs(r *round) (map[string]request, error) {
	requests := map[string]request{}
	for id, a := range t.evaluated {
		prs, err := wire.DerivePRS(t.header.Suite, t.header.Reg, t.rwd, id)
		if err != nil {
			return nil, err
		}
		q := &wire.Release{Reg: t.header.Reg, B: t.blinded.Element.Bytes(), E: a.E}
		session := cpace.Session{Suite: t.header.Suite, PRS: prs, Vault: id, Acct: r.accts[id], Reg: q.Reg, B: q.B, E: q.E}
		err = session.Prove(q, a.Ya)
		prs.Wipe()
		switch {
		case errors.Is(err, toprf.ErrMalformed):
			t.lied(id, err)
		case err != nil:
			return nil, fmt.Errorf("recovery: the proof for %s: %w", id, err)
		case !t.attempt.answers(id, a.Ya):
			t.spent = true
			t.errs[id] = fmt.Errorf("%w: it asks this attempt for a second proof, as when another phone has tried meanwhile: try again, which counts", ErrVaultUnavailable)
		default:
			requests[id] = request{wire.OpRelease, q}
		}
	}
	return requests, nil
}

func (t *try) askRelease(ctx context.Context, r *round, requests map[string]request) {
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
