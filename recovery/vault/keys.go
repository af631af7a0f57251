package vault

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// EpochLife is how long a master key seals records. Then a new epoch begins; the
// one before is still accepted while its records are sealed anew, and destroyed
// when the next begins.
const EpochLife = 30 * 24 * time.Hour

// ErrKeys: master keys cannot be had: the message says whether the configuration
// was changed, which they do not survive, or the bytes were.
var ErrKeys = errors.New("vault: the master keys cannot be opened")

// MasterKeys are the root of everything that a vault derives: its HPKE key pair,
// the keys of its records, its half of exchanges, and the tags of its marks. All replicas of
// a vault have the same. A value never changes: what renews gives another.
type MasterKeys struct {
	epochs    []masterKey // newest first; one or two
	marks     wire.Key    // wk: replaced by an amnesia ceremony alone
	callsFrom uint32      // requests sealed to an older epoch are refused
	held      []wire.ID16 // names of the ceremonies held so far, oldest first
}

// masterKey is mk_e.
type masterKey struct {
	epoch uint32
	made  uint64 // seconds since 1970
	key   wire.Key
}

// NewMasterKeys makes the first keys of a vault. Call it once in the life of a
// vault: records sealed under other keys are lost with them.
func NewMasterKeys(now time.Time) *MasterKeys {
	return &MasterKeys{
		epochs:    []masterKey{{1, seconds(now), wire.NewKey()}},
		marks:     wire.NewKey(),
		callsFrom: 1,
	}
}

func seconds(t time.Time) uint64 { return uint64(max(t.Unix(), 0)) }

// Epoch is the number of the newest key.
func (k *MasterKeys) Epoch() uint32 { return k.epochs[0].epoch }

// MarkKey derives the key that tags marks of the vault: see NewQuorum.
func (k *MasterKeys) MarkKey(vault string) wire.MarkKey { return wire.DeriveMarkKey(k.marks, vault) }

// Renewed gives the keys with a new epoch if the newest is older than EpochLife,
// and otherwise k. The epoch before stays, older ones are gone.
func (k *MasterKeys) Renewed(now time.Time) *MasterKeys {
	if seconds(now) < k.epochs[0].made+uint64(EpochLife/time.Second) {
		return k
	}
	return k.next(now)
}

func (k *MasterKeys) next(now time.Time) *MasterKeys {
	n := &MasterKeys{
		epochs:    []masterKey{{k.Epoch() + 1, seconds(now), wire.NewKey()}, k.epochs[0]},
		marks:     k.marks,
		callsFrom: max(k.callsFrom, k.Epoch()),
		held:      slices.Clone(k.held),
	}
	return n
}

// usable reports whether no key is all zeros.
func (k *MasterKeys) usable() bool {
	zero := k.marks == wire.Key{} || len(k.epochs) == 0 || len(k.epochs) > 2
	for _, m := range k.epochs {
		zero = zero || m.epoch == 0 || m.key == wire.Key{}
	}
	return !zero
}

// ring is what a vault derives from its master keys when they come, and not at
// every call.
type ring struct {
	keys   *MasterKeys
	epochs []epochKeys // as in keys
	shares wire.ShareKey
}

type epochKeys struct {
	number uint32
	master wire.Key
	hpke   *wire.HPKEKey
	public []byte
}

func newRing(c *wire.Config, keys *MasterKeys) (*ring, error) {
	r := &ring{keys: keys, shares: wire.DeriveShareKey(keys.marks, c.Vault)}
	for _, m := range keys.epochs {
		pair, err := wire.DeriveHPKE(c.Suite, m.key, c.Vault, m.epoch)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrKeys, err)
		}
		r.epochs = append(r.epochs, epochKeys{m.epoch, m.key, pair, pair.Public()})
	}
	return r, nil
}

// newest seals records.
func (r *ring) newest() *epochKeys { return &r.epochs[0] }

// of is the keys of an epoch that is still accepted.
func (r *ring) of(epoch uint32) *epochKeys {
	for i := range r.epochs {
		if r.epochs[i].number == epoch {
			return &r.epochs[i]
		}
	}
	return nil
}

// forCall is of, for what a phone sealed: a ceremony ends older epochs at once.
func (r *ring) forCall(epoch uint32) *epochKeys {
	if epoch < r.keys.callsFrom {
		return nil
	}
	return r.of(epoch)
}
