package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/staunchid/staunch/account"
)

// PhoneFreezeCmd is `staunch phone freeze`.
type PhoneFreezeCmd struct {
	phoneFlags `embed:""`
}

// Run freezes the account.
func (c *PhoneFreezeCmd) Run(s *streams) error {
	return c.runAnyhow(s, func(ctx context.Context, r *phoneRun) error {
		state, changed, err := r.phone.Freeze(ctx)
		if err != nil {
			return err
		}
		return r.print(&freezeReport{true, state, changed, r.flags.Home})
	})
}

type freezeReport struct {
	OK           bool   `json:"ok"`
	AccountState string `json:"account_state"`
	Changed      bool   `json:"changed"`

	home string
}

func (f *freezeReport) words(w io.Writer) error {
	first := "The account is frozen. Browsers are signed out, and nothing that matters can be done."
	if !f.Changed {
		first = "The account was frozen already."
	}
	return writeLines(w, first, "Next: staunch phone unfreeze --home "+quoted(f.home))
}

// PhoneUnfreezeCmd is `staunch phone unfreeze`.
type PhoneUnfreezeCmd struct {
	phoneFlags `embed:""`
}

// Help is the long text of --help.
func (PhoneUnfreezeCmd) Help() string {
	return `It is done at once on a phone that was there before the freeze. A new one, which cools off, begins a wait; any other device can cancel it.`
}

// Run unfreezes the account, or begins the wait for it.
func (c *PhoneUnfreezeCmd) Run(s *streams) error {
	return c.run(s, func(ctx context.Context, r *phoneRun) error {
		t, err := r.phone.Unfreeze(ctx)
		if err != nil {
			return err
		}
		return r.print(&unfreezeReport{true, t.State, t.Changed, moment(t.OpensAt)})
	})
}

type unfreezeReport struct {
	OK           bool   `json:"ok"`
	AccountState string `json:"account_state"`
	Changed      bool   `json:"changed"`
	OpensAt      moment `json:"opens_at"`
}

func (u *unfreezeReport) words(w io.Writer) error {
	switch {
	case !time.Time(u.OpensAt).IsZero():
		return writeLines(w, fmt.Sprintf("The account is still frozen, and unfreezes by itself at %s. An older device can do it at once.", u.OpensAt.inWords()))
	case !u.Changed:
		return writeLines(w, "The account is not frozen.")
	case u.AccountState == account.Held.String():
		return writeLines(w, "The account is not frozen any more. It still cools off.")
	}
	return writeLines(w, "The account is not frozen any more.")
}

// PhoneSignOutOthersCmd is `staunch phone sign-out-others`.
type PhoneSignOutOthersCmd struct {
	phoneFlags `embed:""`
}

// Run ends all other sessions.
func (c *PhoneSignOutOthersCmd) Run(s *streams) error {
	return c.run(s, func(ctx context.Context, r *phoneRun) error {
		kept, ended, err := r.phone.SignOutOthers(ctx)
		if err != nil {
			return err
		}
		out := &signedOutReport{OK: true, Kept: known(kept)}
		out.Ended.Sessions, out.Ended.Ceremonies = ended.GetSessions(), ended.GetCeremonies()
		out.Ended.Approvals, out.Ended.Joins = ended.GetApprovals(), ended.GetJoins()
		return r.print(out)
	})
}

type signedOutReport struct {
	OK    bool  `json:"ok"`
	Kept  known `json:"kept"`
	Ended struct {
		Sessions   int32 `json:"sessions"`
		Ceremonies int32 `json:"ceremonies"`
		Approvals  int32 `json:"approvals"`
		Joins      int32 `json:"joins"`
	} `json:"ended"`
}

func (o *signedOutReport) words(w io.Writer) error {
	return writeLines(w,
		fmt.Sprintf("Signed out everywhere else: %d sessions have ended, and %d things that were begun there.", o.Ended.Sessions, o.Ended.Ceremonies+o.Ended.Approvals+o.Ended.Joins),
		"Other phones of the account stay enrolled. To remove one, freeze it, or remove it on the account's pages.")
}
