package console

import (
	"context"
	"errors"
	"time"
)

// ErrNotFound: there is no such account, or other thing, in this app.
var ErrNotFound = errors.New("console: not found")

// Reader is what the pages read of one app. It changes nothing.
type Reader interface {
	overview
	keeper
	healthReader
	accountReader
	auditReader
}

type overview interface {
	Overview(ctx context.Context) (*Overview, error)
}

// keeper reads how PIN recovery stands.
type keeper interface {
	// Vaults asks them, and is nil where nothing is brought back by a PIN.
	Vaults(ctx context.Context) (*Vaults, error)
	// Queue looks at the retry stream, and is nil where there is none.
	Queue(ctx context.Context) (*Queue, error)
}

// Overview is what the first page shows.
type Overview struct {
	Since        time.Time // when the server was started
	Version      string
	PolicyDigest string // of the attestation policy in force
	Seal         Seal
	Recovery     bool // the app brings keys back by a PIN
}

// Seal is how far the audit record is sealed.
type Seal struct {
	Number   uint64 // of the last seal; 0: there is none
	At       time.Time
	Unsealed int // entries after it, at most 1000 are counted
}

// Vaults is how the vaults of PIN recovery stand.
type Vaults struct {
	Profile, Policy string
	SetVersion      uint64
	N, T, Limit     int
	Operators       int    // companies or teams that run them
	Assurance       string // the weakest of those that answer
	Freshness       string
	Replicas        []Replica
	Witnesses       []Witness
	Intents         int // of this app: requests on their way to a vault
	Oldest          time.Time
	EvidenceMaxAge  time.Duration
	AskedAt         time.Time
}

// Replica is one process of a vault.
type Replica struct {
	Vault, Name, Operator string
	Platform              string // empty: it has given no evidence
	Epoch                 uint32
	Sealed                []uint32 // epochs under which records lie in the store
	Boot                  string
	Issued                time.Time // of its evidence
	Error                 string    // why it cannot be used now; empty: it can
}

// Witness is one that is no vault.
type Witness struct {
	ID    string
	Error string // why it does not answer; empty: it does
}

// Queue is what waits until the store takes it.
type Queue struct {
	Kind      string // "wal" or "kafka"
	Depth     int    // of all apps: there is one stream
	Oldest    time.Time
	Dead      int
	Error     string   // why it cannot be read; empty: it can
	Letters   []Letter // this app's dead letters, newest first
	Elsewhere int      // dead letters of other apps, or of nobody
	More      int      // of this app's, not shown
}

// Letter is a record that was given up.
type Letter struct {
	ID, Vault, Account string
	Gen                uint32
	Ver                uint64
	Attempts           int
	Reason             string
	At                 time.Time
}
