package recovery

import (
	"time"

	"github.com/staunchid/staunch/account"
)

// RecordRow is what one vault knows of one account, sealed by it.
type RecordRow struct {
	Vault     string
	Acct      [16]byte // the account, as that vault alone knows it
	Account   account.ID
	Profile   string
	Gen       uint32
	Ver       uint64
	Used      uint8 // as the receipt says: charges since the last release
	State     uint8 // as the receipt says: wire.State
	Sealed    []byte
	UpdatedAt time.Time
	MAC       []byte
}

// HistoryRow notes one version of a record, so that a fork is seen.
type HistoryRow struct {
	Vault   string
	Acct    [16]byte
	Gen     uint32
	Ver     uint64
	Digest  [32]byte // SHA-256 of the sealed record
	Used    uint8    // as the receipt says
	Session [32]byte // hash of the session whose call made it; zero: none
	At      time.Time
	MAC     []byte
}

// IntentRow is a managed request on its way: it is repeated until the record
// that it makes is stored.
type IntentRow struct {
	Vault   string
	Acct    [16]byte
	Account account.ID
	Op      uint8
	Epoch   uint32
	Request []byte // as the phone has sealed it
	At      time.Time
	NextAt  time.Time
	Tries   int
	MAC     []byte // over what does not change with each try
}

// BlobRow is what a phone encrypted: keys and all, see wire.Blob.
type BlobRow struct {
	Account account.ID
	Reg     [16]byte
	Hash    [32]byte // SHA-256 of Blob
	Blob    []byte
	At      time.Time
}

// NamedRow says which blob a vault names for a registration, as its receipts show.
type NamedRow struct {
	Account account.ID
	Reg     [16]byte
	Vault   string
	Gen     uint32 // of the receipt
	Hash    [32]byte
}

// Stage is how far a registration has come.
type Stage string

// The stages, as CommitBackup names them.
const (
	Activated Stage = "activated" // t vaults have it as the current one: the pointer names it
	Finalized Stage = "finalized" // all have wiped the one before
	Updated   Stage = "updated"   // a new blob under the same keys
	Deleting  Stage = "deleting"  // asked for, and not yet done at every vault
)

// PointerRow names the registration of an account whose PIN works.
type PointerRow struct {
	Account    account.ID
	Reg        [16]byte
	Blob       [32]byte // hash of the newest one
	Header     []byte   // of the blob: which vaults, n and t
	Stage      Stage    // activated, finalized or deleting
	SetVersion uint64   // of the vault set under which it was made
	Profile    string
	At         time.Time
	MAC        []byte
}

// SetupRow says that a device may register reg until that is finalized,
// replaced or deleted: what the owner has confirmed with one approval.
type SetupRow struct {
	Account  account.ID
	Reg      [16]byte
	Device   account.DeviceID
	Approval account.ApprovalID
	At       time.Time
	MAC      []byte
}

// SessionRow is one session of a recovery.
type SessionRow struct {
	Hash      [32]byte // SHA-256 of its secret
	Account   account.ID
	Key       string           // id of the attested key that signs its calls
	Device    account.DeviceID // of recovery.open; empty: a phone that is new
	Ticket    [32]byte         // SHA-256 of the ticket
	CreatedAt time.Time
	Until     time.Time
	Releases  []string  // vaults that have released, with used 0
	Finished  time.Time // zero: not yet
	EndedAt   time.Time // zero: open
	MAC       []byte
}

// ReceiptRow is one receipt of a vault, as it was signed.
type ReceiptRow struct {
	Seq     uint64
	Vault   string
	Session [32]byte // hash of the session; zero: none
	Signed  []byte   // a wire.Signed, of a wire.Receipt
	At      time.Time
}

// RateRow is one token bucket.
type RateRow struct {
	Key    [32]byte // keyed hash of what is counted
	Tokens float64
	At     time.Time
}
