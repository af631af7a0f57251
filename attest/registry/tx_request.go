package registry

import (
	"context"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
)

// requestTx is what signed requests and the lists of keys need of a transaction.
type requestTx interface {
	// KeyStandings gives the standing of those of the keys that are there, in any order.
	KeyStandings(ctx context.Context, ids []string) ([]KeyStanding, error)
	// MoveKeys stores what use has changed. A key whose counter is no longer the
	// old one, or that is not there, is an error: who moves has read it in this
	// transaction.
	MoveKeys(ctx context.Context, moves []KeyMove) error

	// NonceFloor gives the newest time of which nonces were deleted, or the zero
	// Time. A nonce of a request made then, or before, may have been here.
	NonceFloor(ctx context.Context) (time.Time, error)
	// AddNonces stores nonces of requests that were made at or before created,
	// and reports of each whether it is new. One that is there stays as it is.
	AddNonces(ctx context.Context, hashes [][32]byte, created time.Time) (fresh []bool, err error)
	// DeleteNonces deletes up to limit groups of nonces, as they were added, of
	// requests that were made before t, and raises the floor to the newest of
	// them. It says how many groups it has deleted.
	DeleteNonces(ctx context.Context, t time.Time, limit int) (int, error)

	// AttestedKeys gives up to limit keys that f chooses, by id, from the first
	// after f.After on.
	AttestedKeys(ctx context.Context, f KeyFilter, limit int) ([]Key, error)
}

// KeyStanding is what a request is judged by, of a key: what may change after
// its registration.
type KeyStanding struct {
	ID           string
	Account      account.ID
	AppID        string
	Tier         attest.Tier
	State        State
	Counter      uint32
	Window       uint64
	RegisteredAt time.Time
	LastUsed     time.Time
	RiskMetric   *uint32 // of Apple's last receipt; nil: not known
}

// KeyMove is what the use of a key changes.
type KeyMove struct {
	ID         string
	OldCounter uint32
	Counter    uint32
	Window     uint64
	LastUsed   time.Time // to the day
}
