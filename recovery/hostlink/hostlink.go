// Package hostlink keeps strangers off the link between a server and a vault on
// another machine: TLS 1.3 with a key on each side.
//
//   - The vault takes connections of one host only, whose public key it was given.
//   - The host asks for evidence first, over a nonce of its own, and goes on if the
//     vault set accepts it and its binding names the key of the connection: the
//     vault's boot key, which is another one at each of its starts.
//
// The link needs no secrecy for what recovery promises: requests, answers and
// records are sealed, and receipts are signed. Without the keys anybody could use
// up a vault's places, or pose as one and answer nothing.
//
//	ln = hostlink.Listen(ln, boot.Key(), hostKey, log)          // at the vault
//	conn, err = hostlink.Connect(ctx, conn, linkKey, judge)     // at the server
package hostlink

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"sync"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// ErrStranger: the other end is not who it must be. A host: give the vault its
// link key's public half. A vault: its evidence is not what the set lists.
var ErrStranger = errors.New("hostlink: the other end is a stranger")

const (
	protocol  = "staunch-host/1"
	greetTime = 5 * time.Second // for a handshake
	maxGreet  = 32              // handshakes at a time
)

// config is TLS 1.3 with a self-signed certificate, which says nothing but its key.
func config(key ed25519.PrivateKey, judge func(wire.EdKey) error) (*tls.Config, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Unix(0, 0), NotAfter: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), // keys end, certificates of them do not
	}
	der, err := x509.CreateCertificate(nil, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("hostlink: %w", err)
	}
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		NextProtos:             []string{protocol},
		Certificates:           []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		ClientAuth:             tls.RequireAnyClientCert,
		SessionTicketsDisabled: true,
		InsecureSkipVerify:     true, // no authority is asked: the key is what is wanted, or nothing
		VerifyConnection: func(s tls.ConnectionState) error {
			peer, err := peerKey(s)
			if err != nil {
				return err
			}
			return judge(peer)
		},
	}, nil
}

func peerKey(s tls.ConnectionState) (k wire.EdKey, err error) {
	if s.NegotiatedProtocol != protocol || len(s.PeerCertificates) != 1 {
		return k, fmt.Errorf("%w: it does not speak %s", ErrStranger, protocol)
	}
	key, ok := s.PeerCertificates[0].PublicKey.(ed25519.PublicKey)
	if !ok {
		return k, fmt.Errorf("%w: its key is no Ed25519 key", ErrStranger)
	}
	return wire.EdKey(key), nil
}

// Judge accepts evidence, and gives the binding in it.
type Judge func(evidence []byte) (*wire.Binding, error)

// Connect makes conn, dialled to a vault, a link to it. It closes conn if it fails.
func Connect(ctx context.Context, conn net.Conn, key ed25519.PrivateKey, judge Judge) (net.Conn, error) {
	c, err := config(key, func(wire.EdKey) error { return nil }) // the evidence says whose it is
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	ctx, cancel := context.WithTimeout(ctx, greetTime)
	defer cancel()
	link := tls.Client(conn, c)
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if err := greet(ctx, link, judge); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return link, link.SetDeadline(time.Time{})
}

// greet asks for evidence: frame 0 of the link.
func greet(ctx context.Context, link *tls.Conn, judge Judge) error {
	if deadline, ok := ctx.Deadline(); ok {
		if err := link.SetDeadline(deadline); err != nil {
			return fmt.Errorf("hostlink: %w", err)
		}
	}
	if err := link.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("hostlink: %w", err)
	}
	nonce := make([]byte, 32)
	rand.Read(nonce) //nolint:errcheck // crypto/rand: never returns an error
	if err := wire.WriteFrame(link, &wire.Frame{Kind: wire.FrameEvidence, Body: nonce}); err != nil {
		return fmt.Errorf("hostlink: %w", err)
	}
	f, err := wire.ReadFrame[wire.Frame](link)
	if err != nil {
		return fmt.Errorf("hostlink: no evidence came; does the vault have this server's link key?: %w", err)
	}
	if f.Kind != wire.FrameEvidence {
		return fmt.Errorf("hostlink: the vault shows no evidence: %s: %.200q", f.Kind, f.Body)
	}
	b, err := judge(f.Body)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrStranger, err)
	}
	peer, err := peerKey(link.ConnectionState())
	if err != nil {
		return err
	}
	switch {
	case b.BootKey != peer: // evidence of somebody else, passed on
		return fmt.Errorf("%w: its evidence is of another key than the connection", ErrStranger)
	case !bytes.Equal(b.Nonce, nonce): // or of another time
		return fmt.Errorf("%w: its evidence was not made for this connection", ErrStranger)
	}
	return nil
}

// Listen gives the connections of ln that are of the host. Handshakes hold up
// nobody, and a flood of strangers is turned away.
func Listen(ln net.Listener, key ed25519.PrivateKey, host wire.EdKey, log *slog.Logger) (net.Listener, error) {
	if host == (wire.EdKey{}) {
		return nil, fmt.Errorf("%w: there is no host key, so nobody may call", ErrStranger)
	}
	c, err := config(key, func(peer wire.EdKey) error {
		if peer != host {
			return fmt.Errorf("%w: its key is %s, and that of the host is %s", ErrStranger, peer, host)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	l := &listener{Listener: ln, config: c, log: log, ready: make(chan net.Conn), closed: make(chan struct{})}
	go l.accept()
	return l, nil
}

// listener hands out connections whose handshake is over.
type listener struct {
	net.Listener
	config *tls.Config
	log    *slog.Logger
	ready  chan net.Conn
	once   sync.Once
	closed chan struct{} // nothing more is accepted
	err    error         // why; set before closed is
}

func (l *listener) accept() {
	greeting := make(chan struct{}, maxGreet)
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			l.end(err)
			return
		}
		select {
		case greeting <- struct{}{}:
		default:
			conn.Close() // a flood
			continue
		}
		go func() {
			defer func() { <-greeting }()
			ctx, cancel := context.WithTimeout(context.Background(), greetTime)
			defer cancel()
			link := tls.Server(conn, l.config)
			if err := link.HandshakeContext(ctx); err != nil {
				l.log.Warn("a link was refused", "from", conn.RemoteAddr().String(), "error", err)
				conn.Close()
				return
			}
			select {
			case l.ready <- link:
			case <-l.closed:
				conn.Close()
			}
		}()
	}
}

func (l *listener) end(err error) {
	l.once.Do(func() {
		l.err = err
		close(l.closed)
	})
}

// Accept waits for the host.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.ready:
		return conn, nil
	case <-l.closed:
		return nil, l.err
	}
}

// Close ends it.
func (l *listener) Close() error {
	l.end(net.ErrClosed)
	return l.Listener.Close()
}
