package web

import (
	"errors"
	"net/http"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/web/site"
)

// maxBody is for an answer of 64 KiB, and what is around it.
const maxBody = 96 << 10

// call is one request to the site.
type call struct {
	*Site
	w   http.ResponseWriter
	r   *http.Request
	now time.Time
}

func (s *Site) call(w http.ResponseWriter, r *http.Request) *call {
	site.Noted(r.Context()).Pattern = r.Pattern
	return &call{Site: s, w: w, r: r, now: time.Now()}
}

// anonymous is somebody who has not said who he is, from this network.
func (c *call) anonymous() account.Caller {
	return account.Caller{Kind: account.Anonymous, App: c.app, Network: c.service.Network(c.address(c.r)), Place: c.country(c.r)}
}

// owner is whose session the request's cookie is.
func (c *call) owner() (account.Caller, error) {
	return c.Caller(c.r)
}

// ownerOf reads a request of a page of an account, and whose it is.
func (c *call) ownerOf(in any) (account.Caller, error) {
	if err := c.read(in); err != nil {
		return account.Caller{}, err
	}
	return c.owner()
}

// Caller finds out whose session the cookie of a request is. The stream of
// alerts asks too. A request that names no host of the site is nobody's.
func (s *Site) Caller(r *http.Request) (account.Caller, error) {
	if _, ok := s.origins[r.Host]; !ok {
		return account.Caller{}, integrity.ErrSessionRequired
	}
	token := session().Secret(r)
	if token == nil {
		return account.Caller{}, integrity.ErrSessionRequired
	}
	caller, err := s.service.BrowserCaller(r.Context(), token, s.service.Network(s.address(r)), s.country(r))
	site.Noted(r.Context()).Who = string(caller.Account)
	return caller, err
}

// browser is where this call comes from, with the secret that binds a ceremony
// to it. opens is true for the calls that begin one.
func (c *call) browser(opens bool) *integrity.Browser {
	b := &integrity.Browser{Origin: c.origins[c.r.Host], Label: site.Label(c.r)}
	if opens {
		b.Cookie = ceremonies().Bind(c.w, c.r, ceremonyLife)
	} else {
		b.Cookie = ceremonies().Secret(c.r)
	}
	return b
}

// read decodes the body, strictly.
func (c *call) read(into any) error { return site.Read(c.w, c.r, maxBody, into) }

// act serves one JSON call.
func (s *Site) act(do func(*call) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := s.call(w, r)
		out, err := do(c)
		if err != nil {
			row := c.failed(err)
			body := site.Problem{Reason: row.reason, Message: row.text}
			var refused *account.Refused
			if errors.As(err, &refused) && refused.Why == account.WhyStepUp {
				body.Need = refused.Need.String()
			}
			site.Write(w, row.status, body)
			return
		}
		site.Write(w, http.StatusOK, out)
	})
}

// failed finds the words for err, and logs what nobody expected.
func (c *call) failed(err error) said {
	row, known := c.explain(err)
	site.Noted(c.r.Context()).Reason = row.reason
	switch {
	case !known && c.r.Context().Err() == nil:
		c.log.Error("page failed", "pattern", c.r.Pattern, "app", c.app, "error", err)
	case known:
		c.log.Debug("page refused", "pattern", c.r.Pattern, "app", c.app, "error", err)
	}
	if errors.Is(err, integrity.ErrSessionEnded) {
		session().Drop(c.w)
	}
	return row
}

// show serves one page. do renders it or says why not.
func (s *Site) show(do func(*call) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := s.call(w, r)
		err := do(c)
		switch {
		case err == nil:
		case errors.Is(err, integrity.ErrSessionRequired), errors.Is(err, integrity.ErrSessionEnded):
			c.failed(err)
			c.toSignIn()
		case errors.Is(err, errGuest):
			err = c.pages.Render(w, http.StatusOK, "guest", problemPage{page: c.page("guest", "You are here as a guest", "")})
			if err != nil {
				c.log.Error("page failed", "pattern", r.Pattern, "app", c.app, "error", err)
			}
		default:
			row := c.failed(err)
			if err := c.problem(row.status, "That did not work", row.text, "/account", "To your account"); err != nil {
				c.log.Error("page failed", "pattern", c.r.Pattern, "app", c.app, "error", err)
			}
		}
	})
}

// checked is an identifier that a page sent, if it has the form of its kind.
func checked[T interface {
	~string
	Validate() error
}](text string,
) (T, error) {
	id := T(text)
	return id, id.Validate()
}
