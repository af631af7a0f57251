package client

import (
	"context"

	"github.com/staunchid/staunch/transfer/sealed"
)

// Importer takes the history on the new phone, into staging: nothing of it is seen
// until Place. What cannot be imported it puts into quarantine, and goes on: one bad
// record is no failed move. Its errors are those that end it, such as a full disk.
//
// Between two calls the process may be killed. Then Resume is called with the last
// checkpoint that was written down, and everything after that comes once more.
type Importer interface {
	sealed.Sink
	// Resume goes on from a checkpoint, having taken back all that came after it. nil:
	// from the beginning, with nothing.
	Resume(ctx context.Context, checkpoint []byte) error
	// Checkpoint says what Resume needs, to go on from here. With durable all so far
	// survives a power cut when it returns.
	Checkpoint(durable bool) ([]byte, error)
	// Quarantined says how many there are.
	Quarantined() uint64
	// Place makes all of it visible, by one rename or one commit; then it is durable.
	// Called again it does nothing.
	Place(ctx context.Context) error
	// Clear removes staging: the move has come to nothing.
	Clear(ctx context.Context) error
	// Tell says who is told of what goes into quarantine.
	Tell(fn func(Quarantined))
}

// Quarantined is a record, or a file, that was not imported as it should.
type Quarantined struct {
	Path   string `json:"path"`
	Line   uint64 `json:"line,omitempty"` // 0: the whole file
	Reason string `json:"reason"`
	Kept   string `json:"kept,omitempty"` // where its bytes are; empty: in Path, as they came
}
