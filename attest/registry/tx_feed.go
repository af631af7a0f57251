package registry

import (
	"context"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/event"
)

// feedTx is what the work behind the calls needs of a transaction: keys that a
// revocation list names, and receipts that are due.
type feedTx interface {
	// Job gives how far a job has come; found is false if it never began.
	Job(ctx context.Context, name string) (j Job, found bool, err error)
	// PutJob stores j, whether or not there is a job of its name.
	PutJob(ctx context.Context, j Job) error

	// KeysUnder gives up to limit keys that are registered under one of the
	// serials and are not revoked, ordered by serial and key, from after on.
	// The serials are sorted.
	KeysUnder(ctx context.Context, serials []string, after SerialKey, limit int) ([]SerialKey, error)
	// AttestedKeysByID gives those of the keys that are there, ordered by id.
	AttestedKeysByID(ctx context.Context, ids []string) ([]Key, error)
	// RevokeAttestedKeys sets the state of keys to StateRevoked, and says of how
	// many it was another.
	RevokeAttestedKeys(ctx context.Context, ids []string) (int, error)

	// AttestedReceipt gives the receipt of a key; found is false if it has none.
	AttestedReceipt(ctx context.Context, key string) (r Receipt, found bool, err error)
	// PutReceipt stores r, whether or not its key has one.
	PutReceipt(ctx context.Context, r Receipt) error
	// ReceiptTeams gives the teams of which receipts are scheduled.
	ReceiptTeams(ctx context.Context) ([]string, error)
	// DueReceipt gives the receipt of a team that has been due for longest at
	// now, and that nobody is at; found is false if there is none.
	DueReceipt(ctx context.Context, team string, now time.Time) (r Receipt, found bool, err error)
	// LeaseReceipt sets the lease of a scheduled receipt if it is still the one
	// that was, and reports whether it did: compare and set.
	LeaseReceipt(ctx context.Context, key string, was, until time.Time) (bool, error)
	// ReviveReceipts makes the scheduled receipts of an account whose last result
	// is ExchangeNoData due at t.
	ReviveReceipts(ctx context.Context, id account.ID, t time.Time) error
	// WakeReceipts makes those of the keys' receipts that are parked due at t.
	WakeReceipts(ctx context.Context, keys []string, t time.Time) error
	// RiskMetrics gives the risk metrics of those of the keys that have one.
	RiskMetrics(ctx context.Context, keys []string) (map[string]uint32, error)

	// AppendAudits is AppendAudit for many, in their order.
	AppendAudits(ctx context.Context, all []audit.Entry) error
	// AppendEvents is AppendEvent for many, in their order.
	AppendEvents(ctx context.Context, all []event.Event) error
}

// Job is work over many rows that takes many transactions, each of which
// stores how far it has come: a process that dies goes on there.
type Job struct {
	Name     string
	Target   string // what it works towards; with another target it begins anew
	Cursor   string // the last element that is done; empty: none
	Changed  int    // elements that it has changed
	Began    time.Time
	Finished time.Time // zero: it goes on
}

// SerialKey is a key and a serial that is in its chain.
type SerialKey struct{ Serial, Key string }
