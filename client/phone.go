package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/gen/staunch/account/v1/accountv1connect"
	"github.com/staunchid/staunch/gen/staunch/passkey/v1/passkeyv1connect"
	"github.com/staunchid/staunch/gen/staunch/recovery/v1/recoveryv1connect"
	"github.com/staunchid/staunch/gen/staunch/transfer/v1/transferv1connect"
)

// Key is a phone's attested key. On a real phone it lies in hardware.
type Key interface {
	// ID is the id that the server has for it: SHA-256 of the public key in
	// base64url (Android: of the SubjectPublicKeyInfo; Apple: of the point).
	ID() string
	// Sign signs a message. Android: ECDSA over its SHA-256, as r || s. Apple: the
	// whole assertion over its SHA-256.
	Sign(message []byte) ([]byte, error)
}

// CountingKey is a Key that may number its signatures, as Apple's assertions are.
// A phone with one that does makes its calls one after the other.
type CountingKey interface {
	Key
	Counts() bool
}

// NewKey is a key with the evidence for it.
type NewKey struct {
	Key
	Platform          string   // "android" or "ios"
	CertificateChain  [][]byte // Android
	AttestationObject []byte   // Apple
	AppleKeyID        string   // Apple: as generateKey returned it
}

// Hardware makes attested keys.
type Hardware interface {
	// NewKey makes a key, attested over the server's challenge of 32 bytes. It is
	// the phone's key once PhoneOptions.Keep was called.
	NewKey(ctx context.Context, challenge []byte) (*NewKey, error)
}

// Passkeys is the platform's authenticator with its dialog: the person gives
// face, finger or PIN, or does not, which is an error.
type Passkeys interface {
	// Create answers PublicKeyCredentialCreationOptionsJSON with a
	// RegistrationResponseJSON.
	Create(ctx context.Context, options json.RawMessage) (json.RawMessage, error)
	// Get answers PublicKeyCredentialRequestOptionsJSON with an
	// AuthenticationResponseJSON.
	Get(ctx context.Context, options json.RawMessage) (json.RawMessage, error)
}

// PhoneOptions are what NewPhone takes.
type PhoneOptions struct {
	URL string // of the server: "https://accounts.example.org". Required
	App string // id of the app; empty: that of State, or the only one that the server has
	// Hosts are names of the server besides that in URL, without port. A move names the
	// first of the app's hosts in the server's configuration; where URL has another
	// one, it has to be here. Compiled in, like URL.
	Hosts []string
	// Key is the phone's attested key; nil: it has none yet.
	Key Key
	// NextKey is the key that State.NextKey names: a Reattest has not ended. nil: there is
	// none.
	NextKey  Key
	Hardware Hardware // required to enrol and to join; a RenewingHardware for Reattest
	Passkeys Passkeys // required
	State    PhoneState
	// Keep writes down the state together with all keys, so that they are there
	// after a crash. It is called before a new key may be known to the server, and
	// whenever the state has changed. Required.
	Keep func(context.Context, PhoneState) error
	// Patience is how long a call is tried again while the server cannot be
	// reached; 0: 30 s.
	Patience time.Duration
	// Transport makes the connections. nil: one of its own.
	Transport http.RoundTripper
	// Now is the clock. nil: time.Now.
	Now func() time.Time
}

// defaultPatience is how long a person waits for a server that is away.
const defaultPatience = 30 * time.Second

// Phone is the phone's side of every flow. Each call is signed with the attested
// key, together with the session's token (docs/api.md, "Signing calls"); a call
// that needs more than the session is worth signs in or steps up by itself.
// Results of the prf extension are taken out of what goes to the server.
//
// It is safe for concurrent use, as far as its interfaces are.
type Phone struct {
	url      string
	names    []string // of the server, in small letters: that in url, and PhoneOptions.Hosts
	hardware Hardware
	passkeys Passkeys
	keep     func(context.Context, PhoneState) error
	patience time.Duration
	now      func() time.Time
	http     *http.Client
	turn     chan struct{} // taken by a call that is signed with a key that counts

	accounts accountv1connect.AccountServiceClient
	joins    accountv1connect.JoinServiceClient
	keys     passkeyv1connect.PasskeyServiceClient
	recovery recoveryv1connect.RecoveryServiceClient
	moves    transferv1connect.TransferServiceClient
	bulk     *http.Client // for the segments of a move

	mu    sync.Mutex
	key   Key           // guarded by mu
	next  Key           // guarded by mu; nil: there is none beside key
	state PhoneState    // guarded by mu
	clock time.Duration // guarded by mu: what to add to our clock to get the server's
}

// NewPhone returns a Phone. It does not call the server yet.
func NewPhone(o *PhoneOptions) (*Phone, error) {
	u, err := url.Parse(o.URL)
	switch {
	case err != nil:
		return nil, fmt.Errorf("client: options: URL: %w", err)
	case u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "":
		return nil, fmt.Errorf("client: options: URL: %q is no address of a server; write https://HOST:PORT", u.Redacted())
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, fmt.Errorf("client: options: URL: the session would go to %s in the clear; write https://", u.Host)
	case o.Passkeys == nil || o.Keep == nil:
		return nil, errors.New("client: options: Passkeys and Keep are required")
	case o.Patience < 0:
		return nil, errors.New("client: options: Patience is negative")
	case o.State.Account != "" && o.Key == nil:
		return nil, errors.New("client: options: the state has an account, and Key is missing")
	case o.State.NextKey != "" && (o.NextKey == nil || o.NextKey.ID() != o.State.NextKey):
		return nil, fmt.Errorf("client: options: the state has a next key, %s, and NextKey is another one or missing", o.State.NextKey)
	}
	for _, h := range o.Hosts {
		if h == "" || strings.ContainsAny(h, ":/@") {
			return nil, fmt.Errorf("client: options: Hosts: %q is no name of a host; write it without scheme and port, such as accounts.example.org", h)
		}
	}
	p := &Phone{
		url: strings.TrimRight(o.URL, "/"), hardware: o.Hardware, passkeys: o.Passkeys, keep: o.Keep,
		patience: o.Patience, now: o.Now, turn: make(chan struct{}, 1), key: o.Key, state: o.State,
	}
	if o.State.NextKey != "" {
		p.next = o.NextKey
	}
	if p.key != nil {
		p.state.Key = p.key.ID()
	}
	for _, h := range append([]string{u.Hostname()}, o.Hosts...) {
		p.names = append(p.names, strings.ToLower(h))
	}
	if o.App != "" {
		if p.state.App != "" && string(p.state.App) != o.App {
			return nil, fmt.Errorf("client: options: App is %s, and the state is of app %s", o.App, p.state.App)
		}
		p.state.App = account.AppID(o.App)
	}
	if p.patience == 0 {
		p.patience = defaultPatience
	}
	if p.now == nil {
		p.now = time.Now
	}
	next := o.Transport
	if next == nil {
		next = http.DefaultTransport.(*http.Transport).Clone()
	}
	// A redirect would carry the session to whoever is named in it.
	p.http = &http.Client{Transport: &signing{phone: p, next: next}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	calls := []connect.ClientOption{
		connect.WithReadMaxBytes(maxAnswer), connect.WithInterceptors(patient{p}), connect.WithAcceptCompression("gzip", nil, nil),
	}
	p.accounts = accountv1connect.NewAccountServiceClient(p.http, p.url, calls...)
	p.joins = accountv1connect.NewJoinServiceClient(p.http, p.url, calls...)
	p.keys = passkeyv1connect.NewPasskeyServiceClient(p.http, p.url, calls...)
	p.recovery = newRecoveryClient(p, calls...)
	p.moves = transferv1connect.NewTransferServiceClient(p.http, p.url, calls...)
	p.bulk = newBulkClient(next)
	return p, nil
}

// Close closes the connections that are idle.
func (p *Phone) Close() {
	p.http.CloseIdleConnections()
	p.bulk.CloseIdleConnections()
}

// State is what Keep was told last, or what the phone began with.
func (p *Phone) State() PhoneState {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

// change alters the state and has it kept.
func (p *Phone) change(ctx context.Context, fn func(*PhoneState)) error {
	p.mu.Lock()
	fn(&p.state)
	s := p.state
	p.mu.Unlock()
	if err := p.keep(ctx, s); err != nil {
		return fmt.Errorf("client: keep the state: %w", err)
	}
	return nil
}

// keyID is the id of the key that calls are signed with.
func (p *Phone) keyID() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.key == nil {
		return ""
	}
	return p.key.ID()
}

// serverNow is the time by the server's clock, as far as we know it.
func (p *Phone) serverNow() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now().Add(p.clock)
}
