package audit

import (
	"context"
	"crypto/ed25519"

	"github.com/staunchid/staunch/account"
)

// The bounds of what Standing and CheckChain look at.
const (
	maxUnsealed = 10_000
	shownSeals  = 10
	maxChain    = 2_000
)

// Standing is how the seals of a record stand, as far as that shows quickly:
// what they cover is compared by Check alone.
type Standing struct {
	Seals    []JudgedSeal // the newest first, up to 10
	Unsealed int          // entries that no seal covers yet
	More     bool         // there are more of them, and they were not counted
}

// JudgedSeal is a seal with what is wrong with it.
type JudgedSeal struct {
	Seal
	Wrong string // SealBreak: the one before is not the one that it follows; SealSignature; empty: nothing
}

// ReadStanding looks at the newest seals and what they do not cover.
func ReadStanding(ctx context.Context, tx SearchTx, keys []ed25519.PublicKey) (*Standing, error) {
	out := &Standing{}
	err := tx.UnsealedAuditEntries(ctx, maxUnsealed+1, func([32]byte) error {
		out.Unsealed++
		return nil
	})
	if err != nil {
		return nil, err
	}
	if out.More = out.Unsealed > maxUnsealed; out.More {
		out.Unsealed = maxUnsealed
	}
	seal, err := tx.LastAuditSeal(ctx)
	if err != nil {
		return nil, err
	}
	for seal.Number != 0 && len(out.Seals) < shownSeals {
		before := Seal{}
		found := true
		if seal.Number > 1 {
			if before, found, err = tx.AuditSeal(ctx, seal.Number-1); err != nil {
				return nil, err
			}
		}
		wrong := ""
		switch {
		case !seal.Verify(tx.AuditApp(), keys):
			wrong = SealSignature
		case !found || seal.Count == 0 || seal.Prev != seal.follows(tx.AuditApp(), before):
			wrong = SealBreak
		}
		out.Seals = append(out.Seals, JudgedSeal{seal, wrong})
		if !found {
			break
		}
		seal = before
	}
	return out, nil
}

// ChainReport is what CheckChain found.
type ChainReport struct {
	Head   uint64   // number of the newest entry; 0: there is none
	Looked int      // entries, from the newest on
	Whole  bool     // they are all there are
	Sealed uint64   // number of the newest entry that a seal covers
	Wrong  []Judged // up to 20, the newest first
}

// OK reports whether nothing is wrong with what was looked at.
func (r *ChainReport) OK() bool { return len(r.Wrong) == 0 }

// CheckChain walks one chain from its newest entry back, over 2,000 entries at
// most. Whoever cut off its end after the last seal is not seen, as with Check.
func CheckChain(ctx context.Context, tx SearchTx, id account.ID, keys []ed25519.PublicKey) (*ChainReport, error) {
	const most = 20
	out := &ChainReport{}
	j := judge{tx: tx, keys: keys, seals: map[uint64]string{}}
	q := Query{Account: &id}
	for {
		batch, err := tx.AuditBatch(ctx, &q, searchBatch)
		if err != nil {
			return nil, err
		}
		for i := range batch {
			e := &batch[i]
			if out.Looked == maxChain {
				return out, nil
			}
			if out.Looked++; out.Head == 0 {
				out.Head = e.N
			}
			if e.Seal != 0 {
				out.Sealed = max(out.Sealed, e.N)
			}
			wrong, err := j.judge(ctx, e)
			if err != nil {
				return nil, err
			}
			if wrong != "" && len(out.Wrong) < most {
				out.Wrong = append(out.Wrong, Judged{*e, wrong})
			}
		}
		if len(batch) < searchBatch {
			out.Whole = true
			return out, nil
		}
		q.After = batch[len(batch)-1].At()
	}
}
