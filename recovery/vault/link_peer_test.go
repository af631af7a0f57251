package vault

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"strings"
	"testing"

	"github.com/staunchid/staunch/recovery/wire"
)

// TestLinkPeer: who may be at the other end, seen from the witness and from the
// one who dials.
func TestLinkPeer(t *testing.T) {
	s := newSet(t, 1, 1, 1, 0)
	for _, c := range []struct {
		name   string
		change func(*end)
		ok     bool
	}{
		{"good", func(*end) {}, true},
		{"not genuine", func(e *end) { e.binding = func(b *wire.Binding) { b.Nonce = []byte("bad") } }, false},
		{"evidence of another key", func(e *end) { e.binding = func(b *wire.Binding) { b.BootKey[0] ^= 1 } }, false},
		{"the replica of another vault", func(e *end) { e.replica = "v9/a" }, false},
	} {
		judge := func(binding, _ []byte) error {
			b, err := wire.Decode[wire.Binding](binding)
			if err == nil && string(b.Nonce) == "bad" {
				err = errors.New("not genuine")
			}
			return err
		}
		t.Run("who dials: "+c.name, func(t *testing.T) {
			server, client := newEnd(t, "v1"), newEnd(t, "v1")
			server.appraise = judge
			c.change(client)
			_, err := newLink(t, "v1", serve(t, s.witnesses[0], server), client).Clock(t.Context())
			if (err == nil) != c.ok {
				t.Error(err)
			}
		})
		t.Run("who serves: "+c.name, func(t *testing.T) {
			server, client := newEnd(t, "v1"), newEnd(t, "v1")
			client.appraise = judge
			c.change(server)
			_, err := newLink(t, "v1", serve(t, s.witnesses[0], server), client).Clock(t.Context())
			if (err == nil) != c.ok || err != nil && !errors.Is(err, ErrPeer) {
				t.Error(err)
			}
		})
	}
	t.Run("who serves: another witness", func(t *testing.T) {
		_, err := newLink(t, "v2", serve(t, s.witnesses[0], newEnd(t, "v1")), newEnd(t, "v1")).Clock(t.Context())
		if !errors.Is(err, ErrPeer) || !strings.Contains(err.Error(), "v2 was wanted") {
			t.Error(err)
		}
	})
}

// TestLinkTLS: the connection is TLS 1.3 with an Ed25519 key on either side.
func TestLinkTLS(t *testing.T) {
	s := newSet(t, 1, 1, 1, 0)
	dial := serve(t, s.witnesses[0], newEnd(t, "v1"))
	good, err := newEnd(t, "v1").options().tlsConfig()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func(*tls.Config)
		ok     bool
	}{
		{"good", func(*tls.Config) {}, true},
		{"TLS 1.2", func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS12, tls.VersionTLS12 }, false},
		{"no certificate", func(c *tls.Config) { c.Certificates = nil }, false},
		{"a P-256 key", func(c *tls.Config) { c.Certificates = []tls.Certificate{p256(t)} }, false},
		{"another protocol", func(c *tls.Config) { c.NextProtos = []string{"h2"} }, false},
		{"no protocol", func(c *tls.Config) { c.NextProtos, c.VerifyConnection = nil, nil }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := good.Clone()
			c.change(config)
			raw, err := dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer raw.Close()
			conn := tls.Client(raw, config)
			err = conn.HandshakeContext(t.Context())
			if err == nil {
				_, err = wire.ReadFrame[hello](conn) // in TLS 1.3 the server's refusal comes after the handshake
			}
			if (err == nil) != c.ok {
				t.Error(err)
			}
		})
	}
}

func p256(t *testing.T) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(nil, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// TestOwnVaultOnly is rule Q6: a replica loads and writes marks of its own vault,
// a witness-only process none, and nobody joins as somebody else.
func TestOwnVaultOnly(t *testing.T) {
	s := newSet(t, 4, 3, 3, 1)
	s.attempts(acctOf(1), 1)
	dial := serve(t, s.witnesses[0], newEnd(t, "v1"))
	tagged, err := s.key.Tag(Mark{Gen: 1, Ver: 9, Charges: 9}.wire(acctOf(3)))
	if err != nil {
		t.Fatal(err)
	}
	view := s.writer.current()
	none := func(*end) {}
	for _, c := range []struct {
		name, vault, of string
		change          func(*end)
		ok              bool
	}{
		{"its own", "v2", "v2", none, true},
		{"of another", "v2", "v1", none, false},
		{"a witness only", "v2", "v2", func(e *end) { e.binding = func(b *wire.Binding) { b.HPKE = nil } }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEnd(t, c.vault)
			c.change(e)
			l := newLink(t, "v1", dial, e)
			if _, err := l.Load(t.Context(), c.of, acctOf(1)); (err == nil) != c.ok {
				t.Errorf("load: %v", err)
			}
			if _, err := l.Write(t.Context(), c.of, tagged, view); (err == nil) != c.ok {
				t.Errorf("write: %v", err)
			}
		})
	}
	take := func([]VaultMark) error { return nil }
	for _, c := range []struct {
		name, vault string
		boot        func(*end) wire.ID16
		ok          bool
	}{
		{"itself", "v2", func(e *end) wire.ID16 { return e.boot }, true},
		{"with another boot", "v3", func(*end) wire.ID16 { return bootID() }, false},
		{"a stranger", "v9", func(e *end) wire.ID16 { return e.boot }, false},
		{"the witness itself", "v1", func(e *end) wire.ID16 { return e.boot }, false},
	} {
		t.Run("join: "+c.name, func(t *testing.T) {
			e := newEnd(t, c.vault)
			inc := wire.Incarnation{Number: 2, Boot: c.boot(e)}
			if _, err := newLink(t, "v1", dial, e).Join(t.Context(), inc, take); (err == nil) != c.ok {
				t.Error(err)
			}
		})
	}
}

func TestWitnessID(t *testing.T) {
	for _, c := range []struct{ vault, replica, want string }{
		{"v1", "v1", "v1"}, {"v1", "v1/a", "v1"}, {"v1", "v1/b", "v1-b"}, {"w1", "w1", "w1"},
		{"v1", "v2/a", ""}, {"v1", "", ""}, {"v1", "v1/", ""}, {"v1", "v10", ""}, {"v1", "v1/B", ""}, {"v1", "v1/b/c", ""},
	} {
		got, err := WitnessID(c.vault, c.replica)
		if got != c.want && err == nil || (err == nil) != (c.want != "") {
			t.Errorf("%s of %s: %q, %v", c.replica, c.vault, got, err)
		}
	}
}

// TestLinkReturns: a link whose other end goes away connects again.
func TestLinkReturns(t *testing.T) {
	s := newSet(t, 1, 1, 1, 0)
	dial := serve(t, s.witnesses[0], newEnd(t, "v1"))
	var conns []net.Conn
	l := newLink(t, "v1", func(ctx context.Context) (net.Conn, error) {
		conn, err := dial(ctx)
		conns = append(conns, conn)
		return conn, err
	}, newEnd(t, "v1"))
	for n := range 3 {
		if _, err := l.Clock(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(conns) != n+1 {
			t.Fatalf("%d connections", len(conns))
		}
		l.mu.Lock()
		up := l.up
		l.mu.Unlock()
		conns[n].Close()
		<-up.out.done
	}
	l.Close()
	if _, err := l.Clock(t.Context()); err == nil {
		t.Error("a link that is closed answers")
	}
}
