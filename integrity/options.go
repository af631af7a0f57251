package integrity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/transfer"
)

// Options are what New takes. All that has no default is required.
type Options struct {
	App  account.AppID
	Name string // of the app, as people see it
	// Passkey is the app's Relying Party.
	Passkey *passkey.RelyingParty
	// Attest is the app's attest registry.
	Attest Attest
	// Update and View run a function in a transaction of the app's store.
	Update func(context.Context, func(Tx) error) error
	View   func(context.Context, func(Tx) error) error
	// Peek is View, but what it shows may not be committed yet, and may never be:
	// for a sign-in's first look, at what its transaction reads and checks again.
	// nil: View.
	Peek func(context.Context, func(Tx) error) error
	// RowKey is the key of the rows' MACs, RateKey that of keyed hashes of
	// networks and of what is counted, FakeKey that of lists for handles that
	// nobody has: 32 bytes each, derived from the app's root secret.
	RowKey, RateKey, FakeKey []byte
	Policy                   Policy
	// Backend is the key by which the app's backend signs. nil: it makes no calls.
	Backend *registry.BackendKey
	// Now is the clock. nil: time.Now.
	Now func() time.Time
	// Logger gets what an operator must know. nil discards.
	Logger *slog.Logger
	// Recovery is pillar recovery. nil: nothing is brought back by a PIN, and what
	// needs one is refused.
	Recovery Recovery
	// Moves is pillar transfer, over the same store. nil: no account moves to a new
	// phone.
	Moves *transfer.Service
	// Revoke are told within the transaction that ends something.
	Revoke []func(context.Context, Tx, Scope, time.Time) error
}

// Attest is the part of the attest registry that flows need.
type Attest interface {
	CreateChallenge(ctx context.Context, caller account.Caller, in *registry.ChallengeRequest) (*registry.IssuedChallenge, error)
	Verify(ctx context.Context, caller account.Caller, in *registry.Registration) (*registry.Attempt, error)
	Activate(ctx context.Context, tx registry.Tx, caller account.Caller, id account.ID, keyID string, now time.Time) (*registry.Registered, error)
	Adopt(ctx context.Context, tx registry.Tx, caller account.Caller, id account.ID, keyID string, now time.Time) (*registry.Registered, error)
	Prove(ctx context.Context, in *registry.ProofRequest) (*registry.Proved, error)
	ProveLater(ctx context.Context, in *registry.ProofRequest) (*registry.Proving, error)
	VerifyProof(ctx context.Context, keyID string, value [32]byte, proof []byte) error
	ProveBackend(ctx context.Context, key registry.BackendKey, m *request.Message, hosts []string, loopbackToo bool) error
}

// Policy is what an app's configuration says of accounts. Every value is
// required; the zero Policy is refused.
type Policy struct {
	AccountsWithoutDevice bool
	ByHandle              bool
	SyncedOK              []string // "register", "sign_in", "step_up", actions, or "all"
	SyncedNewDevice       string   // "refuse", "approve" or "hold"
	ShortWaits            bool     // waits and windows of under an hour are allowed
	// CountriesUntold says that nobody tells the countries that requests come from. If
	// somebody does, a new phone in an unknown one is in another than its account's.
	CountriesUntold bool

	Windows  account.Windows // of the classes
	Sessions SessionPolicy
	Holds    HoldPolicy
	Waits    WaitPolicy
	Limits   Limits
	AppHosts []string // @authority of signed calls
	// LoopbackToo takes signed calls to this machine's own names, for staunch dev.
	LoopbackToo bool
}

// SessionPolicy says how long sessions live.
type SessionPolicy struct {
	Phone, Browser, Guest time.Duration
}

// HoldPolicy says how long new things cool off.
type HoldPolicy struct {
	Add, Recovery time.Duration
}

// WaitPolicy says how long actions wait.
type WaitPolicy struct {
	Unfreeze, Delete, Recovery, RecoveryFrozen time.Duration
}

// Limit is a token bucket: so many in so long, and at most Burst at once.
type Limit struct {
	N     int
	Per   time.Duration
	Burst int // 0: N
}

// Limits are the buckets (accounts, "Rate limits and enumeration").
type Limits struct {
	BeginNetwork, BeginDevice                    Limit
	FailedNetwork, FailedDevice, FailedAccount   Limit
	Join, HandleChange, AppApproval, HandleTaken Limit
	FreezeCode, RecoveryOpen, AuditRefusal       Limit
	MoveOffer, MoveClaim, MoveWait, MoveRevise   Limit
}

// Service runs the flows of one app. It is safe for concurrent use.
type Service struct {
	app     account.AppID
	name    string
	rp      *passkey.RelyingParty
	attest  Attest
	store   func(context.Context, func(Tx) error) error // Options.Update, for the lockdown alone
	update  func(context.Context, func(Tx) error) error // with sealed
	view    func(context.Context, func(Tx) error) error
	peek    func(context.Context, func(Tx) error) error
	rowKey  []byte
	rateKey []byte
	fakeKey []byte
	policy  Policy
	backend *registry.BackendKey
	now     func() time.Time
	log     *slog.Logger
	revoked []func(context.Context, Tx, Scope, time.Time) error
	// recovery is nil where there is none.
	recovery Recovery
	// moves is nil where there are none.
	moves  *transfer.Service
	alerts watchers[account.ID]
	joins  watchers[account.JoinID]
}

// New returns the flows of one app.
func New(o *Options) (*Service, error) {
	switch {
	case o.Passkey == nil, o.Attest == nil, o.Update == nil, o.View == nil:
		return nil, errors.New("integrity: options: Passkey, Attest, Update and View are required")
	case len(o.RowKey) != 32, len(o.RateKey) != 32, len(o.FakeKey) != 32:
		return nil, errors.New("integrity: options: RowKey, RateKey and FakeKey are of 32 bytes")
	}
	if err := o.App.Validate(); err != nil {
		return nil, fmt.Errorf("integrity: options: %w", err)
	}
	if err := o.Policy.Validate(); err != nil {
		return nil, err
	}
	s := &Service{
		app: o.App, name: o.Name, rp: o.Passkey, attest: o.Attest, store: o.Update, update: sealing(o.Update, o.RowKey), view: sealing(o.View, o.RowKey),
		rowKey: o.RowKey, rateKey: o.RateKey, fakeKey: o.FakeKey, policy: o.Policy, backend: o.Backend,
		now: o.Now, log: o.Logger, revoked: o.Revoke, recovery: o.Recovery, moves: o.Moves,
	}
	if s.peek = s.view; o.Peek != nil {
		s.peek = sealing(o.Peek, o.RowKey)
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s, nil
}
