package registry

import (
	"context"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/event"
)

// Tx is what the registry needs of a transaction. A store implements it; it
// reads no clock and decides nothing.
type Tx interface {
	audit.Appender
	event.Appender

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
	// PutAttestedKey stores k, whether or not its id is known.
	PutAttestedKey(ctx context.Context, k Key) error
	// PutAttestedSerials stores the canonical certificate serials that a
	// revocation of this key would name, in place of those it had.
	PutAttestedSerials(ctx context.Context, id string, serials []string) error

	// AddEvidence stores what a decision was based on.
	AddEvidence(ctx context.Context, e Evidence) error
	// DeleteEvidence deletes up to limit pieces of evidence whose Until is before t.
	DeleteEvidence(ctx context.Context, t time.Time, limit int) (int, error)
}

// Evidence is what one decision was based on.
type Evidence struct {
	ID      string // "e_" and 26 characters
	Account account.ID
	Key     string // id of the key, as far as it is known; it may belong to another account
	At      time.Time
	Until   time.Time // when it may be deleted
	Verdict []byte    // JSON: tier and findings of the decision, without claims
	Bundle  []byte    // JSON of attest.Bundle, for a replay; empty when it must not be kept
}
