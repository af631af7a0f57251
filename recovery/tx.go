package recovery

import (
	"context"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/event"
)

// Tx is what the service needs of a transaction of the app's store. A store
// implements it; it reads no clock and decides nothing.
//
// What is not there is found is false, which is no error. The MACs of rows are
// this package's business, see Seal.
type Tx interface {
	audit.Appender
	event.Appender
	recordTx
	blobTx
	sessionTx
	rateTx
}

// recordTx keeps what the vaults know, sealed. Gen and Ver are columns beside
// the record for the compare and swap; no vault believes them.
type recordTx interface {
	Recovery(ctx context.Context, vault string, acct [16]byte) (r RecordRow, found bool, err error)
	// CreateRecovery stores the first record of an account at a vault, of op create
	// alone. If there is one, it is AdvanceRecovery.
	CreateRecovery(ctx context.Context, r RecordRow) error
	// AdvanceRecovery stores r over an older one: (gen, ver) of the store is less
	// than that of r. One as new or newer that is there already is no error, and
	// done is true. No row at all is done false.
	AdvanceRecovery(ctx context.Context, r RecordRow) (done bool, err error)
	// RecoveryEpochs gives the epochs under which a vault has sealed records that
	// are not deleted, the oldest first.
	RecoveryEpochs(ctx context.Context, vault string) ([]uint32, error)
	// RecoveriesIn gives up to limit of those of one epoch, after an acct, by acct.
	RecoveriesIn(ctx context.Context, vault string, epoch uint32, after [16]byte, limit int) ([]RecordRow, error)
	// DropTombstones deletes up to limit records of state deleted that a vault has
	// sealed under an epoch before epoch.
	DropTombstones(ctx context.Context, vault string, epoch uint32, limit int) (int, error)
	// AnyRecovery reports whether the store holds a record at all, and of which profile.
	AnyRecovery(ctx context.Context) (profile string, found bool, err error)

	// AddHistory notes a version, and reports whether it was not noted before.
	// HistoryAt gives the digests noted for one version: more than one is a fork.
	AddHistory(ctx context.Context, h HistoryRow) (added bool, err error)
	HistoryAt(ctx context.Context, vault string, acct [16]byte, gen uint32, ver uint64) ([][32]byte, error)
	// HistoryBefore gives the newest one before a version.
	HistoryBefore(ctx context.Context, vault string, acct [16]byte, gen uint32, ver uint64) (h HistoryRow, found bool, err error)
	// History gives up to limit of an account's, the newest first.
	History(ctx context.Context, vault string, acct [16]byte, limit int) ([]HistoryRow, error)
	DeleteHistory(ctx context.Context, t time.Time, limit int) (int, error)

	// PutIntent keeps a managed request until its record is stored, beside others that
	// are on their way already. The same bytes again are the same request.
	PutIntent(ctx context.Context, i IntentRow) error
	// PostponeIntent stores when it is due again and how often it was tried, if it
	// is still that request, and reports whether it is.
	PostponeIntent(ctx context.Context, i IntentRow) (bool, error)
	// EndIntent removes it, if it is still that request: requestHash is its SHA-256.
	EndIntent(ctx context.Context, vault string, acct [16]byte, op uint8, requestHash [32]byte) error
	// Intents gives up to limit that are due at now, by time; of those due at once the
	// oldest first.
	Intents(ctx context.Context, now time.Time, limit int) ([]IntentRow, error)
	// IntentsOf gives those for an account at a vault, by time, without bounds on what
	// is read: PutIntent's callers bound them.
	IntentsOf(ctx context.Context, vault string, acct [16]byte) ([]IntentRow, error)
	// CountIntents counts all.
	CountIntents(ctx context.Context) (int, error)
}

// blobTx keeps what phones encrypted, and which of it is current.
type blobTx interface {
	Blob(ctx context.Context, id account.ID, reg [16]byte, hash [32]byte) (b BlobRow, found bool, err error)
	// Blobs gives all of an account, newest first, without bounds on what is read:
	// PutBlob's callers bound them.
	Blobs(ctx context.Context, id account.ID) ([]BlobRow, error)
	PutBlob(ctx context.Context, b BlobRow) error
	// DropBlobs deletes the account's blobs but those with a hash in keep.
	DropBlobs(ctx context.Context, id account.ID, keep [][32]byte) error

	// NameBlob notes which blob a vault names for a registration, unless one of a
	// larger gen is noted.
	NameBlob(ctx context.Context, n NamedRow) error
	// NamedBlobs gives what the vaults name, of all registrations of an account.
	NamedBlobs(ctx context.Context, id account.ID) ([]NamedRow, error)
	// DropNamed forgets what was named of an account's registrations but keep.
	DropNamed(ctx context.Context, id account.ID, keep [16]byte) error

	Pointer(ctx context.Context, id account.ID) (p PointerRow, found bool, err error)
	// Pointers gives up to limit of them, after an account, by account.
	Pointers(ctx context.Context, after account.ID, limit int) ([]PointerRow, error)
	PutPointer(ctx context.Context, p PointerRow) error
	DropPointer(ctx context.Context, id account.ID) error

	Setup(ctx context.Context, id account.ID) (s SetupRow, found bool, err error)
	PutSetup(ctx context.Context, s SetupRow) error
	EndSetup(ctx context.Context, id account.ID) error
}

// sessionTx keeps the sessions of recoveries, and the receipts of vaults.
type sessionTx interface {
	AddRecoverySession(ctx context.Context, s SessionRow) error
	// RecoverySession finds one by the SHA-256 of its secret.
	RecoverySession(ctx context.Context, hash [32]byte) (s SessionRow, found bool, err error)
	// PutRecoverySession stores what may change: Releases, Finished, EndedAt.
	PutRecoverySession(ctx context.Context, s SessionRow) error
	// RecoverySessions gives those of a ticket.
	RecoverySessions(ctx context.Context, ticket [32]byte) ([]SessionRow, error)
	// OpenRecoverySessions gives those of an account that have not ended, by time.
	OpenRecoverySessions(ctx context.Context, id account.ID) ([]SessionRow, error)
	// DeleteRecoverySessions deletes up to limit that ran out before t.
	DeleteRecoverySessions(ctx context.Context, t time.Time, limit int) (int, error)

	// AuditBatch gives the first limit entries in the order of q: see audit.SearchTx.
	AuditBatch(ctx context.Context, q *audit.Query, limit int) ([]audit.Entry, error)
	// AddReceipt appends one with the next number, which it gives.
	AddReceipt(ctx context.Context, r ReceiptRow) (uint64, error)
	Receipts(ctx context.Context, after uint64, limit int) ([]ReceiptRow, error)
	DeleteReceipts(ctx context.Context, t time.Time, limit int) (int, error)
}

// rateTx keeps token buckets.
type rateTx interface {
	RecoveryRate(ctx context.Context, key [32]byte) (r RateRow, found bool, err error)
	PutRecoveryRate(ctx context.Context, r RateRow) error
}
