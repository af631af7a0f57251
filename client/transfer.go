package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/transfer/handover"
)

// Moving is what both phones of a move need. The loops of SendMove and
// ReceiveMove end where they are when ctx does, or the power: the same call again
// goes on there.
type Moving struct {
	// Dir is a folder of this phone alone. What the move must not forget is in there,
	// keys of the stream too, until it is over. It may hold one move that is sent and
	// one that was received. Required.
	Dir string
	// Home does what a move does to the phone itself. Required.
	Home MoveHome
	// Events is told what happens, in order, by one caller at a time. nil: nobody.
	Events func(MoveEvent)
	// NoProximity: neither offers nor listens for a beacon in the local network.
	NoProximity bool
	// Loopback allows beacons of this very machine: for phones in software.
	Loopback bool
	// Beside: another program has the loop of this phone's move. MoveStatus and
	// CancelMove read what it has written, ask the server, and write nothing.
	Beside bool
}

// MovingKey is a Key that can take part in a move: the other phone verifies what it
// signs.
type MovingKey interface {
	Key
	// Public is its SubjectPublicKeyInfo.
	Public() []byte
}

// MoveHome is the app on this phone, as far as a move changes it. Each of its
// methods may be called again after a crash, and does nothing then that it did
// already. When one returns, its work survives a power cut.
type MoveHome interface {
	// SealingPublic gives the public sealing key that the phone was enrolled with, or that
	// sealing.rotate has set since; empty if it has none. Of the current phone, before
	// anybody is asked.
	SealingPublic(ctx context.Context) ([]byte, error)
	// Secrets gives the keys that go along ("sealing", "recovery" …). Of the current
	// phone, when its owner has said yes and all has been sent.
	Secrets(ctx context.Context) (map[string][]byte, error)
	// SealingKey gives the public half of the sealing key in secrets; empty if there is
	// none.
	SealingKey(secrets map[string][]byte) ([]byte, error)
	// Take stores them. Of the new phone.
	Take(ctx context.Context, secrets map[string][]byte) error
	// Lock puts keys and history out of use, and keeps them: the account is the new
	// phone's. Unlock undoes it: the account was taken back.
	Lock(ctx context.Context) error
	Unlock(ctx context.Context) error
	// Wipe destroys keys and history: the move is final, or was recalled from this
	// phone.
	Wipe(ctx context.Context) error
}

// TakenBack is a MoveHome that tells its person why the account is gone from the new
// phone: without it Lock and Wipe are all that the app hears, which an old phone hears
// as well. It is called before them, and may be called again.
type TakenBack interface {
	// TakenBack: the account is the old phone's again, which has signed that, or
	// another device has removed this one.
	TakenBack(ctx context.Context, byOldPhone bool) error
}

// SendOptions are of the current phone.
type SendOptions struct {
	Moving
	// URI is the scanned code. A move that has begun needs none.
	URI string
	// Judge judges the other phone's evidence, by the app's own policy: the server's
	// verdict is only shown. Required.
	Judge handover.Judge
	// Source is the history. nil: none.
	Source Source
	// Resume gives the history that a move was begun with, by its name, when Source is
	// another one or nil: for apps that do not know any more which it was. nil: a move
	// goes on with that one alone, and another is ErrMoveOther.
	Resume func(name string) (Source, error)
	// Name is what the person calls this phone, for the other's screen.
	Name string
	// Info is what this phone is.
	Info MoveInfo
	// Ask has the person look at the new phone: whether the account is to move there.
	// Required.
	Ask func(ctx context.Context, p *Peer) (bool, error)
	// Show shows the text that the person approves with his passkey. Required.
	Show func(text string) error
	// LeastRecall is for how long this phone can take the account back at the least,
	// from when the new one has opened the keys, by its own clock: whatever the server
	// says, it destroys nothing before. 0 is three days; NoLeastRecall leaves it to the
	// server.
	LeastRecall time.Duration
	// Cursor is how far the app has read its mailbox: where the new phone goes on. May
	// be nil, and give nothing.
	Cursor func() []byte
}

// NoLeastRecall is a LeastRecall of nothing at all.
const NoLeastRecall time.Duration = -1

// ReceiveOptions are of the new phone.
type ReceiveOptions struct {
	Moving
	// Enrolment is what the account will call this phone. Its sealing key is not
	// looked at: the current phone's comes along.
	Enrolment
	// Info is what this phone is.
	Info MoveInfo
	// Judge judges the current phone's evidence, where it brings any. The zero Judge
	// refuses one that does.
	Judge handover.Judge
	// Importer takes the history. Required.
	Importer Importer
	// Number has the person type the number that the current phone shows. Required.
	Number func(ctx context.Context, triesLeft int) (string, error)
}

// MoveInfo is what a phone says of itself: 1 to 64 bytes each.
type MoveInfo struct{ Model, OS, App string }

// Peer is the new phone, as the current one shows it.
type Peer struct {
	Info        MoveInfo
	Verified    bool     // its evidence, by this phone's own policy: always true where Ask is called
	Findings    []string // of that: codes of package attest
	Verdict     string   // of the server, which is only shown: "TRUSTED" …
	Place       string   // in the server's word
	SameNetwork bool     // both come from one public address, in the server's word
	Proximity   string   // "near", "lan" or "none"
}

// Moved is a finished move.
type Moved struct {
	Role             string // "sender" or "receiver"
	Transfer         account.TransferID
	Account          account.ID
	Device           account.DeviceID // this phone's
	Objects, Bytes   uint64
	Quarantined      uint64
	SealingKeySHA256 [32]byte
	RecallUntil      time.Time
	MailboxCursor    []byte // of the receiver: where the app goes on reading
}

// MoveStanding is how a move stands on this phone.
type MoveStanding struct {
	Role        string // "sender", "receiver" or "none"
	Transfer    account.TransferID
	State       string // "offered" … "aborted"; empty: the server has not said
	Reason      string // of "aborted"
	Class       string // "near", "lan" or "none"; empty: not yet
	Account     account.ID
	Device      account.DeviceID
	SealingKey  [32]byte // SHA-256 of its public half; zero: not known
	Objects     uint64
	Bytes       uint64
	Done, Total uint64 // as in progress
	HeldUntil   time.Time
	RecallUntil time.Time
	Quarantined uint64
	Reachable   bool // the server was
}

// The roles.
const (
	RoleSender   = "sender"
	RoleReceiver = "receiver"
	RoleNone     = "none"
)

// MoveEvent is what a person, or a program, wants to hear of a move. Each event
// has the fields that are named beside it; the others are zero.
type MoveEvent struct {
	Event    string // one of the constants
	At       time.Time
	Transfer account.TransferID

	URI     string    // offer
	Expires time.Time // offer

	Label string   // claimed: what the current phone is called
	Info  MoveInfo // claimed: of the current phone
	Peer  *Peer    // peer

	Number    string // number: six digits
	TriesLeft int    // number_wanted, number_wrong

	Class string // confirmed
	Bytes uint64 // confirmed, sealed

	Until   time.Time // held
	Reasons []string  // held

	State    string        // resumed
	Done     uint64        // resumed, progress: plaintext bytes that are durable on the new phone
	Revision uint32        // restarted
	Reason   string        // restarted, retry, quarantined
	After    time.Duration // retry

	Phase                 string        // progress: pair hold copy check commit open
	Total                 uint64        // progress; 0: not known yet
	Objects, ObjectsTotal uint64        // progress; Objects also: sealed
	Rate                  float64       // progress: bytes a second; negative: not known yet
	ETA                   time.Duration // progress; negative: not known

	Path string // quarantined
	Line uint64 // quarantined; 0: not of one line

	Root        [32]byte   // sealed
	Account     account.ID // committed
	RecallUntil time.Time  // signed_out
}

// The events.
const (
	EventOffer        = "offer"         // N: show the code
	EventClaimed      = "claimed"       // N: a phone has scanned it
	EventPeer         = "peer"          // C
	EventNumber       = "number"        // C: show it
	EventNumberWanted = "number_wanted" // N
	EventNumberWrong  = "number_wrong"  // N
	EventMatched      = "matched"
	EventConfirmed    = "confirmed"
	EventHeld         = "held"
	EventResumed      = "resumed"
	EventRestarted    = "restarted"
	EventRetry        = "retry"
	EventProgress     = "progress"
	EventQuarantined  = "quarantined" // N
	EventSealed       = "sealed"
	EventCommitted    = "committed"
	EventSignedOut    = "signed_out" // C
)

// Errors of moves.
var (
	// ErrMoveEnded comes as a *MoveEnded.
	ErrMoveEnded = errors.New("client: the move has ended")
	// ErrNoMove: there is none on this phone.
	ErrNoMove = errors.New("client: no move on this phone")
	// ErrMoveOther: another move is under way on this phone, or this one with another
	// code or another history. Finish or cancel that one.
	ErrMoveOther = errors.New("client: another move is under way on this phone")
	// ErrDeclined: the person said no. The move is cancelled.
	ErrDeclined = errors.New("client: the move was declined")
	// ErrHistory: what was to be sent cannot be: two of one name, a link, a special
	// file, a name that no other phone could have. Nothing was sent.
	ErrHistory = errors.New("client: this history cannot be sent")
	// ErrMoveCheck: a message, or the stream, is not what the other phone has made, or
	// the server says what that phone has not signed. Nothing was done on the strength
	// of it.
	ErrMoveCheck = errors.New("client: a check of the move has failed")
	// ErrMoveTooEarly: wait until the other phone is so far, or until the time that the
	// standing says.
	ErrMoveTooEarly = errors.New("client: it is too early for this")
	// ErrMoveTooLate: the move can no longer be cancelled, or recalled.
	ErrMoveTooLate = errors.New("client: it is too late for this")
	// ErrKeysClosed: the account is this phone's, and the keys that came with it cannot
	// be opened. Recall the move on the old phone.
	ErrKeysClosed = errors.New("client: the keys that came along cannot be opened: recall the move on the old phone")
)

// MoveEnded says how: it is an ErrMoveEnded.
type MoveEnded struct {
	State  string // "aborted", "recalled" …
	Reason string // of "aborted": "user_cancelled" …
}

func (e *MoveEnded) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("%v: %s", ErrMoveEnded, e.State)
	}
	return fmt.Sprintf("%v: %s (%s)", ErrMoveEnded, e.State, e.Reason)
}

// Unwrap gives ErrMoveEnded.
func (*MoveEnded) Unwrap() error { return ErrMoveEnded }
