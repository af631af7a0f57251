// Package remote is the way to vaults that others run, on other machines:
// [vault] mode = "remote".
//
//	set, err := remote.Open(&remote.Options{SetFile: "set.cbor", Replicas: []string{"v1/a=tcp:192.0.2.5:7443", …}, Key: linkKey})
//	err = set.Ready(ctx)     // every vault answers
//	service, err := recovery.NewService(&recovery.Options{Set: set.Signed(), Vaults: set.Vaults(), …})
//
// It starts nothing. Over TCP both ends prove a key (package hostlink): the vault
// knows the server's link key, and the server wants evidence that the vault set
// accepts. A unix socket is as private as its folder, and speaks plainly.
//
// The set is signed by release keys. Whether they are the right ones phones judge,
// which pin them; here a set is refused that its own keys have not signed, or that
// is not what the configuration says.
package remote

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/hostlink"
	"github.com/staunchid/staunch/recovery/replica"
	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/tee"
)

// ErrSet: the vault set, or the list of replicas, is not what the configuration
// needs. The message says what to change.
var ErrSet = errors.New("remote: the vaults")

// Options are what Open takes. Everything is required but what says so.
type Options struct {
	SetFile  string   // the signed vault set
	Profile  string   // as the set must have it
	Limit    int      // too
	Replicas []string // "v1/a=tcp:HOST:PORT" or "v1/a=unix:PATH"
	// Key is the server's link key. nil: none, and no replica is at a tcp address.
	Key ed25519.PrivateKey
	Now func() time.Time // nil: time.Now
}

// Set is a set of vaults elsewhere.
type Set struct {
	dir    string // of the set's file
	signed []byte
	set    wire.VaultSet
	vaults []recovery.Vault
	links  []*recovery.LinkClient
}

// Open reads the set. It connects to nothing yet.
func Open(o *Options) (*Set, error) {
	s := &Set{dir: filepath.Dir(o.SetFile)}
	var err error
	if s.signed, err = os.ReadFile(o.SetFile); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSet, err)
	}
	doc, err := wire.Decode[wire.KofM](s.signed)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrSet, o.SetFile, err)
	}
	if s.set, err = wire.Decode[wire.VaultSet](doc.TBS); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrSet, o.SetFile, err)
	}
	if err := doc.Verify(s.set.Release); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrSet, o.SetFile, err)
	}
	switch {
	case s.set.Profile == recovery.ProfileSeed:
		return nil, fmt.Errorf("%w: profile seed runs on the server's machine: write mode = \"spawn\"", ErrSet)
	case s.set.Profile != o.Profile || int(s.set.Limit) != o.Limit:
		return nil, fmt.Errorf("%w: %s is of profile %s with a limit of %d, and the configuration says %s and %d: write what the set says",
			ErrSet, o.SetFile, s.set.Profile, s.set.Limit, o.Profile, o.Limit)
	}
	now := o.Now
	if now == nil {
		now = time.Now
	}
	return s, s.join(o, now)
}

// join makes the ways to all replicas.
func (s *Set) join(o *Options, now func() time.Time) error {
	ways := map[string][]recovery.Replica{}
	for _, text := range o.Replicas {
		name, address, _ := strings.Cut(text, "=")
		vault, _, _ := strings.Cut(name, "/")
		network, where, _ := strings.Cut(address, ":")
		if !slices.ContainsFunc(s.set.Vaults, func(m wire.Member) bool { return m.Vault == vault }) {
			return fmt.Errorf("%w: %s is of no vault of %s", ErrSet, name, o.SetFile)
		}
		var l *recovery.LinkClient
		switch {
		case network == "unix":
			l = recovery.DialLink("unix", where)
		case network == "tcp" && o.Key == nil:
			return fmt.Errorf("%w: %s is at a tcp address, and there is no link key", ErrSet, name)
		case network == "tcp":
			l = recovery.NewLinkClient(s.dial(where, o.Key, vault, name, now))
		default:
			return fmt.Errorf("%w: %s is at %q: write tcp:HOST:PORT or unix:PATH", ErrSet, name, address)
		}
		s.links = append(s.links, l)
		ways[vault] = append(ways[vault], recovery.Replica{Vault: vault, Name: name, Link: l})
	}
	for _, m := range s.set.Vaults {
		if len(ways[m.Vault]) == 0 {
			return fmt.Errorf("%w: no replica of %s is listed", ErrSet, m.Vault)
		}
		s.vaults = append(s.vaults, recovery.Vault{ID: m.Vault, Replicas: ways[m.Vault]})
	}
	return nil
}

// dial connects to a replica, which must prove that it is the one that is meant.
func (s *Set) dial(where string, key ed25519.PrivateKey, vault, name string, now func() time.Time) func(context.Context) (net.Conn, error) {
	judge := func(evidence []byte) (*wire.Binding, error) {
		e, err := tee.ParseEvidence(evidence)
		if err != nil {
			return nil, err
		}
		if err := replica.Appraise(&s.set, e.Binding, evidence, now()); err != nil {
			return nil, err
		}
		b, err := wire.Decode[wire.Binding](e.Binding)
		if err == nil && (b.Vault != vault || b.Replica != name) {
			err = fmt.Errorf("it is %s, and %s was meant: its address is another's", b.Replica, name)
		}
		return &b, err
	}
	return func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		conn, err := d.DialContext(ctx, "tcp", where)
		if err != nil {
			return nil, err
		}
		return hostlink.Connect(ctx, conn, key, judge)
	}
}

// Signed is the vault set, as GetConfig gives it.
func (s *Set) Signed() []byte { return s.signed }

// Vaults are the ways to the vaults, in the order of the set.
func (s *Set) Vaults() []recovery.Vault { return s.vaults }

// Witnesses are those that are no vaults.
func (s *Set) Witnesses() (ids []string) {
	for _, m := range s.set.WitnessesOnly {
		ids = append(ids, m.Vault)
	}
	return ids
}

// Config is the configuration of the first vault, if it lies beside the set, as
// `staunch vault new-set` leaves it.
func (s *Set) Config() (wire.Config, error) {
	c, err := replica.ReadConfig(filepath.Join(s.dir, s.set.Vaults[0].Vault))
	if err != nil {
		return c, err
	}
	if hash, err := c.Hash(); err != nil || hash != s.set.Vaults[0].ConfigHash {
		return c, fmt.Errorf("%w: the configuration beside the set is another one", ErrSet)
	}
	return c, nil
}

// Ready waits until every replica answers.
func (s *Set) Ready(ctx context.Context) error {
	for i, l := range s.links {
		for {
			_, err := l.Info(ctx)
			if err == nil {
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("remote: replica %d of the list does not answer: %w", i+1, errors.Join(ctx.Err(), err))
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
	return nil
}

// Run keeps the links until ctx ends, and then closes them.
func (s *Set) Run(ctx context.Context) error {
	<-ctx.Done()
	s.Close()
	return nil
}

// Close ends the connections.
func (s *Set) Close() {
	for _, l := range s.links {
		l.Close()
	}
}
