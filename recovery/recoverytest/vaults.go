// Package recoverytest has what tests of PIN recovery need: real vaults in
// memory, with witnesses and evidence of level process; an honest service in
// memory; a network that loses what a test wants lost; a vault that lies. All
// keys are made anew for each test and protect nothing. A store that fails is in
// store/storetest.
//
//	v, err := recoverytest.NewVaults(&recoverytest.Options{})
//	service := recoverytest.NewService(v, "a_1")
//	net := &recoverytest.Network{Transport: service}
//	c, err := recovery.NewClient(&recovery.ClientOptions{
//		Transport:   net,
//		ReleaseKeys: v.ReleaseKeys,
//		Policy:      tee.Policy{AllowProcess: true},
//		…
//	})
package recoverytest

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/vault"
	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/tee"
	"github.com/staunchid/staunch/tee/process"
)

// Options say which vaults. The zero value is kr1-2of3 with a limit of 10.
type Options struct {
	Profile string           // "": kr1-2of3
	N, T    int              // 0: 3 and 2; for profile seed and kr1-single 1 and 1
	Suite   wire.Suite       // 0: 1
	Limit   int              // 0: 10
	Now     func() time.Time // of the witnesses; nil: time.Now
	Policy  string           // "": merge; profile seed is always strict
}

func (o *Options) defaults() {
	if o.Profile == "" {
		o.Profile = recovery.ProfileKR1
	}
	single := o.Profile == recovery.ProfileSeed || o.Profile == recovery.ProfileSingle
	switch {
	case o.N == 0 && single:
		o.N, o.T = 1, 1
	case o.N == 0:
		o.N, o.T = 3, 2
	}
	if o.Suite == 0 {
		o.Suite = wire.Suite1
	}
	if o.Limit == 0 {
		o.Limit = 10
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	switch {
	case o.Profile == recovery.ProfileSeed:
		o.Policy = recovery.PolicyStrict
	case o.Policy == "":
		o.Policy = recovery.PolicyMerge
	}
}

// Vaults are all vaults of a set, each with one replica, in this process.
type Vaults struct {
	ReleaseKeys wire.ReleaseKeys   // 2 of 3
	Vouchers    ed25519.PrivateKey // signs vouchers
	List        []*Vault           // v1, v2, …, in the order of the set

	options *Options
	release []ed25519.PrivateKey
	set     wire.VaultSet
	self    *process.Report
	counts  map[string]*vault.Witness
}

// Vault is one of them. It is a recovery.Link.
type Vault struct {
	ID   string
	Down func() bool // nil: never. While it is true nobody answers

	all    *Vaults
	config wire.Config
	boot   *vault.Boot
	real   *vault.Vault
	liar   *liar
}

// executable is read once: it is the same all the time, and large.
var executable = sync.OnceValues(process.Self)

// NewVaults starts them.
func NewVaults(in *Options) (*Vaults, error) {
	o := *in
	o.defaults()
	self, err := executable()
	if err != nil {
		return nil, err
	}
	v := &Vaults{options: &o, self: self, Vouchers: newKey(), ReleaseKeys: wire.ReleaseKeys{K: 2}}
	for range 3 {
		k := newKey()
		v.release = append(v.release, k)
		v.ReleaseKeys.Keys = append(v.ReleaseKeys.Keys, public(k))
	}
	var ids []string
	for i := range o.N {
		ids = append(ids, fmt.Sprintf("v%d", i+1))
	}
	if v.counts, err = v.witnesses(ids); err != nil {
		return nil, err
	}
	for _, id := range ids {
		one, err := v.start(id, v.counts)
		if err != nil {
			return nil, fmt.Errorf("recoverytest: vault %s: %w", id, err)
		}
		v.List = append(v.List, one)
	}
	v.set, err = v.firstSet()
	return v, err
}

func newKey() ed25519.PrivateKey {
	seed := wire.NewKey()
	return ed25519.NewKeyFromSeed(seed[:])
}

func public(k ed25519.PrivateKey) wire.EdKey { return wire.EdKey(k.Public().(ed25519.PublicKey)) }

// sizes are W, Q, R and f for the vaults and a witness of its own, w1; of a
// single vault there is itself alone.
func (v *Vaults) sizes() wire.Freshness {
	switch n := uint8(v.options.N); {
	case v.options.Profile == recovery.ProfileSeed:
		return wire.Freshness{Level: vault.LevelMemory}
	case n == 1:
		return wire.Freshness{Level: vault.LevelQuorum, W: 1, Q: 1, R: 1}
	case n == 2:
		return wire.Freshness{Level: vault.LevelQuorum, W: 3, Q: 2, R: 2}
	default: // Q + R > W + f and 2Q > W + f
		return wire.Freshness{Level: vault.LevelQuorum, W: n + 1, Q: n, R: n, F: 1}
	}
}

// witnesses starts them, all at once, so that there is nothing to remember.
func (v *Vaults) witnesses(ids []string) (map[string]*vault.Witness, error) {
	s := v.sizes()
	all := append([]string(nil), ids...)
	if int(s.W) > len(all) {
		all = append(all, "w1")
	}
	out := map[string]*vault.Witness{}
	if s.Level != vault.LevelQuorum {
		return out, nil
	}
	for _, id := range all {
		w, err := vault.NewWitness(&vault.WitnessOptions{
			ID: id, Boot: vault.NewBoot().ID, All: all, Q: int(s.Q), R: int(s.R), F: int(s.F), Now: v.options.Now,
		})
		if err != nil {
			return nil, err
		}
		if err := w.Begin(); err != nil {
			return nil, err
		}
		out[id] = w
	}
	return out, nil
}

func (v *Vaults) start(id string, witnesses map[string]*vault.Witness) (*Vault, error) {
	o, s := v.options, v.sizes()
	one := &Vault{ID: id, all: v, boot: vault.NewBoot(), config: wire.Config{
		Vault: id, Profile: o.Profile, Suite: o.Suite, N: uint8(o.N), T: uint8(o.T), Limit: uint8(o.Limit),
		Policy: o.Policy, Freshness: s, OnAmnesia: "checkpoint", VoucherKey: public(v.Vouchers), Release: v.ReleaseKeys,
	}}
	keys := vault.NewMasterKeys(o.Now())
	var fresh vault.Freshness = vault.NewMemory()
	if s.Level == vault.LevelQuorum {
		var peers []vault.Peer
		for _, wid := range slices.Sorted(maps.Keys(witnesses)) {
			one.config.Witnesses = append(one.config.Witnesses, wid)
			peers = append(peers, witnesses[wid].Local(id))
		}
		q, err := vault.NewQuorum(&vault.QuorumOptions{
			Vault: id, Key: keys.MarkKey(id), Witnesses: peers, Q: int(s.Q), R: int(s.R), F: int(s.F), Own: witnesses[id],
		})
		if err != nil {
			return nil, err
		}
		fresh = q
	}
	var err error
	one.real, err = vault.New(&vault.Options{
		Config: one.config, Replica: id + "/a", Boot: one.boot, Keys: keys, Freshness: fresh,
		Attest: func(_ context.Context, binding []byte) ([]byte, error) { return tee.ProcessEvidence(v.self, binding) },
	})
	return one, err
}

// Call is recovery.Link.
func (v *Vault) Call(ctx context.Context, c *wire.Call) (*wire.Reply, error) {
	switch {
	case v.Down != nil && v.Down():
		return nil, recovery.ErrVaultUnavailable
	case v.liar != nil:
		return v.liar.call(ctx, c)
	}
	return v.real.Handle(ctx, c), nil
}

// Evidence is recovery.Link.
func (v *Vault) Evidence(ctx context.Context, nonce []byte) ([]byte, error) {
	switch {
	case v.Down != nil && v.Down():
		return nil, recovery.ErrVaultUnavailable
	case v.liar != nil:
		return v.liar.evidence(ctx, nonce)
	}
	return v.real.Evidence(ctx, nonce)
}

// Stop lets the vault fall silent, and Start answer again.
func (v *Vault) Stop() { v.Down = func() bool { return true } }

// Start is the opposite of Stop.
func (v *Vault) Start() { v.Down = nil }

// Vaults are the ways to all of them, for recovery.NewService.
func (v *Vaults) Vaults() []recovery.Vault {
	var out []recovery.Vault
	for _, one := range v.List {
		out = append(out, recovery.Vault{ID: one.ID, Replicas: []recovery.Replica{{Vault: one.ID, Name: one.ID + "/a", Link: one}}})
	}
	return out
}

// Renew begins a new key epoch, if the witnesses' clocks say that it is time.
func (v *Vault) Renew(ctx context.Context) error { return v.real.Renew(ctx) }
