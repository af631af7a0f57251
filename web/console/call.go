package console

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/operator"
	"github.com/staunchid/staunch/web/site"
)

// maxBody is for an answer of 64 KiB, and what is around it.
const maxBody = 96 << 10

// call is one request to the console.
type call struct {
	*Site
	w     http.ResponseWriter
	r     *http.Request
	now   time.Time
	who   account.Caller  // of a page: the operator
	token operator.Secret // of his session
}

func (s *Site) call(w http.ResponseWriter, r *http.Request) *call {
	site.Noted(r.Context()).Pattern = r.Pattern
	return &call{Site: s, w: w, r: r, now: s.now()}
}

// signedIn finds out whose session the request's cookie is.
func (c *call) signedIn() (err error) {
	if c.token = session().Secret(c.r); c.token == nil {
		return operator.ErrSession
	}
	c.who, err = c.people.Check(c.r.Context(), c.token)
	site.Noted(c.r.Context()).Who = c.who.Name
	return err
}

// look records that the operator looks at an account. A page shows nothing of it
// before.
func (c *call) look(id account.ID) error { return c.people.Look(c.r.Context(), c.token, id) }

// browser is where this call comes from, with the secret that binds a ceremony to
// it. opens is true for the calls that begin one.
func (c *call) browser(opens bool) operator.Browser {
	b := operator.Browser{Origin: c.origin, Label: site.Label(c.r)}
	if opens {
		b.Cookie = ceremonies().Bind(c.w, c.r, ceremonyLife)
	} else {
		b.Cookie = ceremonies().Secret(c.r)
	}
	return b
}

// readJSON decodes the body, strictly.
func (c *call) readJSON(into any) error { return site.Read(c.w, c.r, maxBody, into) }

// act serves one JSON call.
func (s *Site) act(do func(*call) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := s.call(w, r)
		out, err := do(c)
		if err != nil {
			row := c.failed(err)
			site.Refuse(w, row.status, row.reason, row.text)
			return
		}
		site.Write(w, http.StatusOK, out)
	})
}

// open serves a page that needs no session.
func (s *Site) open(do func(*call) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := s.call(w, r)
		if err := do(c); err != nil {
			c.sorry(err)
		}
	})
}

// show serves a page to an operator, and sends anybody else to sign in.
func (s *Site) show(do func(*call) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := s.call(w, r)
		if elsewhere(r) {
			if err := c.arrived(); err != nil {
				c.sorry(err)
			}
			return
		}
		err := c.signedIn()
		if err == nil {
			err = do(c)
		}
		switch {
		case err == nil:
		case errors.Is(err, operator.ErrSession):
			c.failed(err)
			c.toSignIn()
		default:
			c.sorry(err)
		}
	})
}

// elsewhere reports whether a page of another origin has led here, or loads this
// (W3C Fetch Metadata, Section 2.4). Those of the same domain bring the cookie.
func elsewhere(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return site == "cross-site" || site == "same-site"
}

// arrived is the page of somebody whom another site has brought here, so that nobody
// else makes him look at anything, nor has it recorded that he did. A click goes on.
func (c *call) arrived() error {
	p := problemPage{page: c.page("", "You come from another site"), Text: "Go on only if you meant to open this page.", Link: next(c.r.URL.RequestURI())}
	return c.pages.Render(c.w, http.StatusOK, "problem", p)
}

// failed finds the words for err, and logs what nobody expected.
func (c *call) failed(err error) said {
	row, known := c.explain(err)
	site.Noted(c.r.Context()).Reason = row.reason
	switch {
	case row.status >= http.StatusInternalServerError && c.r.Context().Err() == nil:
		c.log.Error("console failed", "pattern", c.r.Pattern, "app", c.app, "error", err)
	case known:
		c.log.Debug("console refused", "pattern", c.r.Pattern, "app", c.app, "error", err)
	}
	if errors.Is(err, operator.ErrSession) {
		session().Drop(c.w)
	}
	return row
}

// sorry is the page of an error.
func (c *call) sorry(err error) {
	row := c.failed(err)
	if err := c.problem(row.status, "That did not work", row.text); err != nil {
		c.log.Error("console failed", "pattern", c.r.Pattern, "app", c.app, "error", err)
	}
}

func (c *call) problem(status int, title, text string) error {
	return c.pages.Render(c.w, status, "problem", problemPage{page: c.page("", title), Text: text})
}

// toSignIn sends a page's visitor to sign in and back.
func (c *call) toSignIn() {
	c.w.Header().Set("Cache-Control", "no-store")
	http.Redirect(c.w, c.r, "/signin?"+url.Values{"next": {next(c.r.URL.RequestURI())}}.Encode(), http.StatusSeeOther)
}

// next is where a sign-in leads: a page of the console, whatever was asked for.
func next(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(text, "/") || strings.HasPrefix(text, "//") ||
		strings.ContainsAny(text, "\\\r\n\t") || strings.HasPrefix(u.Path, "/signin") || strings.HasPrefix(u.Path, "/enrol") {
		return "/"
	}
	return u.RequestURI()
}
