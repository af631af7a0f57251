package vault

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// TestHandOver: master keys go to a replica of the same vault and configuration
// whose evidence is accepted, and to nobody else; nor are they taken from one.
func TestHandOver(t *testing.T) {
	g := newRig(t)
	intro := func(change func(*Introduction)) *Introduction {
		i := &Introduction{
			Config: g.config, Replica: "v1/b", Boot: NewBoot(),
			Attest:   func(_ context.Context, binding []byte) ([]byte, error) { return []byte("evidence"), nil },
			Appraise: func([]byte, []byte) error { return nil },
		}
		if change != nil {
			change(i)
		}
		return i
	}
	links := func(i *Introduction) *LinkOptions {
		t.Helper()
		o, err := i.Links()
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	for _, c := range []struct {
		name string
		a, b func(*Introduction) // a has the keys
		ok   bool
	}{
		{"good", nil, nil, true},
		{"b of another configuration", nil, func(i *Introduction) { i.Config.Limit++ }, false},
		{"b of another vault", nil, func(i *Introduction) { i.Config.Vault, i.Replica = "v2", "v2" }, false},
		{"b's evidence is refused", func(i *Introduction) { i.Appraise = func([]byte, []byte) error { return errors.New("no") } }, nil, false},
		{"a's evidence is refused", nil, func(i *Introduction) { i.Appraise = func([]byte, []byte) error { return errors.New("no") } }, false},
		{"a of another configuration", func(i *Introduction) { i.Config.Limit++ }, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "keys.sock")
			ln, err := net.Listen("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			done := make(chan error, 1)
			go func() { done <- g.v.ServeKeys(ctx, ln, links(intro(c.a)), nil) }()
			conn, err := net.Dial("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			b := intro(c.b)
			keys, err := FetchKeys(ctx, conn, &b.Config, links(b))
			if (err == nil) != c.ok || err != nil && !errors.Is(err, ErrKeys) {
				t.Errorf("%v", err)
			}
			if c.ok && (keys.Epoch() != g.keys.Epoch() || keys.epochs[0] != g.keys.epochs[0] || keys.marks != g.keys.marks) {
				t.Error("other keys came")
			}
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	if err := g.v.ServeKeys(t.Context(), nil, &LinkOptions{}, nil); err == nil {
		t.Error("keys are served to anybody")
	}
	if _, err := FetchKeys(t.Context(), &net.TCPConn{}, &g.config, &LinkOptions{}); err == nil {
		t.Error("keys are taken from anybody")
	}
}

// TestHandOverCeremony: with a ceremony that is open the keys go to the
// configuration that it names, of the same vault, and to no other; who takes them
// wants them of the configuration before.
func TestHandOverCeremony(t *testing.T) {
	g := newRig(t)
	next := g.config
	next.OnAmnesia = "checkpoint"
	hash, err := next.Hash()
	if err != nil {
		t.Fatal(err)
	}
	other := g.config
	other.Limit++
	sign := func(change func(*wire.Ceremony)) *wire.KofM {
		t.Helper()
		c := &wire.Ceremony{Kind: wire.CeremonyHandover, Vault: "v1", SetVersion: 2, NotBefore: seconds(start) - 10, NotAfter: seconds(start) + 10, ConfigHash: &hash}
		change(c)
		b, err := wire.Encode(c)
		if err != nil {
			t.Fatal(err)
		}
		signed := &wire.KofM{TBS: b}
		signed.Add(g.release)
		return signed
	}
	links := func(c wire.Config) *LinkOptions {
		t.Helper()
		i := &Introduction{
			Config: c, Replica: "v1/a", Boot: NewBoot(),
			Attest:   func(_ context.Context, binding []byte) ([]byte, error) { return []byte("evidence"), nil },
			Appraise: func([]byte, []byte) error { return nil },
		}
		o, err := i.Links()
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	for _, c := range []struct {
		name   string
		change func(*wire.Ceremony)
		to     wire.Config
		from   wire.Config // that the taker wants them of
		ok     bool
	}{
		{"good", func(*wire.Ceremony) {}, next, g.config, true},
		{"another configuration", func(*wire.Ceremony) {}, other, g.config, false},
		{"over", func(c *wire.Ceremony) { c.NotAfter = seconds(start) }, next, g.config, false},
		{"not yet open", func(c *wire.Ceremony) { c.NotBefore = seconds(start) + 1 }, next, g.config, false},
		{"to a program alone", func(c *wire.Ceremony) {
			c.ConfigHash, c.Measurement = nil, &wire.Measurement{Platform: "process", Values: map[string][]byte{"sha256": {1}}}
		}, next, g.config, false},
		{"from another configuration", func(*wire.Ceremony) {}, next, other, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, err := OpenHandover(sign(c.change), &g.config)
			if err != nil {
				t.Fatal(err)
			}
			ln, err := net.Listen("unix", filepath.Join(t.TempDir(), "keys.sock"))
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			done := make(chan error, 1)
			go func() { done <- g.v.ServeKeys(ctx, ln, links(g.config), h) }()
			conn, err := net.Dial("unix", ln.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			from, err := c.from.Hash()
			if err != nil {
				t.Fatal(err)
			}
			keys, err := TakeOver(ctx, conn, "v1", from, links(c.to))
			if (err == nil) != c.ok || err != nil && !errors.Is(err, ErrKeys) {
				t.Errorf("%v", err)
			}
			if c.ok && keys.epochs[0] != g.keys.epochs[0] {
				t.Error("other keys came")
			}
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	for name, change := range map[string]func(*wire.Ceremony){
		"a re-base":         func(c *wire.Ceremony) { c.Kind = wire.CeremonyAmnesia },
		"of another vault":  func(c *wire.Ceremony) { c.Vault = "v2" },
		"to nothing at all": func(c *wire.Ceremony) { c.ConfigHash = nil },
	} {
		if _, err := OpenHandover(sign(change), &g.config); !errors.Is(err, ErrCeremony) {
			t.Errorf("%s: %v", name, err)
		}
	}
	unsigned := sign(func(*wire.Ceremony) {})
	unsigned.Sigs[0].Sig[0]++
	if _, err := OpenHandover(unsigned, &g.config); !errors.Is(err, ErrCeremony) {
		t.Errorf("signed by nobody: %v", err)
	}
}
