// Package console serves the pages on which operators look after an app: how
// attestation goes, what has become of an account, whether the vaults are well.
//
//	site, err := console.New(&console.Options{
//		App: "demo", Name: "Demo", Origin: "https://console.example.org",
//		Operators: people, Reader: reader,
//	})
//	http.ListenAndServe(addr, site)
//
// A [Site] is the console of one app, on a host of its own that no page for the
// app's people has. It reads and changes nothing: an operator's action on an
// account is not possible yet, and the pages say so.
//
// # Pages
//
//	/signin /enrol                     sign in; make the passkey of an invitation
//	/                                  what needs somebody, at a glance
//	/health /health/suspects           attestation: charts, classes of phones that look honest
//	/health/exceptions /health/stages  exceptions with their uses, what stages would deny
//	/accounts /accounts/ID             one account: its record, devices, holds, alerts
//	/vaults /queue                     vaults and witnesses; what waits for the store
//	/audit                             the app's record, and whether it is whole
//
// They are html/template and read without JavaScript. One small script makes
// passkeys, signs out and writes times in the reader's zone. It is bundled by
// `make web` into assets, which is committed. Charts are SVG, drawn here, each
// beside its numbers.
//
// # What keeps others out
//
//   - Every page but the first two wants a session of package operator, which is
//     looked up at each request. It is in the cookie __Host-staunch-console, which
//     no script reads and no other site's link brings along (SameSite=Strict).
//   - A page that another site has led to, or one of the same domain, asks before it
//     shows anything.
//   - Of an account nothing is shown before it is in its audit record that the
//     operator looks at it, but that something happened there: the record of all
//     has its entries without who did it, where, and to what.
//   - Content policy, cross-origin protection and JSON by POST are those of package
//     web/site. The host serves nothing but the console, no API and no metrics.
//   - Ceremonies are begun so many times a minute by a network, and no more.
//
// The secret of an invitation's link is behind "#": it reaches no log and no
// server but by the script, in a POST.
package console

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/operator"
	"github.com/staunchid/staunch/web/site"
)

// Operators are who may come in; *operator.Service has it.
type Operators interface {
	BeginEnrol(ctx context.Context, link operator.Secret, b operator.Browser) (*operator.Begun, error)
	FinishEnrol(ctx context.Context, in *operator.Answer) (*operator.Signed, error)
	BeginSignIn(ctx context.Context, b operator.Browser) (*operator.Begun, error)
	FinishSignIn(ctx context.Context, in *operator.Answer) (*operator.Signed, error)
	Check(ctx context.Context, token operator.Secret) (account.Caller, error)
	SignOut(ctx context.Context, token operator.Secret) error
	Look(ctx context.Context, token operator.Secret, of account.ID) error
}

// Options are what New takes. What has no default is required.
type Options struct {
	App       account.AppID
	Name      string // of the app, as operators know it
	Origin    string // of the console: https, or http below localhost
	Operators Operators
	Reader    Reader
	// Away tells whether an error means that the store cannot be reached. nil:
	// none does.
	Away func(error) bool
	// Address gives the address that a request comes from. nil: that of the
	// connection.
	Address func(*http.Request) string
	// Now is the clock. nil: time.Now.
	Now func() time.Time
	// Logger gets a line for each request. nil discards.
	Logger *slog.Logger
}

// Site is the console of one app. It is safe for concurrent use.
type Site struct {
	app     account.AppID
	name    string
	host    string // with port
	origin  string
	people  Operators
	read    Reader
	pages   site.Pages
	files   map[string]string // addresses of scripts and style, by name
	away    func(error) bool
	address func(*http.Request) string
	now     func() time.Time
	limit   *limit
	log     *slog.Logger
	handler http.Handler
}

// New checks o and makes its Site.
func New(o *Options) (*Site, error) {
	if err := o.App.Validate(); err != nil {
		return nil, fmt.Errorf("console: Options.App: %w", err)
	}
	switch {
	case o.Operators == nil || o.Reader == nil:
		return nil, errors.New("console: Options.Operators or Reader is missing")
	case strings.TrimSpace(o.Name) == "":
		return nil, errors.New("console: Options.Name is empty; every page shows it")
	}
	s := &Site{
		app: o.App, name: o.Name, origin: o.Origin, people: o.Operators, read: o.Reader, away: o.Away, address: o.Address,
		now: o.Now, log: o.Logger,
	}
	var err error
	if s.host, err = site.Host(o.Origin); err != nil {
		return nil, fmt.Errorf("console: Options.Origin: %w", err)
	}
	if s.away == nil {
		s.away = func(error) bool { return false }
	}
	if s.address == nil {
		s.address = site.Connection
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.limit = newLimit()
	files := site.NewAssets("/assets")
	if s.files, err = files.AddAll(assetFiles, "assets"); err != nil {
		return nil, err
	}
	if s.pages, err = site.ParsePages(templateFiles, "templates", words()); err != nil {
		return nil, err
	}
	s.handler = site.Guard(s.routes(files))
	return s, nil
}

// ServeHTTP serves a request to the console's host.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	site.Rules{TLS: strings.HasPrefix(s.origin, "https://"), Hidden: true}.Set(w.Header())
	if r.Host != s.host {
		http.Error(w, "There is no page of this name here. Go to "+s.origin, http.StatusMisdirectedRequest)
		return
	}
	site.Log{Logger: s.log, Text: "console", App: string(s.app), Who: "operator"}.Serve(s.handler, w, r)
}
