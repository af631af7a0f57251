// Package webhook tells an app's backend what has happened: it reads the outbox
// of the app's store and sends each event to the app's URL, signed, until it is
// acknowledged.
//
//	d, err := webhook.New(&webhook.Options{App: "demo", URL: "https://api.example.org/staunch", Key: key, Update: update, View: view})
//	err = d.Run(ctx) // until ctx ends
//
// # What a receiver gets
//
// A POST in the form of Standard Webhooks 1.0.0, with a JSON object:
//
//	webhook-id: evt_demo_4711_1795435200000000
//	webhook-timestamp: 1795435200
//	webhook-signature: v1a,BASE64
//
//	{"type":"account.frozen","timestamp":"2026-11-22T12:00:00Z","data":{"id":4711,"app":"demo","account":"a_…",…}}
//
// The signature is Ed25519 over id, timestamp and body with dots between them;
// [Verify] checks it. The id stays the same when an event is sent again, the
// timestamp is that of the attempt. An event account.alerted has the alert in
// its data, with its text for people, so that the backend can push it.
//
// Any answer from 200 to 299 acknowledges. Everything else, a redirect too, does
// not, and neither does an answer that does not come in time.
//
// # What it promises
//
//   - At least once. How far it has come is stored after the acknowledgement, so
//     what was in flight when it died is sent again. A receiver leaves out ids that
//     it has seen.
//   - In order within an account. An event that is not acknowledged keeps back
//     those of its account, and no others; until there are so many others that it
//     waits for it.
//   - Again after 100 ms, then twice as long each time, up to a minute, give or
//     take a fifth. An event that is older than a week and fails once more is given
//     up, with an error in the log; for a backend that polls it stays in the outbox.
//   - Of several servers on one store one sends: who has the lease.
//
// # What it does not do
//
// It sends to https only, or to this machine. It follows no redirect, and reads
// no more of an answer than it needs. It knows nothing of the events: their kinds
// and what stands in them is the business of who appends them.
package webhook

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/event"
)

// Tx is what the delivery needs of a transaction of the app's store.
type Tx interface {
	// Events gives up to limit events after an id, in order.
	Events(ctx context.Context, after uint64, limit int) ([]event.Event, error)
	// Cursor and PutCursor keep how far a reader of the outbox has come.
	Cursor(ctx context.Context, name string) (uint64, error)
	PutCursor(ctx context.Context, name string, at uint64) error
	// TakeLease makes holder the one who holds the lease of that name until then,
	// if at now nobody else does, and reports whether he does.
	TakeLease(ctx context.Context, name, holder string, now, until time.Time) (bool, error)
}

// Options are what New takes. App, URL, Key, Update and View are required.
type Options struct {
	App account.AppID
	URL string // https, or http on this machine
	Key ed25519.PrivateKey
	// Update and View run a function in a transaction of the app's store.
	Update func(context.Context, func(Tx) error) error
	View   func(context.Context, func(Tx) error) error
	// Alert gives the alert that an event account.alerted tells of, as one JSON
	// object; nil: it is gone. Without it such events name the alert and no more.
	Alert func(ctx context.Context, id account.ID, seq uint64) (json.RawMessage, error)
	// Roots vouch for the receiver's certificate. nil: those of this machine.
	Roots *x509.CertPool
	// Timeout is how long a receiver may take to answer. 0: 15 s.
	Timeout time.Duration
	// Now is the clock. nil: time.Now.
	Now func() time.Time
	// Logger gets what an operator must know. nil discards.
	Logger *slog.Logger
}

// Deliverer sends the events of one app.
type Deliverer struct {
	app    account.AppID
	url    string
	key    ed25519.PrivateKey
	update func(context.Context, func(Tx) error) error
	view   func(context.Context, func(Tx) error) error
	alert  func(context.Context, account.ID, uint64) (json.RawMessage, error)
	client *http.Client
	now    func() time.Time
	log    *slog.Logger
	holder string // of the lease: this Deliverer
}

// New checks the options.
func New(o *Options) (*Deliverer, error) {
	if err := o.App.Validate(); err != nil {
		return nil, fmt.Errorf("webhook: %w", err)
	}
	if len(o.Key) != ed25519.PrivateKeySize || o.Update == nil || o.View == nil {
		return nil, errors.New("webhook: options: Key, Update and View are required")
	}
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return nil, fmt.Errorf("webhook: %q is no URL to send to", o.URL)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return nil, fmt.Errorf("webhook: %s: use https; http is for this machine only", o.URL)
	}
	d := &Deliverer{
		app: o.App, url: u.String(), key: o.Key, update: o.Update, view: o.View, alert: o.Alert, client: client(o), now: o.Now, log: o.Logger,
		holder: "webhook-" + strings.ToLower(rand.Text()),
	}
	if d.now == nil {
		d.now = time.Now
	}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	return d, nil
}

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
