package registry

import (
	"context"
	"time"

	"github.com/staunchid/staunch/account"
)

// registerTx is what registrations and policies need of a transaction, beside
// challenges, keys and evidence.
type registerTx interface {
	// CountBatchKeys counts keys under a batch key that were registered after t,
	// but for the key of that id, and no further than limit.
	CountBatchKeys(ctx context.Context, batch []byte, t time.Time, but string, limit int) (int, error)
	// CountAccountKeys does the same for the keys of an account.
	CountAccountKeys(ctx context.Context, id account.ID, t time.Time, but string, limit int) (int, error)

	// ExceptionUses gives how often each of the exceptions was used on a day; one
	// that was not is left out.
	ExceptionUses(ctx context.Context, exceptions []string, day int64) (map[string]int, error)
	// ExceptionDays gives the days from day on, on which the exceptions were used, by
	// exception, then day.
	ExceptionDays(ctx context.Context, exceptions []string, day int64) ([]ExceptionDay, error)
	// AddExceptionUse counts one.
	AddExceptionUse(ctx context.Context, u ExceptionUse) error
	// DeleteExceptionUses deletes up to limit rows of days before day.
	DeleteExceptionUses(ctx context.Context, day int64, limit int) (int, error)

	// DocumentInForce gives the digest of the document of a kind that is in
	// force; empty: there has been none.
	DocumentInForce(ctx context.Context, kind string) (string, error)
	// PutDocumentInForce stores d, unless it is there, and puts it in force in the
	// place of the one of its kind that was.
	PutDocumentInForce(ctx context.Context, d Document) error
}

// ExceptionUse is one accepted registration under an exception.
type ExceptionUse struct {
	Exception string
	Day       int64  // days since 1970 UTC
	Account   []byte // keyed hash
}

// Document is a text that verdicts were based on. It is kept for ever.
type Document struct {
	Digest string // "sha256:" and hex of Body
	Kind   string
	Body   []byte
	At     time.Time // when it was first in force
}
