package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/web/site"
)

// ceremony is what a page begins with.
type ceremony struct {
	Ceremony account.CeremonyID `json:"ceremony"`
	Options  json.RawMessage    `json:"options"`
}

func begun(b *integrity.Begun, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return ceremony{b.Ceremony, b.Options}, nil
}

// answered is what a page finishes a ceremony with.
type answered struct {
	Ceremony string          `json:"ceremony"`
	Response json.RawMessage `json:"response"`
	Next     string          `json:"next"`
}

// answer reads what a page finishes a ceremony with.
func (c *call) answer() (id account.CeremonyID, in answered, err error) {
	if err = c.read(&in); err != nil {
		return "", in, err
	}
	id, err = checked[account.CeremonyID](in.Ceremony)
	return id, in, err
}

// entered is somebody who is in.
type entered struct {
	Next       string             `json:"next"`
	FreezeCode string             `json:"freeze_code,omitempty"` // shown once
	Signals    *integrity.Signals `json:"signals,omitempty"`
}

// signInPage is /signin. It never says whether anybody is signed in.
func (c *call) signInPage() error {
	q := c.r.URL.Query()
	text := ""
	switch {
	case q.Has("frozen"):
		text = "Your account is frozen. Sign in to unfreeze it."
	case q.Has("ended"):
		text = "You were signed out."
	}
	p := c.page("signin", "Sign in", "")
	p.Data = map[string]any{"next": next(q.Get("next"))}
	return c.pages.Render(c.w, http.StatusOK, "signin", signInPage{page: p, SignUp: c.signUp, Said: text})
}

// next is where a sign-in leads: a page of the account, whatever was asked for.
func next(text string) string {
	if !regexp.MustCompile(`^/account(/[a-z0-9_]+)*$`).MatchString(text) {
		return "/account"
	}
	return text
}

// toSignIn sends a page's visitor to sign in and back.
func (c *call) toSignIn() {
	c.w.Header().Set("Cache-Control", "no-store")
	http.Redirect(c.w, c.r, "/signin?"+url.Values{"next": {next(c.r.URL.Path)}}.Encode(), http.StatusSeeOther)
}

func (c *call) signInBegin() (any, error) {
	var in struct {
		Mediation string `json:"mediation"` // "conditional": for the field. The ceremony is the same
	}
	if err := c.read(&in); err != nil {
		return nil, err
	}
	return begun(c.service.BeginSignIn(c.r.Context(), c.anonymous(), &integrity.SignInStart{Browser: c.browser(true)}))
}

func (c *call) signInFinish() (any, error) {
	id, in, err := c.answer()
	if err != nil {
		return nil, err
	}
	r, err := c.service.FinishSignIn(c.r.Context(), c.anonymous(), &integrity.SignInAnswer{Ceremony: id, Response: in.Response, Browser: c.browser(false)})
	if err != nil {
		return nil, err
	}
	c.endFormer()
	return c.enter(r.Signed, in.Next), nil
}

// endFormer ends the session that the browser had before it signed in anew, so
// that no token is left which nobody can see any more. If that fails, the
// session still stands in the list and runs out by itself.
func (c *call) endFormer() {
	former, err := c.owner()
	if err != nil {
		return // there is none
	}
	if _, err := c.service.SignOut(c.r.Context(), former); err != nil {
		c.log.Warn("the former session of a browser was not ended", "app", c.app, "account", former.Account, "error", err)
	}
}

// enter gives the browser its session.
func (c *call) enter(s *integrity.Signed, to string) entered {
	setSession(c.w, s.Token, s.Until, c.now)
	site.Noted(c.r.Context()).Who = string(s.Account)
	return entered{Next: next(to), Signals: s.Signals}
}

func (c *call) signUpPage() error {
	p := c.page("signup", "Create your account", "")
	return c.pages.Render(c.w, http.StatusOK, "signup", signInPage{page: p})
}

func (c *call) signUpBegin() (any, error) {
	if err := c.read(&struct{}{}); err != nil {
		return nil, err
	}
	return begun(c.service.BeginEnrol(c.r.Context(), c.anonymous(), c.browser(true)))
}

func (c *call) signUpFinish() (any, error) {
	id, in, err := c.answer()
	if err != nil {
		return nil, err
	}
	e, err := c.service.FinishEnrol(c.r.Context(), c.anonymous(), &integrity.EnrolAnswer{Ceremony: id, Response: in.Response, Browser: c.browser(false)})
	if err != nil {
		return nil, err
	}
	out := c.enter(&e.Signed, "")
	out.FreezeCode = e.FreezeCode.Reveal()
	return out, nil
}

func (c *call) stepUpBegin() (any, error) {
	o, err := c.ownerOf(&struct{}{})
	if err != nil {
		return nil, err
	}
	return begun(c.service.BeginStepUp(c.r.Context(), o, c.browser(true)))
}

func (c *call) stepUpFinish() (any, error) {
	id, in, err := c.answer()
	if err != nil {
		return nil, err
	}
	o, err := c.owner()
	if err != nil {
		return nil, err
	}
	s, err := c.service.FinishStepUp(c.r.Context(), o, &integrity.StepUpAnswer{Ceremony: id, Response: in.Response, Browser: c.browser(false)})
	if err != nil {
		return nil, err
	}
	return c.enter(s, ""), nil
}
