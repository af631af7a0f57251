// Package store says what a store of Staunch promises; the stores themselves
// are in the packages below it.
//
// Each app has a store of its own, which is opened under the app's name and
// under no other. A pillar declares the narrow transaction that it needs; a
// store's Tx has the methods of all pillars. The contract, which storetest
// checks on every store:
//
//   - Update runs fn in one serialisable transaction. fn may run more than
//     once, so it touches nothing but its Tx. If fn returns an error, nothing
//     of it is kept and the error comes out unchanged. When Update returns nil,
//     what fn did is on the disk.
//   - After a method of a Tx has failed, the transaction cannot be committed,
//     whatever fn returns. Not to have found something is no failure.
//   - View runs fn over one state of the store, in which it cannot write.
//   - A store reads no clock and decides nothing about who may do what. Times
//     are kept in UTC with microseconds.
//   - Schemas only move forward, one transaction a step. A schema newer than
//     the program knows is refused.
package store

import "errors"

// Errors of every store.
var (
	// ErrAway: the store cannot work now: it is closed, locked by another
	// program, or its disk is full or fails. Nothing was promised; ask again
	// later, with back-off. An operator must look.
	ErrAway = errors.New("store: away")
	// ErrNewer: the schema is newer than this program. Run the newer program.
	ErrNewer = errors.New("store: schema is newer than this program")
	// ErrOlder: the schema is older than this program, and the store was opened
	// for reading only. Start the server once, which migrates it.
	ErrOlder = errors.New("store: schema is older than this program")
	// ErrOtherApp: the store belongs to another app. Correct the config.
	ErrOtherApp = errors.New("store: belongs to another app")
	// ErrDamaged: what is there cannot be read as it should be. Stop the server,
	// keep a copy, run a check, and restore a backup.
	ErrDamaged = errors.New("store: damaged")
	// ErrNotStore: what is there is no store of Staunch. Correct the path.
	ErrNotStore = errors.New("store: not a store of Staunch")
)

// The kinds of problems that a check finds beside those of package audit.
const (
	BrokenFile    = "store_integrity"   // the file is damaged, or no store at all; Subject says how
	BrokenSchema  = "store_schema"      // a table, index or the like is missing, changed or one too many
	BrokenForeign = "store_foreign_key" // a row refers to one that is not there

	RecoveryBlob      = "recovery_blob"      // what a phone has encrypted is missing, or not as it was
	RecoveryRegressed = "recovery_regressed" // a record is older than the newest that was stored, or another
	RecoveryFork      = "recovery_fork"      // two records of one version: two replicas counted on from the same place

	TransferSpace = "transfer_space" // the bytes that wait for new phones are not the sum that is kept of them
)
