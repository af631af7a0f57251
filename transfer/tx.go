package transfer

import (
	"context"
	"io"
	"iter"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/event"
)

// Tx is what the service needs of a transaction of the app's store. A store
// implements it; it reads no clock and decides nothing. What is not there is found
// is false, which is no error. The MAC of a row is this package's business.
type Tx interface {
	audit.Appender
	event.Appender

	Transfer(ctx context.Context, id ID) (t Transfer, found bool, err error)
	// AddTransfer stores a new one. An ID that was there is ErrConflict.
	AddTransfer(ctx context.Context, t Transfer) error
	// PutTransfer stores t if its version still is was, and reports whether it was:
	// compare and swap. A second one of the account that is between claimed and
	// sealed is ErrLive; a second one of the same sender device that is committed or
	// later and not recalled is ErrConflict.
	PutTransfer(ctx context.Context, t Transfer, was uint64) (bool, error)
	// TransfersOf gives those of an account that have not ended (neither final,
	// recalled nor aborted), by time.
	TransfersOf(ctx context.Context, id account.ID) ([]Transfer, error)
	// TransfersOfDevice gives those, in any state, that were sent by or have brought a
	// device, by time.
	TransfersOfDevice(ctx context.Context, id account.DeviceID) ([]Transfer, error)
	// Transfers gives up to limit of all, after an ID, in the order of IDs.
	Transfers(ctx context.Context, after ID, limit int) ([]Transfer, error)
	// TransfersDue gives up to limit IDs of those whose deadline, hold or window ends at or
	// before now, after an ID, in the order of IDs.
	TransfersDue(ctx context.Context, now time.Time, after ID, limit int) ([]ID, error)
	// DeleteTransfers deletes up to limit that ended before t, with their tokens and
	// segments, and says how many it deleted.
	DeleteTransfers(ctx context.Context, t time.Time, limit int) (int, error)
	// DeleteUnclaimed does the same to those that no device has claimed, which are of
	// no account.
	DeleteUnclaimed(ctx context.Context, t time.Time, limit int) (int, error)
	// ForgetPlaces empties place and network of up to limit created before t.
	ForgetPlaces(ctx context.Context, t time.Time, limit int) (int, error)

	TransferToken(ctx context.Context, hash [32]byte) (k Token, found bool, err error)
	PutTransferToken(ctx context.Context, k Token) error

	// AddSegment stores one. It is ErrConflict if its records overlap another's, or one
	// with the same first record is there that differs.
	AddSegment(ctx context.Context, s Segment) error
	Segment(ctx context.Context, id ID, revision uint32, first uint64) (s Segment, found bool, err error)
	// Segments gives up to limit of a revision from a first record on, in order.
	Segments(ctx context.Context, id ID, revision uint32, from uint64, limit int) ([]Segment, error)
	// SyncSegments marks those of a revision synced that begin below a record and are
	// neither synced nor acked.
	SyncSegments(ctx context.Context, id ID, revision uint32, below uint64) error
	// AckSegments marks all of a revision acked that end at or below a record, and
	// gives the first records of those it marked.
	AckSegments(ctx context.Context, id ID, revision uint32, below uint64) ([]uint64, error)
	// DropSegment deletes one row, DropSegments all of a transfer.
	DropSegment(ctx context.Context, id ID, revision uint32, first uint64) error
	DropSegments(ctx context.Context, id ID) error
	// SegmentBytes sums the bytes of a transfer's segments that are not acked, and of
	// all transfers'.
	SegmentBytes(ctx context.Context, id ID) (own, all int64, err error)
	// UnsyncedSegments gives up to limit that are neither synced nor acked, of any
	// transfer, after one, in the order of (transfer, revision, first).
	UnsyncedSegments(ctx context.Context, after Segment, limit int) ([]Segment, error)
}

// Blobs keeps ciphertext by key. A key is like "APP/transfer/t_…/1/0-5f…":
// parts of small letters, digits, "-" and "_".
type Blobs interface {
	// Put stores size bytes, whole or not at all. What is there under the key is
	// replaced. No room for it is ErrQuota.
	Put(ctx context.Context, key string, size int64, r io.Reader) error
	// Get reads n bytes from off on, or to the end if n is negative. A key that is not
	// there is fs.ErrNotExist.
	Get(ctx context.Context, key string, off, n int64) (io.ReadCloser, error)
	// Sync returns when all of these survive a power cut.
	Sync(ctx context.Context, keys iter.Seq[string]) error
	// Delete removes all that is under a prefix, which ends in "/" or is a whole key.
	// Nothing there is no error.
	Delete(ctx context.Context, prefix string) error
	// Keys gives all keys under a prefix with the time they were stored.
	Keys(ctx context.Context, prefix string) iter.Seq2[Blob, error]
}

// Blob is a key and when it was stored.
type Blob struct {
	Key  string
	Size int64
	At   time.Time
}
