package vault

import (
	"context"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// Peer is a witness as others reach it: over a [Link], or in the same process
// (Witness.Local). An error that is neither ErrStale nor ErrAmnesia means that
// there was no answer, and that nobody knows whether it did what it was asked.
type Peer interface {
	// ID is the witness-id.
	ID() string

	// Load returns what the witness holds of an account. ErrAmnesia: it has
	// restarted and does not remember yet.
	Load(ctx context.Context, vault string, acct [16]byte) (Held, error)

	// Write asks the witness to hold t. ErrStale: it holds what t does not
	// cover, or the view is over; Ack.View then is what it knows. ErrAmnesia.
	Write(ctx context.Context, vault string, t wire.Tagged, view wire.View) (Ack, error)

	// Join announces an incarnation of the caller, and hands what the witness
	// holds, page after page, to page. ErrStale: an incarnation as new is known;
	// Memories.View says which.
	Join(ctx context.Context, inc wire.Incarnation, page func([]VaultMark) error) (Memories, error)

	// HeadAt returns the head that the witness's journal had when it was n long.
	HeadAt(ctx context.Context, n uint64) (HeadAnswer, error)

	// Clock is the witness's clock.
	Clock(ctx context.Context) (time.Time, error)
}

// Held is what a witness answers to Load. Marks has one element, none when the
// account is unknown, and more when what it learnt from others in joining does
// not agree: then their join is what it holds. It cannot write the join itself,
// for want of the vault's mark key.
type Held struct {
	Marks []wire.Tagged
	View  wire.View
}

// Ack is what a witness answers to Write.
type Ack struct {
	Head Head      // of its journal, in which the mark is; zero without one
	View wire.View // with a refusal
}

// Head is the end of a journal: how many entries it has, and the hash over all.
type Head struct {
	N    uint64
	Hash wire.Hash
}

// HeadAnswer is what a witness says of a head of its journal.
type HeadAnswer struct {
	Known bool
	Hash  wire.Hash
	Past  bool // not known because it is too long ago; otherwise, it never was
}

// Memories is what a witness says of itself to one that joins.
type Memories struct {
	Live    bool // it answers and acknowledges
	Journal bool // it does not, but its journal is whole
	View    wire.View
	Heads   map[string]Head // of the journals of others, as they last acknowledged
}

// VaultMark is a mark of an account of a vault.
type VaultMark struct {
	Vault string
	Mark  wire.Tagged
}
