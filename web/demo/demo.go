// Package demo serves the page /demo: two phones, the vaults and a thief, all of
// them against the running server. It is part of `staunch dev`, and of nothing
// else.
//
//	site, err := demo.New(&demo.Options{
//		App: "demo", Name: "Demo", Server: running,
//		Origins: []string{"http://localhost:8080"},
//	})
//	mux.Handle("/demo/", site)
//
// WHOEVER REACHES THIS PACKAGE CAN MAKE PHONES: it attests any key with the
// software phones' CA, whose private keys are public, and it gives whoever asks
// what only an administrator has. So it is for a server that trusts software
// phones and listens on loopback: New takes no other origin than http on localhost,
// package server wants Options.Demo and Options.DangerousTestRoots, and no key of
// the configuration leads here.
//
// # What is there
//
//	GET  /demo                  the page; / leads there
//	GET  /demo/settings         what the phones on it have built in: app, release keys
//	POST /demo/attest           the hardware of a phone: evidence for a key of the page
//	POST /demo/verify           the other phone's evidence, judged by the app's own policy
//	GET  /demo/records          what the server has recorded, and what it has refused
//	GET  /demo/vaults           what the vaults hold for an account
//	POST /demo/pay/v1/remit     a payment service that lets signed requests through
//	POST /demo/insider/copy     an administrator's hands in the store: he keeps a
//	POST /demo/insider/restore  vault's record, and puts it back later
//
// The page itself, its phones and the thief are TypeScript, in src. They are
// clients of the API like any other: nothing here knows what they do.
//
// # What keeps other sites out
//
// Package web/site: a Content Security Policy with Trusted Types (and, for the
// hash of the PIN, WebAssembly), http.CrossOriginProtection, JSON by POST alone. A
// request that names another host than the page's is refused, so that a name
// somebody points at 127.0.0.1 reaches nothing.
//
// # What it does not do
//
// It decides nothing: what stops a thief is the server, the vaults and the phones.
// Binary values are base64url without padding, as in WebAuthn's JSON.
package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/web/site"
)

// Server is what the demo sees of the server that it is part of.
type Server interface {
	// Vaults says which vaults there are; nil: the server has no recovery.
	Vaults(ctx context.Context) (*Vaults, error)
	// Holdings says what they hold for an account.
	Holdings(ctx context.Context, id account.ID) (*Holdings, error)
	// Recorded calls yield for each audit entry since a time, in any order.
	Recorded(ctx context.Context, since time.Time, yield func(audit.Entry)) error
	// Checker judges the requests that come to the payment service.
	Checker() request.Checker
	// CopyRecord keeps a vault's record of an account as the store has it now, and
	// RestoreRecord puts it back past the program. ErrNoRecord: there is none.
	CopyRecord(ctx context.Context, id account.ID, vault string) (*Record, error)
	RestoreRecord(ctx context.Context, id account.ID, vault string) (*Record, error)
}

// ErrNoRecord: the store has no record of that account and vault, or none was
// copied. Set a PIN first, or copy first.
var ErrNoRecord = errors.New("demo: no such record")

// Options are what New takes. What has no default is required.
type Options struct {
	App     account.AppID
	Name    string // of the app, as people know it
	Origins []string
	Server  Server
	// Now is the clock. nil: time.Now.
	Now func() time.Time
	// Logger gets what fails, and the payments that are refused. nil discards.
	Logger *slog.Logger
}

// Site is the demo of one app. It is safe for concurrent use.
type Site struct {
	app     account.AppID
	name    string
	origins map[string]string // by Host
	server  Server
	phones  *phones
	records *records
	judge   *attest.Policy // of the phones on the page
	now     func() time.Time
	log     *slog.Logger
	handler http.Handler
}

// New checks o and makes its Site.
func New(o *Options) (*Site, error) {
	switch {
	case o.App == "" || o.Name == "":
		return nil, errors.New("demo: Options.App and Options.Name are required")
	case o.Server == nil:
		return nil, errors.New("demo: Options.Server is missing")
	}
	s := &Site{app: o.App, name: o.Name, server: o.Server, phones: &phones{}, now: o.Now, log: o.Logger}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.records = newRecords(o.Server, s.now)
	var err error
	if s.origins, err = byHost(o.Origins); err != nil {
		return nil, err
	}
	if s.judge, err = pinnedPolicy(o.App); err != nil {
		return nil, err
	}
	page, err := newPage(o.Name)
	if err != nil {
		return nil, err
	}
	s.handler = site.Guard(s.routes(page))
	return s, nil
}

// byHost maps the Host of a request to the origin of the page. This machine's own
// people are the only ones who may see a demo.
func byHost(origins []string) (map[string]string, error) {
	if len(origins) == 0 {
		return nil, errors.New(`demo: Options.Origins is empty; name where the page is, for example "http://localhost:8080"`)
	}
	all := map[string]string{}
	for _, o := range origins {
		host, err := site.Host(o)
		if err != nil || !strings.HasPrefix(o, "http://") { // which is for localhost alone
			return nil, fmt.Errorf("demo: Options.Origins: %q is not http on localhost; the demo makes phones for whoever reaches it, and may not be anywhere else", o)
		}
		all[host] = o
	}
	return all, nil
}

func (s *Site) routes(p *page) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", http.RedirectHandler("/demo", http.StatusSeeOther))
	mux.HandleFunc("GET /demo", p.show)
	mux.HandleFunc("GET /demo/{$}", p.show)
	mux.Handle("GET /demo/assets/", p.files)
	mux.Handle("GET /demo/settings", s.answer((*call).settings))
	mux.Handle("POST /demo/attest", s.answer((*call).attest))
	mux.Handle("POST /demo/verify", s.answer((*call).verify))
	mux.Handle("GET /demo/records", s.answer((*call).recorded))
	mux.Handle("GET /demo/vaults", s.answer((*call).vaults))
	mux.Handle("POST /demo/insider/copy", s.answer((*call).copyRecord))
	mux.Handle("POST /demo/insider/restore", s.answer((*call).restoreRecord))
	mux.Handle("POST "+payAt+payPath, s.payments())
	return mux
}
