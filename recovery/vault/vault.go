package vault

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// Vault is one replica of one vault. It is safe for concurrent use.
type Vault struct {
	config   wire.Config
	hash     wire.Hash // of config
	replica  string
	boot     *Boot
	fresh    Freshness
	ceremony *Ceremony
	attest   func(context.Context, []byte) ([]byte, error)
	keep     func(*MasterKeys) error
	fault    func(string) bool
	accounts *accountLocks
	ring     atomic.Pointer[ring]
	renewing sync.Mutex // one at a time changes ring

	receipts receipts
	evidence evidence
}

// New checks the options and derives what the vault needs of its keys.
func New(o *Options) (*Vault, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if o.Ceremony != nil && !o.Keys.Held(o.Ceremony) {
		return nil, fmt.Errorf("%w: the keys are those of before: MasterKeys.Hold comes first", ErrCeremony)
	}
	hash, err := o.Config.Hash()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	v := &Vault{
		config: o.Config, hash: hash, replica: o.Replica, boot: o.Boot, fresh: o.Freshness,
		ceremony: o.Ceremony, attest: o.Attest, keep: o.KeepKeys, fault: o.testingOnlyFault,
		accounts: newAccountLocks(),
	}
	if v.keep == nil {
		v.keep = func(*MasterKeys) error { return nil }
	}
	if v.fault == nil {
		v.fault = func(string) bool { return false }
	}
	r, err := newRing(&v.config, o.Keys)
	if err != nil {
		return nil, err
	}
	v.ring.Store(r)
	return v, nil
}

// ConfigHash is the hash of the configuration, which evidence attests.
func (v *Vault) ConfigHash() wire.Hash { return v.hash }

// Renew begins a new epoch if the newest is older than EpochLife, by the
// witnesses' clocks. Only one replica of a vault may: the others Adopt its keys.
func (v *Vault) Renew(ctx context.Context) error {
	now, err := v.fresh.Now(ctx)
	if err != nil {
		return err
	}
	v.renewing.Lock()
	defer v.renewing.Unlock()
	keys := v.ring.Load().keys
	return v.use(keys, keys.Renewed(now))
}

// Adopt takes newer keys of the same vault from another replica. Older ones are
// left alone.
func (v *Vault) Adopt(keys *MasterKeys) error {
	v.renewing.Lock()
	defer v.renewing.Unlock()
	old := v.ring.Load().keys
	switch {
	case !keys.usable() || keys.Epoch() <= old.Epoch():
		return nil
	case keys.era() != old.era(): // it may have another key for the marks, which this process tags with its own
		return fmt.Errorf("%w: a ceremony was held: start this replica anew with it", ErrKeys)
	}
	return v.use(old, keys)
}

// use makes keys durable and then uses them. v.renewing is held.
func (v *Vault) use(old, keys *MasterKeys) error {
	if keys == old {
		return nil
	}
	r, err := newRing(&v.config, keys)
	if err != nil {
		return err
	}
	if err := v.keep(keys); err != nil {
		return fmt.Errorf("vault: keeping the keys of epoch %d: %w", keys.Epoch(), err)
	}
	v.ring.Store(r)
	return nil
}

// clock is the median of the witnesses' clocks, or nil.
func (v *Vault) clock(ctx context.Context) *time.Time {
	now, err := v.fresh.Now(ctx)
	if err != nil {
		return nil
	}
	return &now
}
