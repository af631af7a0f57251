package console

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/operator"
	"github.com/staunchid/staunch/web/site"
)

// ceremony is what a page begins with.
type ceremony struct {
	Ceremony account.CeremonyID `json:"ceremony"`
	Options  json.RawMessage    `json:"options"`
	Name     string             `json:"name,omitempty"` // of the operator who enrols
}

// answered is what a page finishes a ceremony with.
type answered struct {
	Ceremony string          `json:"ceremony"`
	Response json.RawMessage `json:"response"`
	Next     string          `json:"next"`
}

// entered is an operator who is in.
type entered struct {
	Next string `json:"next"`
}

// signInPage is /signin. It never says whether anybody is signed in.
func (c *call) signInPage() error {
	p := c.page("signin", "Sign in")
	p.Data["next"] = "/"
	if !elsewhere(c.r) { // else somebody else would say what he looks at first
		p.Data["next"] = next(c.r.URL.Query().Get("next"))
	}
	said := ""
	if c.r.URL.Query().Has("out") {
		said = "You are signed out."
	}
	return c.pages.Render(c.w, http.StatusOK, "signin", signInPage{p, said})
}

// enrolPage is /enrol. Whose link it is the script asks.
func (c *call) enrolPage() error {
	return c.pages.Render(c.w, http.StatusOK, "enrol", signInPage{page: c.page("enrol", "Make your passkey")})
}

// begins takes from what the network may begin.
func (c *call) begins() error {
	if !c.limit.take(network(c.address(c.r)), c.now) {
		return errBusy
	}
	return nil
}

func begun(b *operator.Begun, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return ceremony{b.Ceremony, b.Options, b.Name}, nil
}

func (c *call) signInBegin() (any, error) {
	if err := errors.Join(c.begins(), c.readJSON(&struct{}{})); err != nil {
		return nil, err
	}
	return begun(c.people.BeginSignIn(c.r.Context(), c.browser(true)))
}

func (c *call) enrolBegin() (any, error) {
	var in struct {
		Link string `json:"link"`
	}
	if err := errors.Join(c.begins(), c.readJSON(&in)); err != nil {
		return nil, err
	}
	link, err := operator.ParseSecret(in.Link)
	if err != nil {
		return nil, err
	}
	return begun(c.people.BeginEnrol(c.r.Context(), link, c.browser(true)))
}

// answer reads what the page has to say to a ceremony.
func (c *call) answer() (*operator.Answer, string, error) {
	var in answered
	if err := c.readJSON(&in); err != nil {
		return nil, "", err
	}
	id := account.CeremonyID(in.Ceremony)
	if err := id.Validate(); err != nil {
		return nil, "", err
	}
	return &operator.Answer{Ceremony: id, Response: in.Response, Browser: c.browser(false)}, in.Next, nil
}

func (c *call) signInFinish() (any, error) {
	in, to, err := c.answer()
	if err != nil {
		return nil, err
	}
	s, err := c.people.FinishSignIn(c.r.Context(), in)
	if err != nil {
		return nil, err
	}
	return c.enter(s, to), nil
}

func (c *call) enrolFinish() (any, error) {
	in, _, err := c.answer()
	if err != nil {
		return nil, err
	}
	s, err := c.people.FinishEnrol(c.r.Context(), in)
	if err != nil {
		return nil, err
	}
	return c.enter(s, "/"), nil
}

// enter gives the browser its session, and ends the one that it had.
func (c *call) enter(s *operator.Signed, to string) entered {
	if former := session().Secret(c.r); former != nil {
		if err := c.people.SignOut(c.r.Context(), former); err != nil && !errors.Is(err, operator.ErrSession) {
			c.log.Warn("the former session of a browser was not ended", "app", c.app, "error", err)
		}
	}
	session().Put(c.w, s.Token, s.Until.Sub(c.now))
	site.Noted(c.r.Context()).Who = s.Name
	return entered{next(to)}
}

func (c *call) signOut() (any, error) {
	if err := c.readJSON(&struct{}{}); err != nil {
		return nil, err
	}
	token := session().Secret(c.r)
	if token == nil {
		return nil, operator.ErrSession
	}
	if err := c.people.SignOut(c.r.Context(), token); err != nil {
		return nil, err
	}
	session().Drop(c.w)
	return entered{"/signin?out"}, nil
}
