package spawn

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/release"
	"github.com/staunchid/staunch/recovery/replica"
	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/tee/process"
)

// operator is who runs vaults that are spawned: all of them.
const operator = "local"

// Set is a set of vaults on this machine.
type Set struct {
	o        *Options
	shape    shape
	log      *slog.Logger
	now      func() time.Time
	release  ed25519.PrivateKey
	vouchers ed25519.PrivateKey
	signed   []byte
	set      wire.VaultSet
	links    map[string]*recovery.LinkClient // by name of the replica
	first    atomic.Bool                     // the vaults begin for the first time
}

// Open reads the folder, or makes it. It starts nothing yet.
func Open(o *Options) (*Set, error) {
	shape, err := o.check()
	if err != nil {
		return nil, err
	}
	s := &Set{o: o, shape: shape, log: o.Logger, now: o.Now, links: map[string]*recovery.LinkClient{}}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	there, err := exists(o.Dir)
	if err != nil {
		return nil, err
	}
	switch {
	case !there && o.Records:
		return nil, fmt.Errorf("%w %s is not there, and the store has records that only its vaults can open: restore the folder from where it is", ErrFolder, o.Dir)
	case !there:
		if err := s.make(); err != nil {
			return nil, err
		}
	}
	if err := s.load(); err != nil {
		return nil, err
	}
	for _, c := range s.shape.children {
		s.links[c.name()] = recovery.DialLink("unix", filepath.Join(o.Dir, c.folder(), "vault.sock"))
	}
	return s, nil
}

// make makes the folder: whole, or not at all.
func (s *Set) make() error {
	part := s.o.Dir + ".part"
	if err := os.RemoveAll(part); err != nil { // of a start that was cut off
		return fmt.Errorf("spawn: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(part, setsFolder), 0o700); err != nil {
		return fmt.Errorf("spawn: %w", err)
	}
	key, err := newKey(filepath.Join(part, releaseFile))
	if err != nil {
		return err
	}
	vouchers := s.o.Vouchers
	if vouchers == nil {
		if vouchers, err = newKey(filepath.Join(part, voucherFile)); err != nil {
			return err
		}
	}
	plan, err := s.plan(key, vouchers)
	if err != nil {
		return err
	}
	set, configs, err := plan.Make()
	if err != nil {
		return fmt.Errorf("spawn: %w", err)
	}
	signed, err := release.Document(&set, key)
	if err != nil {
		return fmt.Errorf("spawn: %w", err)
	}
	for id, folder := range s.shape.folders() {
		c := configs[id]
		b, err := wire.Encode(&c)
		if err != nil {
			return fmt.Errorf("spawn: %w", err)
		}
		for _, name := range folder {
			if err := os.Mkdir(filepath.Join(part, name), 0o700); err != nil {
				return fmt.Errorf("spawn: %w", err)
			}
			if err := write(filepath.Join(part, name, replica.ConfigFile), b); err != nil {
				return err
			}
		}
	}
	if err := s.publish(part, 1, signed); err != nil {
		return err
	}
	if err := write(filepath.Join(part, firstFile), nil); err != nil {
		return err
	}
	if err := os.Rename(part, s.o.Dir); err != nil {
		return fmt.Errorf("spawn: %w", err)
	}
	return syncDir(filepath.Dir(s.o.Dir))
}

// plan is the set as the options have it, and as it began.
func (s *Set) plan(key, vouchers ed25519.PrivateKey) (*release.Plan, error) {
	here, err := s.measurement()
	if err != nil {
		return nil, err
	}
	p := &release.Plan{
		Profile: s.o.Profile, Policy: s.o.Policy, OnAmnesia: s.o.OnAmnesia, Limit: s.o.Limit, Vouchers: release.Public(vouchers),
		Release: releaseKeys(key), Measurements: []wire.Measurement{here}, From: s.now(),
	}
	if p.OnAmnesia == "" {
		p.OnAmnesia = "checkpoint"
	}
	began := shapes()[s.o.Profile]
	for _, c := range began.children {
		if c.replica == "a" {
			p.Vaults = append(p.Vaults, release.Party{ID: c.vault, Operator: operator})
		}
	}
	for _, w := range began.witnesses {
		p.Witnesses = append(p.Witnesses, release.Party{ID: w, Operator: operator})
	}
	return p, nil
}

// measurement is that of this program, which its children are too.
func (s *Set) measurement() (wire.Measurement, error) {
	self, err := process.Self()
	if err != nil {
		return wire.Measurement{}, fmt.Errorf("spawn: %w", err)
	}
	return wire.Measurement{
		Platform: "process", Values: map[string][]byte{"sha256": self.Executable[:]}, NotBefore: uint64(s.now().Add(-time.Hour).Unix()), //nolint:gosec // after 1970
	}, nil
}

// load reads the folder, and signs another version of the set if this program is
// one that it does not list: after an upgrade.
func (s *Set) load() (err error) {
	if s.release, err = s.readKey(releaseFile); err != nil {
		return err
	}
	if s.vouchers = s.o.Vouchers; s.vouchers == nil {
		if s.vouchers, err = s.readKey(voucherFile); err != nil {
			return err
		}
	}
	first, err := exists(filepath.Join(s.o.Dir, firstFile))
	if err != nil {
		return err
	}
	s.first.Store(first)
	path := filepath.Join(s.o.Dir, setFile)
	if s.signed, err = os.ReadFile(path); err != nil {
		return fmt.Errorf("%w: %w: restore it from where it is", ErrFolder, err)
	}
	doc, err := wire.Decode[wire.KofM](s.signed)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrFolder, path, err)
	}
	if err := doc.Verify(releaseKeys(s.release)); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrFolder, path, err)
	}
	if s.set, err = wire.Decode[wire.VaultSet](doc.TBS); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrFolder, path, err)
	}
	s.shape = s.shape.of(&s.set)
	configs, err := s.same()
	if err != nil {
		return err
	}
	if err := s.mend(configs); err != nil {
		return err
	}
	return s.adopt(sha256.Sum256(s.signed))
}

func (s *Set) readKey(name string) (ed25519.PrivateKey, error) {
	key, err := release.ReadKey(filepath.Join(s.o.Dir, name))
	if err != nil {
		return nil, fmt.Errorf("%w: %w: restore it from where it is", ErrFolder, err)
	}
	return key, nil
}

// same wants the vaults to be what the configuration says: what they were made
// with is attested, and their keys are sealed to it. It gives their configurations.
func (s *Set) same() (map[string]wire.Config, error) {
	if s.set.Profile != s.o.Profile || int(s.set.Limit) != s.o.Limit {
		return nil, fmt.Errorf("%w %s is of profile %s with a limit of %d, and the configuration says %s and %d: vaults stay what they were made as, so put it back",
			ErrFolder, s.o.Dir, s.set.Profile, s.set.Limit, s.o.Profile, s.o.Limit)
	}
	plan, err := s.plan(s.release, s.vouchers)
	if err != nil {
		return nil, err
	}
	planned, configs, err := plan.Make()
	if err != nil {
		return nil, fmt.Errorf("spawn: %w", err)
	}
	first := configs[planned.Vaults[0].Vault]
	for _, m := range slices.Concat(s.set.Vaults, s.set.WitnessesOnly) {
		c, began := configs[m.Vault]
		if !began { // it is in the place of another
			c = first
			c.Vault = m.Vault
			configs[m.Vault] = c
		}
		if hash, err := c.Hash(); err != nil || hash != m.ConfigHash {
			return nil, fmt.Errorf("%w %s was made with %s than the configuration has: vaults stay what they were made as, so put it back",
				ErrFolder, s.o.Dir, s.another(configs))
		}
	}
	return configs, nil
}

// another says in which value of the configuration a vault differs from what it
// was made with.
func (s *Set) another(configs map[string]wire.Config) string {
	for name, want := range configs {
		switch is, err := replica.ReadConfig(filepath.Join(s.o.Dir, name)); {
		case err != nil:
			continue
		case is.Policy != want.Policy:
			return fmt.Sprintf("another policy (%s)", is.Policy)
		case is.OnAmnesia != want.OnAmnesia:
			return fmt.Sprintf("another on_total_amnesia (%s)", is.OnAmnesia)
		case is.VoucherKey != want.VoucherKey:
			return "another voucher key"
		}
	}
	return "other values"
}

// adopt adds this program to those that a vault may be.
func (s *Set) adopt(before [32]byte) error {
	here, err := s.measurement()
	if err != nil {
		return err
	}
	listed := func(m wire.Measurement) bool {
		return m.Platform == here.Platform && bytes.Equal(m.Values["sha256"], here.Values["sha256"])
	}
	changed := false
	for _, members := range [][]wire.Member{s.set.Vaults, s.set.WitnessesOnly} {
		for i := range members {
			if !slices.ContainsFunc(members[i].Measurements, listed) {
				members[i].Measurements = append(members[i].Measurements, here)
				changed = true
			}
		}
	}
	if !changed {
		return s.spread(s.o.Dir, s.signed) // one of the copies may be behind, of a start that was cut off
	}
	s.set.Version++
	s.set.Previous, s.set.ValidFrom = (*wire.Hash)(&before), uint64(s.now().Unix()) //nolint:gosec // after 1970
	if s.signed, err = release.Document(&s.set, s.release); err != nil {
		return fmt.Errorf("spawn: %w", err)
	}
	s.log.Info("the vault set lists this program now, too", "version", s.set.Version)
	return s.publish(s.o.Dir, s.set.Version, s.signed)
}

// publish writes a version of the set, first where it is kept for ever.
func (s *Set) publish(dir string, version uint64, signed []byte) error {
	if err := write(filepath.Join(dir, setsFolder, fmt.Sprintf("%d.cbor", version)), signed); err != nil {
		return err
	}
	if err := write(filepath.Join(dir, setFile), signed); err != nil {
		return err
	}
	return s.spread(dir, signed)
}

// spread gives it to every vault and to the witness.
func (s *Set) spread(dir string, signed []byte) error {
	for _, folders := range s.shape.folders() {
		for _, name := range folders {
			path := filepath.Join(dir, name, replica.SetFile)
			if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, signed) {
				continue
			}
			if err := write(path, signed); err != nil {
				return err
			}
		}
	}
	return nil
}

func releaseKeys(key ed25519.PrivateKey) wire.ReleaseKeys {
	return wire.ReleaseKeys{K: 1, Keys: []wire.EdKey{release.Public(key)}}
}

// Signed is the vault set, as GetConfig gives it.
func (s *Set) Signed() []byte { return s.signed }

// Vouchers is the key that signs vouchers.
func (s *Set) Vouchers() ed25519.PrivateKey { return s.vouchers }

// Vaults are the ways to the vaults, in the order of the set.
func (s *Set) Vaults() []recovery.Vault { return waysTo(s.shape, s.links) }

func waysTo(shape shape, links map[string]*recovery.LinkClient) []recovery.Vault {
	var all []recovery.Vault
	for _, c := range shape.children {
		r := recovery.Replica{Vault: c.vault, Name: c.name(), Link: links[c.name()]}
		if n := len(all); n > 0 && all[n-1].ID == c.vault {
			all[n-1].Replicas = append(all[n-1].Replicas, r)
			continue
		}
		all = append(all, recovery.Vault{ID: c.vault, Replicas: []recovery.Replica{r}})
	}
	return all
}
