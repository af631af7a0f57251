package recovery

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery/wire"
)

// Transport is RecoveryService as a phone sees it: staunch.recovery.v1. Each
// call is signed by the phone's attested key. Package client implements it over
// Connect; tests and recoverytest in memory.
type Transport interface {
	GetConfig(ctx context.Context, nonce []byte) (*Config, error)
	GetBackup(ctx context.Context) (*BackupView, error)
	PutBlob(ctx context.Context, reg [16]byte, blob []byte) error
	CommitBackup(ctx context.Context, reg [16]byte, stage Stage, blob [32]byte) error
	OpenSession(ctx context.Context, id account.ID, ticket TicketSecret) (*SessionView, error)
	CallVault(ctx context.Context, in *VaultCall) (*VaultAnswer, error)
	CallSeed(ctx context.Context, in *SeedCall) (*VaultAnswer, error)
	FinishSession(ctx context.Context, session SessionSecret) error
}

// Config is what anybody may know of the vaults.
type Config struct {
	Profile   string // "kr1-2of3", "kr1-single" or "seed"
	Limit     int
	PINMin    int      // characters
	Set       []byte   // k-of-m signed wire.VaultSet
	Evidence  [][]byte // tee evidence, one a vault, in the order of the set; nil: that vault did not answer
	Operators int      // distinct operators in the set
	Assurance string   // the weakest of the vaults: "process" (NOT a TEE), "vtpm" or "tee"
}

// BackupView is what a signed-in device sees of the account's registration.
type BackupView struct {
	Account account.ID
	Accts   map[string][16]byte // by vault
	Found   bool                // the rest is of the registration that the pointer names
	Reg     [16]byte
	Blob    [32]byte
	Header  []byte
	Stage   Stage
	Blobs   []BlobView
}

// BlobView is one blob.
type BlobView struct {
	Reg  [16]byte
	Hash [32]byte
	Blob []byte
}

// SessionView is an open session of a recovery.
type SessionView struct {
	Secret  SessionSecret
	Account account.ID
	Until   time.Time
	Accts   map[string][16]byte
	Reg     [16]byte // that the pointer names
	Blobs   []BlobView
}

// VaultCall is one sealed request for one vault.
type VaultCall struct {
	Vault   string
	Op      wire.Op
	Epoch   uint32
	Request []byte
	Session SessionSecret // of a recovery; empty: a signed-in device
}

// SeedCall is one sealed request for the enclave of profile seed.
type SeedCall struct {
	Op      wire.Op
	Epoch   uint32
	Request []byte
	Session SessionSecret
}

// VaultAnswer is what came back. Verdicts are within Answer, which only the
// phone can open.
type VaultAnswer struct {
	Answer  []byte
	Used    int // as the receipt says: charges since the last release
	Receipt []byte
}

// TicketSecret and SessionSecret are secrets of 32 random bytes. They print as
// [redacted].
type (
	TicketSecret  []byte
	SessionSecret []byte
)

func (TicketSecret) String() string                { return redacted }
func (TicketSecret) LogValue() slog.Value          { return slog.StringValue(redacted) }
func (TicketSecret) MarshalText() ([]byte, error)  { return []byte(redacted), nil }
func (SessionSecret) String() string               { return redacted }
func (SessionSecret) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (SessionSecret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Format prints no secret, whatever the verb.
func (TicketSecret) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) } //nolint:errcheck // as fmt does

// Format prints no secret, whatever the verb.
func (SessionSecret) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) } //nolint:errcheck // as fmt does
