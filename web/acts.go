package web

import (
	"encoding/json"
	"fmt"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey"
)

// about names what an act of a page is about.
type about struct {
	Device     string `json:"device"`
	Credential string `json:"credential"`
	Session    string `json:"session"`
	Pending    string `json:"pending"`
	Move       string `json:"move"`
}

// changed tells what has come of an act.
type changed struct {
	Said    string             `json:"said,omitempty"`
	Next    string             `json:"next,omitempty"`
	Code    string             `json:"freeze_code,omitempty"` // shown once
	Signals *integrity.Signals `json:"signals,omitempty"`
}

func (c *call) addBegin() (any, error) {
	var in struct {
		Hint string `json:"hint"`
	}
	o, err := c.ownerOf(&in)
	if err != nil {
		return nil, err
	}
	return begun(c.service.BeginAdd(c.r.Context(), o, &integrity.AddStart{Hint: passkey.Hint(in.Hint), Browser: c.browser(true)}))
}

func (c *call) addFinish() (any, error) {
	id, in, err := c.answer()
	if err != nil {
		return nil, err
	}
	o, err := c.owner()
	if err != nil {
		return nil, err
	}
	a, err := c.service.FinishAdd(c.r.Context(), o, &integrity.AddAnswer{Ceremony: id, Response: in.Response, Browser: c.browser(false)})
	if err != nil {
		return nil, err
	}
	return changed{Signals: a.Signals}, nil
}

// freeze takes no second step. It ends all sessions in browsers, this one too.
func (c *call) freeze() (any, error) {
	o, err := c.ownerOf(&struct{}{})
	if err != nil {
		return nil, err
	}
	if _, err := c.service.Freeze(c.r.Context(), o); err != nil {
		return nil, err
	}
	session().Drop(c.w)
	return changed{Next: "/signin?frozen"}, nil
}

func (c *call) veto() (any, error) {
	var in about
	if err := c.read(&in); err != nil {
		return nil, err
	}
	var device account.DeviceID
	var pending account.PendingID
	var err error
	switch {
	case in.Device != "":
		device, err = checked[account.DeviceID](in.Device)
	default:
		pending, err = checked[account.PendingID](in.Pending)
	}
	if err != nil {
		return nil, err
	}
	o, err := c.owner()
	if err != nil {
		return nil, err
	}
	if _, err := c.service.Veto(c.r.Context(), o, device, pending); err != nil {
		return nil, err
	}
	return changed{}, nil
}

func (c *call) rename() (any, error) {
	var in struct {
		about
		Name string `json:"name"`
	}
	o, err := c.ownerOf(&in)
	if err != nil {
		return nil, err
	}
	if in.Credential != "" {
		ref, err := checked[account.CredentialRef](in.Credential)
		if err != nil {
			return nil, err
		}
		signals, err := c.service.RenamePasskey(c.r.Context(), o, ref, in.Name)
		if err != nil {
			return nil, err
		}
		return changed{Signals: signals}, nil
	}
	id, err := checked[account.DeviceID](in.Device)
	if err != nil {
		return nil, err
	}
	if err := c.service.RenameDevice(c.r.Context(), o, id, in.Name); err != nil {
		return nil, err
	}
	return changed{}, nil
}

// seen notes that the alerts up to a number were on the page.
func (c *call) seen() (any, error) {
	var in struct {
		Seq uint64 `json:"seq"`
	}
	o, err := c.ownerOf(&in)
	if err != nil {
		return nil, err
	}
	return changed{}, c.service.AckAlerts(c.r.Context(), o, in.Seq)
}

func (c *call) signOut() (any, error) {
	o, err := c.ownerOf(&struct{}{})
	if err != nil {
		return nil, err
	}
	// A session that could not be ended is still there, and so is its cookie.
	if _, err := c.service.SignOut(c.r.Context(), o); err != nil {
		return nil, err
	}
	session().Drop(c.w)
	return changed{}, nil
}

func (c *call) signOutOthers() (any, error) {
	o, err := c.ownerOf(&struct{}{})
	if err != nil {
		return nil, err
	}
	e, err := c.service.SignOutOthers(c.r.Context(), o)
	if err != nil {
		return nil, err
	}
	return changed{Said: fmt.Sprintf("Done: %s ended.", count(e.Sessions, "session was", "sessions were"))}, nil
}

func (c *call) endSession() (any, error) {
	var in about
	if err := c.read(&in); err != nil {
		return nil, err
	}
	id, err := checked[account.SessionID](in.Session)
	if err != nil {
		return nil, err
	}
	o, err := c.owner()
	if err != nil {
		return nil, err
	}
	_, err = c.service.EndSession(c.r.Context(), o, id)
	return changed{}, err
}

// result is what the flows say of a confirmed action, as far as a page shows it.
type result struct {
	FreezeCode string `json:"freeze_code"`
	OpensAt    string `json:"opens_at"`
}

// outcome puts a confirmed action into words.
func outcome(done *integrity.Confirmed) (changed, error) {
	out := changed{Signals: done.Signals}
	var r result
	if len(done.Result) > 0 {
		if err := json.Unmarshal(done.Result, &r); err != nil {
			return changed{}, fmt.Errorf("web: result of %s: %w", done.Action, err)
		}
	}
	out.Code = r.FreezeCode
	switch done.Action {
	case account.AddDevice:
		out.Said = "Your new device is in. Finish on it."
	case account.ApproveGuest:
		out.Said = "That screen is signed in as a guest."
	case account.RemoveDevice:
		out.Said = "The device is removed."
	case account.RemoveCredential:
		out.Said = "The passkey is removed."
	case account.UnfreezeDevice:
		out.Said = "The device works again."
	case account.ChangeHandle:
		out.Said = "Your name is changed."
	case account.RenewFreezeCode:
		out.Said = "The old freeze code no longer works."
	case account.UnfreezeAccount:
		out.Said = "Your account works again."
		if r.OpensAt != "" {
			out.Said = "Your account opens by itself after a wait. You can stop that until then."
		}
	case account.DeleteAccount:
		out.Said = "Your account will be deleted after a wait. You can stop that until then."
	default:
		out.Said = "Done: " + done.Text
	}
	return out, nil
}
