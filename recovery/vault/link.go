package vault

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"strings"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// ErrPeer: the other end of a link is not who may be there. The message says
// what is wrong with it; look at its evidence, and at the vault set.
var ErrPeer = errors.New("vault: the peer is refused")

// AppraisePeer judges the other end of a link: evidence must prove binding, and
// both must be of a vault or witness of the set. An error refuses it.
type AppraisePeer func(binding, evidence []byte) error

// LinkOptions are what both ends of a link between witnesses need (rule Q6).
// Everything is required but Logger.
type LinkOptions struct {
	Boot wire.ID16          // of this start of the process
	Key  ed25519.PrivateKey // its key, which is the certificate

	// Hello makes what this end shows: an encoded wire.Binding of Boot's key, and
	// evidence of it.
	Hello func(ctx context.Context) (binding, evidence []byte, err error)

	// Appraise judges what the other end shows.
	Appraise AppraisePeer

	Logger *slog.Logger // nil: discards
}

func (o *LinkOptions) check() error {
	if o.Boot == (wire.ID16{}) || len(o.Key) != ed25519.PrivateKeySize || o.Hello == nil || o.Appraise == nil {
		return errors.New("vault: a link needs a boot, its key, a hello and somebody who appraises the peer")
	}
	return nil
}

func (o *LinkOptions) logger() *slog.Logger {
	if o.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return o.Logger
}

// WitnessID is what a replica is called as a witness: "v1" or "v1/a" of the vault
// v1 is v1, "v1/b" is v1-b. A witness-only process is a replica of itself.
func WitnessID(vault, replica string) (string, error) {
	name, ok := strings.CutPrefix(replica, vault)
	suffix, slash := strings.CutPrefix(name, "/")
	id := vault
	if suffix != "" && suffix != "a" {
		id += "-" + suffix
	}
	if !ok || name != "" && (!slash || suffix == "") || !wire.ValidVaultID(id) {
		return "", fmt.Errorf("%w: %q is no replica of %q: want %s or %s/a, %s/b, …", wire.ErrMalformed, replica, vault, vault, vault, vault)
	}
	return id, nil
}

// protocol is what both ends name in the handshake.
const protocol = "staunch-witness/1"

// errHello: this end has nothing to show.
var errHello = errors.New("vault: no evidence for a link")

// handshakeTime is how long a peer may take to say who it is.
const handshakeTime = 5 * time.Second

// tlsConfig is TLS 1.3 with the boot key on this side and some Ed25519 key on the
// other. Certificates say nothing: who has the key is in the hello.
func (o *LinkOptions) tlsConfig() (*tls.Config, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Unix(0, 0), NotAfter: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), // a boot key dies with the process
	}
	der, err := x509.CreateCertificate(nil, template, template, o.Key.Public(), o.Key)
	if err != nil {
		return nil, fmt.Errorf("vault: the certificate of a link: %w", err)
	}
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		NextProtos:             []string{protocol},
		Certificates:           []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: o.Key}},
		ClientAuth:             tls.RequireAnyClientCert,
		SessionTicketsDisabled: true,
		InsecureSkipVerify:     true, // no authority is asked: the hello proves whose the key is
		VerifyConnection: func(s tls.ConnectionState) error {
			if s.NegotiatedProtocol != protocol {
				return fmt.Errorf("%w: it does not speak %s", ErrPeer, protocol)
			}
			_, err := peerKey(s)
			return err
		},
	}, nil
}

// peerKey is the key that the other end has proved to have.
func peerKey(s tls.ConnectionState) (wire.EdKey, error) {
	if len(s.PeerCertificates) != 1 {
		return wire.EdKey{}, fmt.Errorf("%w: %d certificates, want one", ErrPeer, len(s.PeerCertificates))
	}
	key, ok := s.PeerCertificates[0].PublicKey.(ed25519.PublicKey)
	if !ok {
		return wire.EdKey{}, fmt.Errorf("%w: its key is no Ed25519 key", ErrPeer)
	}
	return wire.EdKey(key), nil
}

// identity is who is at the other end.
type identity struct {
	witness string    // witness-id
	vault   string    // whose marks it may load and write; "": a witness only
	boot    wire.ID16 // of this life
}

// link is a connection whose ends know each other.
type link struct {
	conn net.Conn
	in   *bufio.Reader
	peer identity
}

// greet makes a TLS connection a link: both ends show binding and evidence.
func (o *LinkOptions) greet(ctx context.Context, conn *tls.Conn) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return nil, err
	}
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	mine := make(chan error, 1)
	go func() { mine <- o.sayHello(ctx, conn) }()
	l := &link{conn: conn, in: bufio.NewReader(conn)}
	theirs, err := wire.ReadFrame[hello](l.in)
	if err == nil {
		l.peer, err = o.judge(conn.ConnectionState(), theirs)
	}
	if err != nil {
		conn.Close()
		if own := <-mine; errors.Is(own, errHello) { // the other end waited in vain
			err = own
		}
		return nil, err
	}
	if err := <-mine; err != nil {
		return nil, err
	}
	return l, conn.SetDeadline(time.Time{})
}

func (o *LinkOptions) sayHello(ctx context.Context, conn net.Conn) error {
	binding, evidence, err := o.Hello(ctx)
	if err != nil {
		conn.Close() // so that the other end does not wait
		return fmt.Errorf("%w: %w", errHello, err)
	}
	return wire.WriteFrame(conn, &hello{binding, evidence})
}

// judge says who the other end is, or refuses it.
func (o *LinkOptions) judge(s tls.ConnectionState, h hello) (identity, error) {
	if err := o.Appraise(h.binding, h.evidence); err != nil {
		return identity{}, fmt.Errorf("%w: %w", ErrPeer, err)
	}
	b, err := wire.Decode[wire.Binding](h.binding)
	if err != nil {
		return identity{}, fmt.Errorf("%w: %w", ErrPeer, err)
	}
	key, err := peerKey(s)
	if err != nil {
		return identity{}, err
	}
	if b.BootKey != key { // evidence of somebody else, passed on
		return identity{}, fmt.Errorf("%w: its evidence is of another key than the connection", ErrPeer)
	}
	id := identity{boot: b.Boot}
	if id.witness, err = WitnessID(b.Vault, b.Replica); err != nil {
		return identity{}, fmt.Errorf("%w: %w", ErrPeer, err)
	}
	if b.HPKE != nil {
		id.vault = b.Vault
	}
	return id, nil
}
