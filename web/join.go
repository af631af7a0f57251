package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"rsc.io/qr"
)

func (c *call) joinPage() error {
	return c.pages.Render(c.w, http.StatusOK, "join", signInPage{page: c.page("join", "Use another of your devices", "")})
}

// opened is what the new browser shows.
type opened struct {
	Join    account.JoinID `json:"join"`
	Code    string         `json:"code"`
	Number  string         `json:"number"`
	QR      string         `json:"qr"`
	Seconds int            `json:"seconds"`
}

func (c *call) joinBegin() (any, error) {
	var in struct {
		Guest bool `json:"guest"`
	}
	if err := c.read(&in); err != nil {
		return nil, err
	}
	kind := "browser"
	if in.Guest {
		kind = "guest"
	}
	j, err := c.service.RequestJoin(c.r.Context(), c.anonymous(), &integrity.JoinRequest{Kind: kind, Browser: c.browser(true)})
	if err != nil {
		return nil, err
	}
	return opened{j.Join, j.Code, j.Number, "/join/qr/" + j.Code + ".png", seconds(j.ExpiresAt, c.now)}, nil
}

// joining is how a join stands. Once it is confirmed it has the ceremony of the
// new passkey, or, for a guest, where to go.
type joining struct {
	State    string             `json:"state"`
	Ceremony account.CeremonyID `json:"ceremony,omitempty"`
	Options  json.RawMessage    `json:"options,omitempty"`
	Next     string             `json:"next,omitempty"`
}

func (c *call) joinWait() (any, error) {
	var in struct {
		Join string `json:"join"`
	}
	if err := c.read(&in); err != nil {
		return nil, err
	}
	id, err := checked[account.JoinID](in.Join)
	if err != nil {
		return nil, err
	}
	s, err := c.service.JoinStatus(c.r.Context(), c.anonymous(), &integrity.JoinWait{Join: id, Browser: c.browser(false)})
	if err != nil {
		return nil, err
	}
	out := joining{State: s.State, Ceremony: s.Ceremony, Options: s.Options}
	if s.Guest != nil {
		out.Next = c.enter(s.Guest, "").Next
	}
	return out, nil
}

func (c *call) joinFinish() (any, error) {
	var in struct {
		Join string `json:"join"`
		answered
	}
	if err := c.read(&in); err != nil {
		return nil, err
	}
	join, err := checked[account.JoinID](in.Join)
	if err != nil {
		return nil, err
	}
	id, err := checked[account.CeremonyID](in.Ceremony)
	if err != nil {
		return nil, err
	}
	s, err := c.service.FinishJoin(c.r.Context(), c.anonymous(), &integrity.JoinAnswer{Join: join, Ceremony: id, Response: in.Response, Browser: c.browser(false)})
	if err != nil {
		return nil, err
	}
	return c.enter(s, ""), nil
}

// joinQR draws a join's code. It draws nothing else, and tells nobody whether
// there is such a join.
func (c *call) joinQR() error {
	code, isImage := strings.CutSuffix(c.r.PathValue("code"), ".png")
	if _, _, err := account.ParseJoinCode(code); err != nil || !isImage {
		return fmt.Errorf("%w: no code of a join", integrity.ErrJoinUnknown)
	}
	q, err := qr.Encode(code, qr.M)
	if err != nil {
		return fmt.Errorf("web: join: %w", err)
	}
	q.Scale = 8
	c.w.Header().Set("Content-Type", "image/png")
	c.w.Header().Set("Cache-Control", "no-store")
	_, _ = c.w.Write(q.PNG())
	return nil
}
