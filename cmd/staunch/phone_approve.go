package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/client"
)

// PhoneApproveCmd is `staunch phone approve`.
type PhoneApproveCmd struct {
	Code       string `required:"" placeholder:"CODE" help:"Code that the new device shows."`
	Number     string `required:"" placeholder:"NN" help:"Number that it shows."`
	phoneFlags `embed:""`
}

// isNumber is the form of the number.
var isNumber = regexp.MustCompile(`^[0-9]{2}$`)

// Run approves a join.
func (c *PhoneApproveCmd) Run(s *streams) error {
	return c.run(s, func(ctx context.Context, r *phoneRun) error {
		if !isNumber.MatchString(c.Number) {
			return &phoneUsage{errors.New("--number: the new device shows two digits")}
		}
		a, err := r.phone.ReadJoin(ctx, c.Code)
		if err != nil {
			return err
		}
		if err := writeLines(r.err, applicantWords(a)); err != nil {
			return err
		}
		var text string
		id, err := r.phone.Approve(ctx, a, c.Number, func(shown string) error {
			text = shown
			return writeLines(r.err, shown)
		})
		if err != nil {
			return err
		}
		return r.print(&approveReport{true, id, text})
	})
}

// applicantWords says who wants to be let in. What the device says of itself,
// anybody could have written.
func applicantWords(a *client.Applicant) string {
	text := fmt.Sprintf("%s %q wants to be let in", a.Kind, a.Name)
	if a.Platform != "" {
		text += ", " + a.Platform
	}
	if a.Origin != "" {
		text += ", at " + a.Origin
	}
	if a.Place != "" {
		text += ", from " + a.Place
	}
	return text + "."
}

type approveReport struct {
	OK       bool               `json:"ok"`
	Approval account.ApprovalID `json:"approval"`
	Text     string             `json:"text"`
}

func (a *approveReport) words(w io.Writer) error {
	return writeLines(w, "Approved. The new device goes on by itself, and cools off.")
}

// PhoneVetoCmd is `staunch phone veto`.
type PhoneVetoCmd struct {
	Device     string `placeholder:"ID" xor:"what" required:"" help:"The new device; status names it."`
	Pending    string `placeholder:"ID" xor:"what" required:"" help:"What waits, such as a recovery; status names it."`
	phoneFlags `embed:""`
}

// Run removes a device that cools off.
func (c *PhoneVetoCmd) Run(s *streams) error {
	return c.runAnyhow(s, func(ctx context.Context, r *phoneRun) error {
		if c.Pending != "" {
			id := account.PendingID(c.Pending)
			if err := id.Validate(); err != nil {
				return &phoneUsage{fmt.Errorf("--pending: %w", err)}
			}
			state, err := r.phone.VetoPending(ctx, id)
			if err != nil {
				return err
			}
			return r.print(&vetoReport{OK: true, AccountState: state, cancelled: true})
		}
		id := account.DeviceID(c.Device)
		if err := id.Validate(); err != nil {
			return &phoneUsage{fmt.Errorf("--device: %w", err)}
		}
		state, removed, err := r.phone.Veto(ctx, id)
		if err != nil {
			return err
		}
		return r.print(&vetoReport{OK: true, AccountState: state, Removed: known(removed)})
	})
}

type vetoReport struct {
	OK           bool   `json:"ok"`
	AccountState string `json:"account_state"`
	Removed      known  `json:"removed"`

	cancelled bool
}

func (v *vetoReport) words(w io.Writer) error {
	if v.cancelled {
		return writeLines(w, "It is cancelled. If it was not you who had begun it, somebody knows your account: change your recovery PIN.")
	}
	return writeLines(w, "The device is gone, and so is all that it has added. Its sessions have ended.",
		"If somebody could use your other devices or knows your recovery PIN, change that now.")
}
