package web

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/web/site"
)

// approval is an action to sign: what the page shows, and all that the challenge
// is the hash of. Byte strings are base64url.
type approval struct {
	Approval account.ApprovalID `json:"approval"`
	App      account.AppID      `json:"app"`
	Account  account.ID         `json:"account"`
	Action   account.Action     `json:"action"`
	Params   string             `json:"params_sha256"`
	Text     string             `json:"text"`
	Nonce    string             `json:"nonce"`
	Expires  int64              `json:"expires"`
	Options  json.RawMessage    `json:"options"`
}

func proposed(p *integrity.Proposed) approval {
	sum := sha256.Sum256(p.Preimage.Parameters)
	encode := base64.RawURLEncoding.EncodeToString
	return approval{
		Approval: p.Preimage.ID, App: p.Preimage.App, Account: p.Preimage.Account, Action: p.Preimage.Action,
		Params: encode(sum[:]), Text: p.Preimage.Text, Nonce: encode(p.Preimage.Nonce), Expires: p.Preimage.Expires.Unix(), Options: p.Options,
	}
}

// proposal is what a page asks to do.
type proposal struct {
	Action string `json:"action"`
	Code   string `json:"code"`   // of the new device
	Number string `json:"number"` // that it shows
	Handle string `json:"handle"`
	about
}

func (c *call) propose() (any, error) {
	var in proposal
	if err := c.read(&in); err != nil {
		return nil, err
	}
	o, err := c.owner()
	if err != nil {
		return nil, err
	}
	p, err := c.worded(o, &in)
	if err != nil {
		return nil, err
	}
	out, err := c.service.Propose(c.r.Context(), o, p, c.browser(true))
	if err != nil {
		return nil, err
	}
	return proposed(out), nil
}

// worded makes the proposal of one of the actions that pages offer.
func (c *call) worded(o account.Caller, in *proposal) (*integrity.Proposal, error) {
	p := &integrity.Proposal{Action: account.Action(in.Action)}
	params := map[string]string{}
	switch p.Action {
	case account.AddDevice:
		j, err := c.service.Join(c.r.Context(), o, "", in.Code)
		if err != nil {
			return nil, err
		}
		if j.Kind == "guest" {
			p.Action = account.ApproveGuest
		}
		params["join"], params["number"] = string(j.Join), in.Number
	case account.RemoveDevice, account.UnfreezeDevice:
		params["device"] = in.Device
	case account.RemoveCredential:
		params["credential"] = in.Credential
	case account.ChangeHandle:
		params["handle"] = in.Handle
	case account.RenewFreezeCode, account.UnfreezeAccount, account.DeleteAccount:
	default:
		return nil, fmt.Errorf("%w: no page proposes %.40q", site.ErrRequest, in.Action)
	}
	var err error
	if p.Params, err = json.Marshal(params); err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	return p, nil
}

func (c *call) confirm() (any, error) {
	var in struct {
		Approval string          `json:"approval"`
		Response json.RawMessage `json:"response"`
	}
	if err := c.read(&in); err != nil {
		return nil, err
	}
	id, err := checked[account.ApprovalID](in.Approval)
	if err != nil {
		return nil, err
	}
	o, err := c.owner()
	if err != nil {
		return nil, err
	}
	done, err := c.service.Confirm(c.r.Context(), o, &integrity.Confirmation{Approval: id, Response: in.Response, Cookie: c.browser(false).Cookie})
	if err != nil {
		return nil, err
	}
	return outcome(done)
}

func (c *call) deny() (any, error) {
	var in struct {
		Approval string `json:"approval"`
	}
	if err := c.read(&in); err != nil {
		return nil, err
	}
	id, err := checked[account.ApprovalID](in.Approval)
	if err != nil {
		return nil, err
	}
	o, err := c.owner()
	if err != nil {
		return nil, err
	}
	return changed{}, c.service.Deny(c.r.Context(), o, id)
}

// approvePage is /account/approve/{id}: an action that somebody else proposed.
func (c *call) approvePage() error {
	p, o, _, err := c.accountPage("approve", "Your decision", "")
	if err != nil {
		return err
	}
	out, err := c.service.OpenApproval(c.r.Context(), o, account.ApprovalID(c.r.PathValue("id")), c.browser(true))
	if err != nil {
		return err
	}
	p.data("approval", proposed(out))
	row := out.Approval
	from := ""
	if row.By.Kind == account.Backend {
		from = c.look.Name
	}
	return c.pages.Render(c.w, http.StatusOK, "approve", approvePage{
		page: *p, Text: row.Text, From: from, CreatedAt: row.CreatedAt, Expires: row.ExpiresAt, Seconds: seconds(row.ExpiresAt, c.now),
	})
}
