package hostlink_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery/hostlink"
	"github.com/staunchid/staunch/recovery/wire"
)

func newKey(t *testing.T) (ed25519.PrivateKey, wire.EdKey) {
	t.Helper()
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key, wire.EdKey(public)
}

// vault listens with a boot key, lets host in, and answers frames of evidence with
// what show makes of the nonce.
func vault(t *testing.T, boot ed25519.PrivateKey, host wire.EdKey, show func(nonce []byte) *wire.Binding) net.Addr {
	t.Helper()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln, err := hostlink.Listen(tcp, boot, host, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() {
		ln.Close()
		<-ended
	})
	go func() {
		defer close(ended)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			for {
				f, err := wire.ReadFrame[wire.Frame](conn)
				if err != nil {
					break
				}
				b, err := wire.Encode(show(f.Body))
				if err == nil {
					err = wire.WriteFrame(conn, &wire.Frame{ID: f.ID, Kind: f.Kind, Body: b})
				}
				if err != nil {
					break
				}
			}
		}
	}()
	return ln.Addr()
}

func connect(t *testing.T, addr net.Addr, key ed25519.PrivateKey) (net.Conn, error) {
	t.Helper()
	conn, err := net.Dial("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	return hostlink.Connect(t.Context(), conn, key, func(evidence []byte) (*wire.Binding, error) {
		b, err := wire.Decode[wire.Binding](evidence) // what the platform says is not this package's matter
		if err == nil && b.Vault != "v1" {
			err = errors.New("not in the set")
		}
		return &b, err
	})
}

// TestLink: the one host talks to the vault that it means, and nobody else does.
func TestLink(t *testing.T) {
	boot, bootKey := newKey(t)
	_, otherBoot := newKey(t)
	hostKey, host := newKey(t)
	stranger, _ := newKey(t)
	honest := func(nonce []byte) *wire.Binding {
		return &wire.Binding{Vault: "v1", Replica: "v1/a", BootKey: bootKey, Nonce: nonce}
	}
	for _, tt := range []struct {
		name string
		key  ed25519.PrivateKey
		show func([]byte) *wire.Binding
		want string
	}{
		{"good", hostKey, honest, ""},
		{"a stranger calls", stranger, honest, "does the vault have this server's link key"},
		{"evidence that is refused", hostKey, func(n []byte) *wire.Binding { b := honest(n); b.Vault = "v9"; return b }, "not in the set"},
		{"evidence of another", hostKey, func(n []byte) *wire.Binding { b := honest(n); b.BootKey = otherBoot; return b }, "of another key"},
		{"evidence of another time", hostKey, func([]byte) *wire.Binding { return honest(make([]byte, 32)) }, "not made for this connection"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conn, err := connect(t, vault(t, boot, host, tt.show), tt.key)
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%v, want %q", err, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			err = wire.WriteFrame(conn, &wire.Frame{ID: 7, Kind: wire.FrameEvidence, Body: []byte{1}})
			if f, readErr := wire.ReadFrame[wire.Frame](conn); err != nil || readErr != nil || f.ID != 7 {
				t.Errorf("after the greeting: %+v, %v, %v", f, err, readErr)
			}
		})
	}
}

// TestSilent: who says nothing holds up nobody, on either side.
func TestSilent(t *testing.T) {
	boot, bootKey := newKey(t)
	hostKey, host := newKey(t)
	addr := vault(t, boot, host, func(n []byte) *wire.Binding {
		return &wire.Binding{Vault: "v1", Replica: "v1/a", BootKey: bootKey, Nonce: n}
	})
	for range 40 { // more than are greeted at a time
		conn, err := net.Dial("tcp", addr.String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		conn, err := connect(t, addr, hostKey)
		if err == nil {
			conn.Close()
			break
		}
		if time.Now().After(until) {
			t.Fatalf("the host is never let in: %v", err)
		}
	}
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	conn, err := net.Dial("tcp", mute.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := hostlink.Connect(ctx, conn, hostKey, nil); err == nil {
		t.Error("a vault that says nothing is one")
	}
}

// TestNoHost: without a host key nobody is let in, rather than everybody.
func TestNoHost(t *testing.T) {
	boot, _ := newKey(t)
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	if _, err := hostlink.Listen(tcp, boot, wire.EdKey{}, slog.New(slog.DiscardHandler)); !errors.Is(err, hostlink.ErrStranger) {
		t.Error(err)
	}
}
