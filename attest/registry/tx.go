package registry

import (
	"context"
	"time"

	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/event"
)

// Tx is what the registry needs of a transaction. A store implements it; it
// reads no clock and decides nothing.
type Tx interface {
	audit.Appender
	event.Appender
	registerTx
	requestTx
	statTx
	feedTx

	// Challenge gives the challenge with that SHA-256, or ErrChallengeUnknown.
	Challenge(ctx context.Context, hash [32]byte) (Challenge, error)
	// AddChallenge stores a new one.
	AddChallenge(ctx context.Context, c Challenge) error
	// UseChallenge marks a challenge used at now if it is there and unused, and
	// reports whether it did: compare and set.
	UseChallenge(ctx context.Context, hash [32]byte, now time.Time) (bool, error)
	// DeleteChallenges deletes up to limit challenges that expired before t.
	DeleteChallenges(ctx context.Context, t time.Time, limit int) (int, error)

	// AttestedKey gives a key by its id, or ErrKeyUnknown.
	AttestedKey(ctx context.Context, id string) (Key, error)
	// PutAttestedKey stores k with its serials, whether or not its id is known.
	PutAttestedKey(ctx context.Context, k Key) error

	// AddEvidence stores what a decision was based on.
	AddEvidence(ctx context.Context, e Evidence) error
	// DeleteEvidence deletes up to limit pieces of evidence whose Until is before t.
	DeleteEvidence(ctx context.Context, t time.Time, limit int) (int, error)
}
