package recovery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/tee"
)

// Client is the phone's half: it deals a registration out to the vaults, and
// gets it back with the PIN. It trusts the release keys that the app pins, and
// what the vaults prove; the service in between it does not trust.
//
// Its methods are not for several goroutines at once: a phone does one after the
// other. The Backup that they take is changed, and saved at each step.
type Client struct {
	transport   Transport
	release     wire.ReleaseKeys
	policy      tee.Policy
	saveBackup  func(*Backup) error
	saveAttempt func(*Attempt) error
	approve     func(ctx context.Context, reg [16]byte) error
	oldest      uint64
	pinMin      int
	maxAge      time.Duration
	timeout     time.Duration
	now         func() time.Time
	stretch     func(PIN, wire.RegID, wire.Argon2) wire.Secret // testingOnly: other than PIN.stretch
}

// ClientOptions are what NewClient needs.
type ClientOptions struct {
	Transport Transport // required
	// ReleaseKeys sign vault sets. They are compiled into the app; required.
	ReleaseKeys wire.ReleaseKeys
	// Policy says which evidence is accepted: the zero Policy only TEEs without
	// any finding. Its Measurements come from the vault set, so leave them empty.
	Policy tee.Policy
	// SaveBackup and SaveAttempt keep a journal. What they are given must be on
	// disk when they return, readable by the app alone; required. An Attempt that
	// is not kept costs a guess when the phone dies in the middle.
	SaveBackup  func(*Backup) error
	SaveAttempt func(*Attempt) error
	// Approve asks the owner to confirm recovery.setup for a registration. nil: no
	// approval is needed.
	Approve func(ctx context.Context, reg [16]byte) error
	// SetVersion is the least version of the vault set: that which was current
	// when the app was built. What a Backup or an Attempt remembers counts too.
	SetVersion uint64
	// PINMin is how many characters a new PIN has at least, 4 to 32; 0 is 6. It is
	// compiled into the app: a service can ask for more, and never for fewer.
	PINMin int

	EvidenceMaxAge time.Duration    // 0, or more than 24 h, is 24 h
	Timeout        time.Duration    // for each vault; 0 is 10 s
	Now            func() time.Time // nil is time.Now
}

// NewClient checks the options.
func NewClient(o *ClientOptions) (*Client, error) {
	switch {
	case o.Transport == nil:
		return nil, errors.New("recovery: ClientOptions.Transport is missing")
	case o.SaveBackup == nil || o.SaveAttempt == nil:
		return nil, errors.New("recovery: ClientOptions.SaveBackup and SaveAttempt are required: without a journal a phone that dies loses its guesses")
	case o.ReleaseKeys.K == 0 || int(o.ReleaseKeys.K) > len(o.ReleaseKeys.Keys):
		return nil, fmt.Errorf("recovery: ClientOptions.ReleaseKeys: %d of %d keys verify nothing", o.ReleaseKeys.K, len(o.ReleaseKeys.Keys))
	case len(o.Policy.Measurements) > 0:
		return nil, errors.New("recovery: ClientOptions.Policy.Measurements must be empty: the signed vault set lists them")
	case o.PINMin != 0 && (o.PINMin < leastPINMin || o.PINMin > mostPINMin):
		return nil, fmt.Errorf("recovery: ClientOptions.PINMin: %d characters; write %d to %d, or leave it out for %d", o.PINMin, leastPINMin, mostPINMin, defaultPINMin)
	}
	c := &Client{
		transport: o.Transport, release: o.ReleaseKeys, policy: o.Policy,
		saveBackup: o.SaveBackup, saveAttempt: o.SaveAttempt, approve: o.Approve,
		oldest: o.SetVersion, pinMin: o.PINMin, maxAge: o.EvidenceMaxAge, timeout: o.Timeout, now: o.Now,
		stretch: PIN.stretch,
	}
	if c.pinMin == 0 {
		c.pinMin = defaultPINMin
	}
	if c.maxAge <= 0 || c.maxAge > evidenceMaxAge {
		c.maxAge = evidenceMaxAge
	}
	if c.timeout <= 0 {
		c.timeout = 10 * time.Second
	}
	if c.now == nil {
		c.now = time.Now
	}
	return c, nil
}

const evidenceMaxAge = 24 * time.Hour
