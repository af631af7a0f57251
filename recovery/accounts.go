package recovery

import (
	"context"
	"time"

	"github.com/staunchid/staunch/account"
)

// Accounts is what the service asks of the accounts, within its transaction.
// server puts the flows of package integrity behind it.
type Accounts interface {
	// Allow reports an error unless the caller may do the action now: its class,
	// the states of device and account, its holds.
	Allow(ctx context.Context, tx Tx, c account.Caller, action account.Action) error
	// Ticket finds what a recovery ticket of an account was given out for, by the
	// ticket's SHA-256. It is worth something only in a request that the key it names
	// has signed (c.Key), while it is valid: else ErrTicket, also for an account
	// that is not there.
	Ticket(ctx context.Context, tx Tx, c account.Caller, id account.ID, hash [32]byte) (Ticket, error)
	// Charged tells the owner that an attempt was counted, and what is left: alert
	// and event recovery.attempt. by is the cause, which is not told; empty: a phone
	// that is none of his devices.
	Charged(ctx context.Context, tx Tx, id account.ID, by account.DeviceID, remaining, limit int) error
	// Registered tells him what has become of his PIN: "set", "changed" or "deleted".
	Registered(ctx context.Context, tx Tx, id account.ID, by account.DeviceID, what string) error
}

// Ticket is leave to try PINs for an account, for some time, by one key.
type Ticket struct {
	Account account.ID
	Key     string           // id of the attested key, active or pending
	Device  account.DeviceID // of recovery.open; empty: the phone is new
	Until   time.Time
}
