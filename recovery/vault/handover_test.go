package vault

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"testing"
	"time"
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
			go func() { done <- g.v.ServeKeys(ctx, ln, links(intro(c.a))) }()
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
	if err := g.v.ServeKeys(t.Context(), nil, &LinkOptions{}); err == nil {
		t.Error("keys are served to anybody")
	}
	if _, err := FetchKeys(t.Context(), &net.TCPConn{}, &g.config, &LinkOptions{}); err == nil {
		t.Error("keys are taken from anybody")
	}
}
