package recovery

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery/wire"
)

// Link is the way to one replica of a vault. It needs no secrecy: requests,
// answers and records on it are sealed.
type Link interface {
	Call(ctx context.Context, c *wire.Call) (*wire.Reply, error)
	// Evidence gives tee evidence with the binding; with a nonce it is live.
	Evidence(ctx context.Context, nonce []byte) ([]byte, error)
}

// Replica is one process of a vault.
type Replica struct {
	Vault string
	Name  string // "v1/a"
	Link  Link
}

// Retry carries on with what could not be stored, until it is. Implemented by
// stream/wal and stream/kafka. It never lives in the database whose failure it
// repairs. Delivery is at least once, in order for each key (vault, NUL, acct).
// Of several entries of a key only their Join need be kept, never just the
// newest: what the older ones tell their owner would be lost.
type Retry interface {
	// Enqueue returns when r is durable.
	Enqueue(ctx context.Context, r Record) error
	// Run hands entries to apply until ctx ends. An error of apply is tried again
	// with back-off, unless it is ErrPermanent: that goes to the dead letters.
	Run(ctx context.Context, apply func(context.Context, Record) error) error
	// Nudge applies what is held for this key now, and returns when it has been.
	// Nothing held is no error.
	Nudge(ctx context.Context, app account.AppID, vault string, acct [16]byte) error
}

// ErrPermanent is an entry that no repetition can store: an app or a vault that
// is not there, or bytes that are none of ours.
var ErrPermanent = errors.New("recovery: this entry can never be stored")

// Record is one entry of the retry stream: a record that its store does not have
// yet.
type Record struct {
	App     account.AppID
	Vault   string
	Acct    [16]byte
	Account account.ID
	Gen     uint32
	Ver     uint64
	Create  bool  // there may be no row to advance
	Used    uint8 // as the receipt says: charges since the last release
	State   uint8 // as the receipt says: wire.State
	Sealed  []byte
	// Notes are the calls whose receipts were not stored either, oldest first. A
	// stream keeps them as they are; this package reads them.
	Notes [][]byte
	At    time.Time // first enqueued
	MAC   []byte    // of the app, over what is neither Create, Notes nor At: see SealEntry
}

// Join is what r and other, two entries of one key, come to: the record of the
// newer one, and the notes of both, each once.
func (r Record) Join(other Record) Record {
	newer, older := r, other
	if older.Gen > newer.Gen || older.Gen == newer.Gen && older.Ver > newer.Ver {
		newer, older = older, newer
	}
	newer.Create = newer.Create || older.Create
	if !older.At.IsZero() && (newer.At.IsZero() || older.At.Before(newer.At)) {
		newer.At = older.At
	}
	notes := slices.Clone(older.Notes)
	for _, n := range newer.Notes {
		if !slices.ContainsFunc(notes, func(have []byte) bool { return bytes.Equal(have, n) }) {
			notes = append(notes, n)
		}
	}
	newer.Notes = notes
	return newer
}
