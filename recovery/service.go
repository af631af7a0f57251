package recovery

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery/wire"
)

// The policies: what a vault does with a record that is older than its mark.
const (
	PolicyMerge  = "merge"  // the mark fills it in
	PolicyStrict = "strict" // it is stale
)

// Options are what NewService takes. All that has no default is required.
type Options struct {
	App account.AppID
	// Pepper is derived from the app's root secret; from it come the names by
	// which each vault knows an account. RowKey is the key of the rows' MACs,
	// RateKey that of keyed hashes of what is counted. 32 bytes each.
	Pepper, RowKey, RateKey []byte
	// Set is the vault set, signed by release keys. Phones verify it; the service
	// takes profile, suite, n, t and limit from it.
	Set []byte
	// Policy is that of the vaults' configuration: merge or strict.
	Policy string
	// PINMin is how many characters a PIN has at least.
	PINMin int
	// Vaults are the ways to every vault of the set.
	Vaults []Vault
	// Vouchers signs vouchers: registering without a signature, and deleting.
	Vouchers ed25519.PrivateKey
	// Update and View run a function in a transaction of the app's store.
	Update func(context.Context, func(Tx) error) error
	View   func(context.Context, func(Tx) error) error
	// Accounts are the flows of the accounts.
	Accounts Accounts
	// Retry carries on with what the store does not take.
	Retry Retry
	// Timeout is how long a replica has for an answer. 0: 2 s.
	Timeout time.Duration
	// MaxTries is how many replicas are asked at most. 0: 3.
	MaxTries int
	// Now is the clock. nil: time.Now.
	Now func() time.Time
	// Logger gets what an operator must know. nil discards.
	Logger *slog.Logger

	// testingOnlyFault is asked at each fault point of the crash table; true: the
	// service dies there, and nobody gets an answer.
	testingOnlyFault func(point string) bool
}

// Vault is one vault of the set, and the processes that are it.
type Vault struct {
	ID       string
	Replicas []Replica
}

// Service is the half of recovery between phones and vaults, for one app: it
// stores what both have encrypted, and finds the way. It is safe for concurrent
// use.
type Service struct {
	app      account.AppID
	rowKey   []byte
	rateKey  []byte
	signed   []byte
	set      wire.VaultSet
	policy   string
	pinMin   int
	pools    []*pool // in the order of the set
	vouchers ed25519.PrivateKey
	update   func(context.Context, func(Tx) error) error
	view     func(context.Context, func(Tx) error) error
	accounts Accounts
	retry    Retry
	timeout  time.Duration
	tries    int
	now      func() time.Time
	log      *slog.Logger
	lanes    lanes
	fault    func(point string) bool
}

// NewService returns the service of one app.
func NewService(o *Options) (*Service, error) {
	switch {
	case o.Update == nil, o.View == nil, o.Accounts == nil, o.Retry == nil:
		return nil, errors.New("recovery: options: Update, View, Accounts and Retry are required")
	case len(o.Pepper) != 32, len(o.RowKey) != 32, len(o.RateKey) != 32:
		return nil, errors.New("recovery: options: Pepper, RowKey and RateKey are of 32 bytes")
	case len(o.Vouchers) != ed25519.PrivateKeySize:
		return nil, errors.New("recovery: options: Vouchers is an Ed25519 key")
	case o.Policy != PolicyMerge && o.Policy != PolicyStrict:
		return nil, fmt.Errorf("recovery: options: there is no policy %q: merge or strict", o.Policy)
	case o.PINMin < 4 || o.PINMin > 32:
		return nil, fmt.Errorf("recovery: options: a PIN of at least %d characters: 4 to 32", o.PINMin)
	}
	if err := o.App.Validate(); err != nil {
		return nil, fmt.Errorf("recovery: options: %w", err)
	}
	s := &Service{
		app: o.App, rowKey: o.RowKey, rateKey: o.RateKey, signed: o.Set, policy: o.Policy, pinMin: o.PINMin, vouchers: o.Vouchers,
		update: o.Update, view: o.View, accounts: o.Accounts, retry: o.Retry, timeout: o.Timeout, tries: o.MaxTries,
		now: o.Now, log: o.Logger, fault: o.testingOnlyFault,
	}
	if s.timeout == 0 {
		s.timeout = 2 * time.Second
	}
	if s.tries == 0 {
		s.tries = 3
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.fault == nil {
		s.fault = func(string) bool { return false }
	}
	return s, s.join(o)
}

// join brings the set and the ways to its vaults together.
func (s *Service) join(o *Options) error {
	signed, err := wire.Decode[wire.KofM](o.Set)
	if err != nil {
		return fmt.Errorf("recovery: options: the vault set: %w", err)
	}
	if s.set, err = wire.Decode[wire.VaultSet](signed.TBS); err != nil {
		return fmt.Errorf("recovery: options: the vault set: %w", err)
	}
	if s.seed() && s.policy != PolicyStrict {
		return errors.New("recovery: options: profile seed is strict")
	}
	ways := map[string][]Replica{}
	for _, v := range o.Vaults {
		ways[v.ID] = v.Replicas
	}
	for _, m := range s.set.Vaults {
		replicas := ways[m.Vault]
		if len(replicas) == 0 {
			return fmt.Errorf("recovery: options: there is no way to vault %s of the set", m.Vault)
		}
		delete(ways, m.Vault)
		s.pools = append(s.pools, newPool(m, wire.DerivePepper(o.Pepper, m.Vault), replicas))
	}
	for id := range ways {
		return fmt.Errorf("recovery: options: vault %s is not in the set", id)
	}
	return nil
}

// seed reports whether the profile is seed.
func (s *Service) seed() bool { return s.set.Profile == ProfileSeed }

// limit is how many attempts a registration has.
func (s *Service) limit() int { return int(s.set.Limit) }

// pool finds a vault by its name.
func (s *Service) pool(id string) (*pool, error) {
	for _, p := range s.pools {
		if p.id == id {
			return p, nil
		}
	}
	return nil, fmt.Errorf("%w: there is no vault %.32q", ErrMalformed, id)
}

// accts is the account as each vault knows it.
func (s *Service) accts(id account.ID) map[string][16]byte {
	out := map[string][16]byte{}
	for _, p := range s.pools {
		out[p.id] = p.acct(id)
	}
	return out
}

// errCrashed is what a service says that dies at a fault point of a test.
var errCrashed = errors.New("recovery: crashed at a fault point")
