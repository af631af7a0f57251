package vault

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/staunchid/staunch/recovery/wire"
)

// ErrConfig: the options do not make a vault. The message says what is wrong.
var ErrConfig = errors.New("vault: the configuration does not make a vault")

// The profiles and policies of a configuration.
const (
	ProfileSeed  = "seed"
	profileKR1   = "kr1-" // kr1-2of3, kr1-single, and what operators call theirs
	PolicyMerge  = "merge"
	PolicyStrict = "strict"
)

// Options are what a vault needs. Everything is required but what says so.
type Options struct {
	Config    wire.Config // of this vault; its hash is attested
	Replica   string      // the name of this process: "v1/a"
	Boot      *Boot       // of this start of the process
	Keys      *MasterKeys
	Freshness Freshness // keeps the marks; of the level that Config names

	// Attest makes evidence of this process, which proves binding; the encoded
	// wire.Binding is in it. nil: Evidence is refused.
	Attest func(ctx context.Context, binding []byte) (evidence []byte, err error)

	// KeepKeys makes changed master keys durable before the vault uses them: a
	// new epoch. nil: they live as long as the process.
	KeepKeys func(*MasterKeys) error

	// Ceremony is what the release keys of Config signed, if something has been
	// lost: see Ceremony. nil: nothing has.
	Ceremony *Ceremony

	// testingOnlyFault is called at the fault points of the crash table; true: the
	// process dies there, and no reply leaves it.
	testingOnlyFault func(point string) bool
}

// check refuses what would make a vault that guards nothing.
func (o *Options) check() error {
	c := &o.Config
	seed := c.Profile == ProfileSeed
	switch {
	case o.Boot == nil || o.Keys == nil || o.Freshness == nil:
		return errors.New("boot, keys and freshness are required")
	case !o.Keys.usable():
		return errors.New("a master key is all zeros")
	case !seed && !strings.HasPrefix(c.Profile, profileKR1):
		return fmt.Errorf("there is no profile %q: seed, or kr1-…", c.Profile)
	case seed && (c.N != 1 || c.T != 1 || c.Policy != PolicyStrict):
		return errors.New("profile seed is one vault with policy strict")
	case c.Policy != PolicyMerge && c.Policy != PolicyStrict:
		return fmt.Errorf("there is no policy %q: merge or strict", c.Policy)
	case o.Freshness.Level() != c.Freshness.Level:
		return fmt.Errorf("marks are kept at level %s, and the configuration, which is attested, says %q", o.Freshness.Level(), c.Freshness.Level)
	case !seed && c.Freshness.Level == LevelMemory: // every restart would give an insider the whole limit again
		return errors.New("level memory forgets the attempts at every restart: only profile seed may have it")
	case c.VoucherKey == wire.EdKey{}:
		return errors.New("the voucher key is all zeros: anybody could register")
	}
	for _, k := range c.Release.Keys {
		if k == (wire.EdKey{}) {
			return errors.New("a release key is all zeros")
		}
	}
	_, err := c.Hash() // every other bound of the fields
	return err
}
