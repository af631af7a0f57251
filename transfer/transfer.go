package transfer

import (
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/transfer/handover"
)

// ID names a transfer: "t_" and 26 characters, the 16 bytes of the code's sid.
type ID = account.TransferID

// State is where a transfer stands (spec/transfer.md, "States").
type State string

// The states, in the order in which they can follow.
const (
	Offered   State = "offered"
	Claimed   State = "claimed"
	Held      State = "held"
	Streaming State = "streaming"
	Sealed    State = "sealed"
	Committed State = "committed"
	Acked     State = "acked"
	Final     State = "final"
	Recalled  State = "recalled"
	Aborted   State = "aborted"
)

// Reason says why a transfer was aborted.
type Reason string

// The reasons. Both phones are told.
const (
	UserCancelled      Reason = "user_cancelled"
	NumberMismatch     Reason = "number_mismatch"
	Contended          Reason = "contended"
	DeviceRejected     Reason = "device_rejected"
	SchemaTooNew       Reason = "schema_too_new"
	NoSpace            Reason = "no_space"
	Quota              Reason = "quota"
	Integrity          Reason = "integrity"
	Expired            Reason = "expired"
	AccountChanged     Reason = "account_changed"
	Frozen             Reason = "frozen"
	CancelledElsewhere Reason = "cancelled_elsewhere"
)

// Party is one of the two phones.
type Party string

// The parties.
const (
	Sender   Party = "sender"   // C, the current phone
	Receiver Party = "receiver" // N, the new one
)

// Transfer is one row. Times that are not there yet are zero.
type Transfer struct {
	ID      ID
	Version uint64 // grows with each change that a phone must hear of
	State   State
	Reason  Reason // when aborted

	Account      account.ID
	SenderDevice account.DeviceID // C's
	SenderKey    string           // key ID of C's device in the registry
	ReceiverKey  string           // of N's; pending until the commit
	NewDevice    account.DeviceID // N's, since the commit

	Class       handover.Class
	HoldReasons []string // why it is held: "class", or risk reasons

	CreatedAt   time.Time
	ConfirmedAt time.Time
	Opens       time.Time // when the hold is over; equal to ConfirmedAt without one
	Moved       time.Time // the last new segment or acknowledgement
	Deadline    time.Time // when the state's limit is over; zero: no limit
	CommittedAt time.Time
	AckedAt     time.Time
	RecallUntil time.Time // when the window to recall is over; zero before AckedAt
	FrozenSince time.Time // of the account: the window's clock stands; zero: it runs
	EndedAt     time.Time // since when it is final, recalled or aborted; zero: it is not

	Revision      uint32 // of the plan: 0 before the first
	BytesExpected uint64 // as Confirm said
	BytesStored   uint64 // plaintext bytes of the revision's segments
	RecordAcked   uint64 // all below it is durable at N

	HoldShare   []byte // 32 bytes, of C
	CommitShare []byte // 32 bytes, of C
	SealedKeys  []byte // "sealed": the secrets, for who has the commit share
	Passkey     []byte // what was verified of N's passkey, until the commit; of no meaning here

	Verdict string // of N's evidence, as the API shows it: JSON
	Place   string // of N, the server's word
	Network string // of N: shown as "same network" and nothing else

	// Stamps has the version that the transfer had when an envelope came.
	Stamps map[handover.Step]uint64
	// Envelopes, encoded, as they came; empty: not yet.
	Offer, Hello, Answer, Matched, Confirm, Grant, Receipt, Ack, Recall, Final []byte

	MAC []byte // see Seal
}

// Token is what a phone shows for its side of a transfer: the store has the
// SHA-256 of it.
type Token struct {
	Hash     [32]byte
	Transfer ID
	Party    Party
}

// Segment is a stored piece of ciphertext: records First to First+Records-1 of a
// revision.
type Segment struct {
	Transfer ID
	Revision uint32
	First    uint64
	Records  uint32
	Bytes    uint32   // of the ciphertext, header and tags included
	Leaf     [32]byte // of the tree
	Blob     string   // last part of its blob's key; of this sealing of its records
	Synced   bool     // the blob survives a power cut
	Acked    bool     // N has it; the blob may be gone
}
