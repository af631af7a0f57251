// Package web serves the pages on which people sign in and look after their
// account: with passkeys, in a browser, without a password anywhere.
//
//	site, err := web.New(&web.Options{
//		App: "demo", Name: "Demo", Service: flows,
//		Origins: []string{"https://accounts.example.org"},
//	})
//	http.ListenAndServe(addr, site)
//
// A [Site] is the pages of one app, on the app's own hosts. Which app a request
// is for is told by its Host alone, and that has to be one of the configuration;
// a page's origin comes from there as well, and never from a header.
//
// # Pages
//
//	/signin /signup /join              sign in; make an account; let another device in
//	/freeze                            stop an account by the code on paper
//	/account /account/devices          what holds the account
//	/account/passkeys /account/alerts
//	/account/approve/ID                an action, in words, to sign or refuse
//
// They are html/template with one small script each, bundled from src by
// `make web` into assets, which is committed: a build needs no Node. An account
// can be read without JavaScript; whatever changes it needs a passkey, and so a
// script.
//
// # What the scripts send
//
// JSON by POST and nothing else: /signin, /signup, /join, /freeze/code, /account/step-up and
// /account/passkeys, each with /begin and /finish, and the acts below /account/.
// An answer that is not the one asked for is {"reason", "message"}, where the
// reason is that of the API and the message is for the person.
//
// # What keeps other sites out
//
// Package web/site holds what is for the console as well.
//
//   - Nothing of another origin is loaded and nothing is inline, by a Content
//     Security Policy with Trusted Types. An app's settings reach a page as
//     text, as an image that holds no script, and as one colour.
//   - http.CrossOriginProtection guards every request; a POST besides has to be
//     JSON, and one with a cookie has to say where it comes from.
//   - The session is in the cookie __Host-staunch, which scripts cannot read, and
//     __Host-staunch-c binds a ceremony to the browser that began it.
//   - Results of the PRF extension are taken out of an answer before it is sent.
//   - The text of an approval is hashed in the browser, with what the server says
//     belongs to it; if the challenge differs, nothing is signed.
//
// # What it does not do
//
// It decides nothing: who may do what is the service's part. It has no console
// for operators, and no pages but those of the account.
package web

import (
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/web/site"
)

// Options are what New takes. What has no default is required.
type Options struct {
	App     account.AppID
	Name    string // of the app, as people know it
	Service Service
	// Origins are those of the pages, as browsers write them: https, or http on
	// localhost. The first is where a lost request is sent.
	Origins []string
	// Accent is the app's colour: # and six digits of lower-case hex. Empty: blue.
	Accent string
	// Logo is a PNG, WebP or JPEG file, shown at 36 by 36 pixels. nil: a letter.
	Logo []byte
	// SignUp lets people make an account without a phone
	// (accounts_without_device).
	SignUp bool
	// RelatedOrigins is the document of /.well-known/webauthn.
	RelatedOrigins []byte
	// Away tells whether an error means that the store cannot be reached. nil:
	// none does.
	Away func(error) bool
	// Address gives the address that a request comes from. nil: that of the
	// connection.
	Address func(*http.Request) string
	// Country gives the country that it comes from, as ISO 3166-1 alpha-2, or "" if
	// nobody whom the server trusts has told it. nil: it is never known.
	Country func(*http.Request) string
	// Logger gets a line for each request. nil discards.
	Logger *slog.Logger
}

// Site is the pages of one app. It is safe for concurrent use.
type Site struct {
	app     account.AppID
	service Service
	origins map[string]string // by Host
	lost    string            // where a request goes that names another loopback host
	look    look
	pages   site.Pages
	script  map[string]string
	signUp  bool
	related []byte
	away    func(error) bool
	address func(*http.Request) string
	country func(*http.Request) string
	log     *slog.Logger
	handler http.Handler
}

// New checks o and makes its Site.
func New(o *Options) (*Site, error) {
	if err := o.App.Validate(); err != nil {
		return nil, fmt.Errorf("web: Options.App: %w", err)
	}
	switch {
	case o.Service == nil:
		return nil, errors.New("web: Options.Service is missing")
	case strings.TrimSpace(o.Name) == "":
		return nil, errors.New("web: Options.Name is empty; every page shows it")
	}
	s := &Site{
		app: o.App, service: o.Service, signUp: o.SignUp, related: o.RelatedOrigins,
		away: o.Away, address: o.Address, country: o.Country, log: o.Logger,
	}
	var err error
	if s.origins, err = byHost(o.Origins); err != nil {
		return nil, err
	}
	s.lost = o.Origins[0]
	files := site.NewAssets("/assets")
	if err := s.dress(o, files); err != nil {
		return nil, err
	}
	if s.pages, err = site.ParsePages(templateFiles, "templates", template.FuncMap{"stamp": stamp, "when": when, "left": left, "count": count}); err != nil {
		return nil, err
	}
	if s.away == nil {
		s.away = func(error) bool { return false }
	}
	if s.address == nil {
		s.address = site.Connection
	}
	if s.country == nil {
		s.country = func(*http.Request) string { return "" }
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.handler = site.Guard(s.routes(files))
	return s, nil
}

// dress makes what the app's settings become on a page.
func (s *Site) dress(o *Options, files *site.Assets) (err error) {
	accent := o.Accent
	if accent == "" {
		accent = defaultAccent
	}
	sheet, err := accentSheet(accent)
	if err != nil {
		return err
	}
	if s.script, err = files.AddAll(assetFiles, "assets"); err != nil {
		return err
	}
	first, _ := utf8.DecodeRuneInString(strings.TrimSpace(o.Name))
	s.look = look{
		Name: o.Name, Initial: string(unicode.ToUpper(first)),
		Style: s.script["style.css"], Accent: files.Add(".css", "text/css; charset=utf-8", sheet),
		Icon: files.Add(".svg", "image/svg+xml", icon(accent)),
	}
	if o.Logo != nil {
		s.look.Logo, err = addLogo(files, o.Logo)
		s.look.Icon = s.look.Logo
	}
	return err
}

// byHost maps the Host of a request to the origin of the page.
func byHost(origins []string) (map[string]string, error) {
	if len(origins) == 0 {
		return nil, errors.New(`web: Options.Origins is empty; name where the pages are, for example "https://accounts.example.org"`)
	}
	all := map[string]string{}
	for _, o := range origins {
		host, err := site.Host(o)
		if err != nil {
			return nil, fmt.Errorf("web: Options.Origins: %w", err)
		}
		all[host] = o
	}
	return all, nil
}

// ServeHTTP serves a request to one of the site's hosts.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	origin, ok := s.origins[r.Host]
	site.Rules{TLS: strings.HasPrefix(origin, "https://")}.Set(w.Header())
	if !ok {
		if !site.Local(w, r, s.origins) {
			http.Error(w, "There is no page of this name here. Go to "+s.lost, http.StatusMisdirectedRequest)
		}
		return
	}
	site.Log{Logger: s.log, Text: "page", App: string(s.app), Who: "account"}.Serve(s.handler, w, r)
}
