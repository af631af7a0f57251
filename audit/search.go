package audit

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
)

// ErrQuery: a search asks for what there cannot be. Correct what the text names.
var ErrQuery = errors.New("audit: query")

// The bounds of a search.
const (
	defaultFound = 50
	maxFound     = 200
	searchBatch  = 250
	maxLooked    = 5_000 // entries that are read for one page
)

// Query asks for entries, the newest first. The zero Query asks for all.
type Query struct {
	Account *account.ID  // one chain, by number; nil: all chains, by time; empty: the app's own
	Kind    account.Kind // of the actor
	Action  string       // exactly
	From    time.Time    // at or after it
	To      time.Time    // before it
	After   Place        // goes on behind this one; the zero Place is before all
	Limit   int          // entries of a page; 0: 50; at most 200
}

// Place is where an entry stands: behind those that are newer, and among those
// of one moment by account, then number, both backwards.
type Place struct {
	Time    time.Time
	Account account.ID
	N       uint64
}

// At is the place of e.
func (e Entry) At() Place { return Place{e.Time, e.Account, e.N} }

// Page is what a search found.
type Page struct {
	Entries []Judged
	// Next goes on behind this page, as Query.After; the zero Place: this is all.
	// A page may hold less than its limit, or nothing, and yet have a Next: so many
	// entries were looked at for it that others should have their turn.
	Next   Place
	Looked int
}

// Judged is an entry with what is wrong with it, as far as that shows without
// its whole chain: its hash, its link to the entry before, the signature of its
// seal. Check looks at all there is.
type Judged struct {
	Entry
	Wrong string // ChainBreak, ChainGap, SealBreak or SealSignature; empty: nothing
}

// SearchTx is what a search needs of a transaction.
type SearchTx interface {
	AuditApp() account.AppID
	// LastAuditSeal is the seal with the highest number, the zero Seal if there is none.
	LastAuditSeal(ctx context.Context) (Seal, error)
	// AuditSeal gives the seal with a number.
	AuditSeal(ctx context.Context, number uint64) (s Seal, found bool, err error)
	// AuditEntry gives entry n of a chain.
	AuditEntry(ctx context.Context, id account.ID, n uint64) (e Entry, found bool, err error)
	// AuditBatch gives the first limit entries in the order of q, behind q.After. It
	// reads no more of a table than it gives, so it may give such as q does not ask for.
	AuditBatch(ctx context.Context, q *Query, limit int) ([]Entry, error)
	// UnsealedAuditEntries: see SealTx.
	UnsealedAuditEntries(ctx context.Context, limit int, yield func(hash [32]byte) error) error
}

// Search gives a page of what q asks for. keys are the audit keys, as those of
// CheckOptions.
//
// Whoever asks has been asked who he is: entries hold no secret, and name accounts.
func Search(ctx context.Context, tx SearchTx, q *Query, keys []ed25519.PublicKey) (*Page, error) {
	limit := q.Limit
	switch {
	case limit < 0 || limit > maxFound:
		return nil, fmt.Errorf("%w: limit %d is not within 0 and %d", ErrQuery, limit, maxFound)
	case !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To):
		return nil, fmt.Errorf("%w: from %s is not before %s", ErrQuery, q.From.Format(time.RFC3339), q.To.Format(time.RFC3339))
	case q.Account != nil && *q.Account != "" && q.Account.Validate() != nil:
		return nil, fmt.Errorf("%w: %q is no id of an account; ids begin with a_", ErrQuery, *q.Account)
	case limit == 0:
		limit = defaultFound
	}
	out := &Page{}
	j := judge{tx: tx, keys: keys, seals: map[uint64]string{}}
	rest := *q
	for {
		batch, err := tx.AuditBatch(ctx, &rest, searchBatch)
		if err != nil {
			return nil, err
		}
		for i := range batch {
			e := &batch[i]
			out.Looked++
			if q.asksFor(e) {
				wrong, err := j.judge(ctx, e)
				if err != nil {
					return nil, err
				}
				out.Entries = append(out.Entries, Judged{*e, wrong})
			}
			last := i == len(batch)-1 && len(batch) < searchBatch
			if !last && (len(out.Entries) == limit || out.Looked == maxLooked) {
				out.Next = e.At()
				return out, nil
			}
		}
		if len(batch) < searchBatch {
			return out, nil
		}
		rest.After = batch[len(batch)-1].At()
	}
}

// asksFor reports whether e is one of those.
func (q *Query) asksFor(e *Entry) bool {
	return (q.Account == nil || e.Account == *q.Account) && (q.Kind == "" || e.Actor.Kind == q.Kind) && (q.Action == "" || e.Action == q.Action) &&
		(q.From.IsZero() || !e.Time.Before(q.From)) && (q.To.IsZero() || e.Time.Before(q.To))
}

// judge says of single entries what is wrong with them.
type judge struct {
	tx    SearchTx
	keys  []ed25519.PublicKey
	seals map[uint64]string // what is wrong with a seal, by number
}

func (j *judge) judge(ctx context.Context, e *Entry) (string, error) {
	if e.Hash != e.Sum(j.tx.AuditApp()) {
		return ChainBreak, nil
	}
	prev := genesis(j.tx.AuditApp(), e.Account)
	if e.N > 1 {
		before, found, err := j.tx.AuditEntry(ctx, e.Account, e.N-1)
		switch {
		case err != nil:
			return "", err
		case !found:
			return ChainGap, nil
		}
		prev = before.Hash
	}
	if e.Prev != prev {
		return ChainBreak, nil
	}
	if e.Seal == 0 {
		return "", nil
	}
	wrong, known := j.seals[e.Seal]
	if !known {
		seal, found, err := j.tx.AuditSeal(ctx, e.Seal)
		switch {
		case err != nil:
			return "", err
		case !found:
			wrong = SealBreak
		case !seal.Verify(j.tx.AuditApp(), j.keys):
			wrong = SealSignature
		}
		j.seals[e.Seal] = wrong
	}
	return wrong, nil
}
