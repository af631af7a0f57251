package wire

import (
	"fmt"
	"math"

	"github.com/staunchid/staunch/internal/cbor"
)

// Op is what a call asks of a vault.
type Op uint8

// The operations: 1 to 8 of KR-1, 16 and 17 of the seed profile.
const (
	OpCreate      Op = 1
	OpActivate    Op = 2
	OpFinalize    Op = 3
	OpEvaluate    Op = 4
	OpRelease     Op = 5
	OpUpdate      Op = 6
	OpDelete      Op = 7
	OpStatus      Op = 8
	OpSeedBackup  Op = 16
	OpSeedRestore Op = 17
)

func (o Op) String() string {
	switch o {
	case OpCreate:
		return "create"
	case OpActivate:
		return "activate"
	case OpFinalize:
		return "finalize"
	case OpEvaluate:
		return "evaluate"
	case OpRelease:
		return "release"
	case OpUpdate:
		return "update"
	case OpDelete:
		return "delete"
	case OpStatus:
		return "status"
	case OpSeedBackup:
		return "seed-backup"
	case OpSeedRestore:
		return "seed-restore"
	}
	return fmt.Sprintf("op(%d)", uint8(o))
}

// Valid reports whether there is such an operation.
func (o Op) Valid() bool { return o >= OpCreate && o <= OpStatus || o.Seed() }

// Seed reports whether the operation is of the seed profile.
func (o Op) Seed() bool { return o == OpSeedBackup || o == OpSeedRestore }

// Managed reports whether the request is a [Managed] one, which may change what
// is registered.
func (o Op) Managed() bool {
	return o >= OpCreate && o <= OpFinalize || o == OpUpdate || o == OpDelete
}

func (o *Op) code(c *cbor.Coder) {
	if cbor.Uint(c, o, 0, math.MaxUint8); c.Err() == nil && !o.Valid() {
		c.Failf("there is no operation %d", *o)
	}
}

// Verdict is what a sealed answer says. Only the phone reads it.
type Verdict uint8

// The verdicts.
const (
	VerdictOK          Verdict = 0
	VerdictWrongPIN    Verdict = 1
	VerdictLocked      Verdict = 2
	VerdictDeleted     Verdict = 3
	VerdictNoBackup    Verdict = 4
	VerdictUnknownReg  Verdict = 5
	VerdictRepeat      Verdict = 6  // not the Y_a of this charge: another attempt came between
	VerdictSuperseded  Verdict = 7  // another attempt came between
	VerdictNoOpenTry   Verdict = 8  // the charge's one release was wasted
	VerdictBadSig      Verdict = 9  // signed by no key that may
	VerdictGenMismatch Verdict = 10 // made for another version of what is registered
	VerdictOccupied    Verdict = 11 // the other slot holds another registration
	VerdictHash        Verdict = 12 // the old blob hash is not the one held
	VerdictMalformed   Verdict = 13
)

func (v Verdict) String() string {
	names := [...]string{
		"ok", "wrong PIN", "locked", "deleted", "no backup", "unknown registration", "repeat", "superseded",
		"no open try", "bad signature", "gen mismatch", "occupied", "hash mismatch", "malformed",
	}
	if int(v) < len(names) {
		return names[v]
	}
	return fmt.Sprintf("verdict(%d)", uint8(v))
}

// Code is what a reply says to the service, in the clear.
type Code uint8

// The reply codes. Anything but done changed nothing.
const (
	CodeDone       Code = 0
	CodeStale      Code = 1 // the record is older than what is known of the account
	CodeAmnesia    Code = 2 // too few witnesses remember
	CodeFuture     Code = 3 // the record is newer than what is known: alarm
	CodeBadRecord  Code = 4
	CodeEpoch      Code = 5 // the keys were rotated: get the configuration, then repeat
	CodeVoucher    Code = 6 // none, or not for this
	CodeUnreadable Code = 7 // the request does not open
	CodeBusy       Code = 8 // the account is being written elsewhere: repeat
)

func (r Code) String() string {
	names := [...]string{"done", "stale", "amnesia", "future", "bad record", "epoch", "voucher", "unreadable request", "busy"}
	if int(r) < len(names) {
		return names[r]
	}
	return fmt.Sprintf("code(%d)", uint8(r))
}

// State is what a vault holds of an account.
type State uint8

// The states; the larger is the worse.
const (
	StateActive  State = 0
	StateLocked  State = 1
	StateDeleted State = 2
)

func (s State) String() string {
	switch s {
	case StateActive:
		return "active"
	case StateLocked:
		return "locked"
	case StateDeleted:
		return "deleted"
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

func (s *State) code(c *cbor.Coder) { cbor.Uint(c, s, 0, uint64(StateDeleted)) }

// Purpose is what a voucher allows.
type Purpose uint8

// The purposes.
const (
	PurposeFirst  Purpose = 1 // a first registration
	PurposeAgain  Purpose = 2 // a registration after lock or deletion
	PurposeDelete Purpose = 3
)

func (p Purpose) String() string {
	switch p {
	case PurposeFirst:
		return "first registration"
	case PurposeAgain:
		return "registration after lock or deletion"
	case PurposeDelete:
		return "deletion"
	}
	return fmt.Sprintf("purpose(%d)", uint8(p))
}

// The limits of guesses that a registration may ask for.
const (
	MinLimit = 3
	MaxLimit = 50
)

func codeLimit(c *cbor.Coder, v *uint8) { cbor.Uint(c, v, MinLimit, MaxLimit) }
