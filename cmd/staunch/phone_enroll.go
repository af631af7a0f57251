package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/client"
)

// PhoneEnrollCmd is `staunch phone enroll`.
type PhoneEnrollCmd struct {
	newPhoneFlags `embed:""`
	phoneFlags    `embed:""`
}

// Help is the long text of --help.
func (PhoneEnrollCmd) Help() string {
	return `The phone makes its keys and writes them down before the server hears of them: one that was cut off finds out, run again, what has become of it. The freeze code is printed once; whoever has it can freeze the account, and nothing else.`
}

// Run enrols.
func (c *PhoneEnrollCmd) Run(s *streams) error {
	return c.make(s, &c.newPhoneFlags, client.FlowEnrol, func(ctx context.Context, r *phoneRun, in *client.Enrolment) error {
		e, err := r.phone.Enroll(ctx, in)
		if err != nil {
			return err
		}
		if err := r.finished(e); err != nil {
			return err
		}
		return r.print(r.enrolled(e, in))
	})
}

// make runs fn with a phone that has no account yet, in a folder that nobody else
// makes one in.
func (f phoneFlags) make(s *streams, n *newPhoneFlags, flow string, fn func(context.Context, *phoneRun, *client.Enrolment) error) error {
	return f.guarded(s, func(ctx context.Context) (err error) {
		h := &home{dir: f.Home}
		if err := h.hold(); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, h.release()) }()
		if err := n.begin(h, flow); err != nil {
			return err
		}
		public, err := sealingPublic(h.file.SealingKey)
		if err != nil {
			return err
		}
		in := &client.Enrolment{Name: n.Name, SealingAlg: h.file.SealingAlg, SealingKey: public}
		return f.with(ctx, s, h, func(ctx context.Context, r *phoneRun) error { return fn(ctx, r, in) })
	})
}

// begin makes the file of a phone that has no account. Where the keys of another
// phone were wiped there is room for it.
func (n *newPhoneFlags) begin(h *home, flow string) error {
	if err := n.into(&h.file, flow); err != nil || h.file.Left == nil {
		return err
	}
	anew := h.file
	anew.Left = nil
	return h.update(func(f *homeFile) error {
		*f = anew
		return nil
	})
}

// into puts the flags into the file of a phone that has no account. What was
// begun is finished where it was begun.
func (n *newPhoneFlags) into(f *homeFile, flow string) error {
	switch b := f.State.Began; {
	case f.State.Account != "" && b == nil:
		return client.ErrEnrolled
	case n.Name == "" || utf8.RuneCountInString(n.Name) > 64:
		return &phoneUsage{errors.New("--name: 1 to 64 characters")}
	case b != nil && (b.Flow != flow || f.Server != n.Server || f.Platform != n.Platform):
		command := map[string]string{client.FlowEnrol: "enroll", client.FlowJoin: "join", client.FlowRecover: "recover", client.FlowMove: "transfer receive"}[b.Flow]
		return fmt.Errorf("%w: `staunch phone %s --server %s --platform %s`, which was cut off; run that again, or take another --home", client.ErrUnfinished, command, f.Server, f.Platform)
	}
	if err := checkServer(n.Server); err != nil {
		return err
	}
	app := account.AppID(n.App)
	if app != "" {
		if err := app.Validate(); err != nil {
			return &phoneUsage{fmt.Errorf("--app: %w", err)}
		}
		if f.State.Began == nil {
			f.State.App = app
		}
	}
	f.Server, f.Name, f.Platform = n.Server, n.Name, n.Platform
	if n.Origin != "" {
		f.Origin = n.Origin
	}
	if len(f.SealingKey) == 0 && flow != client.FlowMove { // whose key comes along
		key, err := newSealingKey()
		if err != nil {
			return err
		}
		f.SealingAlg, f.SealingKey = sealingAlg, key
	}
	return nil
}

// finished writes down what a new phone is called and since when it is there.
func (r *phoneRun) finished(e *client.Enrolled) error {
	return r.home.update(func(f *homeFile) error {
		f.Name, f.EnrolledAt = e.Name, e.At
		return nil
	})
}

// enrolledReport is what enroll prints, and join at its end.
type enrolledReport struct {
	OK               bool                  `json:"ok"`
	App              account.AppID         `json:"app"`
	Account          account.ID            `json:"account"`
	Device           account.DeviceID      `json:"device"`
	Credential       account.CredentialRef `json:"credential"`
	Session          account.SessionID     `json:"session"`
	Name             string                `json:"name"`
	Platform         string                `json:"platform"`
	AccountState     string                `json:"account_state"`
	DeviceState      string                `json:"device_state"`
	SealingKeySHA256 string                `json:"sealing_key_sha256"`
	FreezeCode       known                 `json:"freeze_code"`
	EnrolledAt       moment                `json:"enrolled_at"`

	home string
}

func (r *phoneRun) enrolled(e *client.Enrolled, in *client.Enrolment) *enrolledReport {
	return &enrolledReport{
		OK: true, App: r.phone.State().App, Account: e.Account, Device: e.Device, Credential: e.Passkey, Session: e.Session,
		Name: e.Name, Platform: r.home.file.Platform, AccountState: e.AccountState, DeviceState: e.DeviceState,
		SealingKeySHA256: sealingSum(in.SealingKey), FreezeCode: known(e.FreezeCode), EnrolledAt: moment(e.At), home: r.flags.Home,
	}
}

func (e *enrolledReport) words(w io.Writer) error {
	lines := []string{
		fmt.Sprintf("%s is in.", e.Name),
		"",
		"  account  " + string(e.Account),
		"  device   " + string(e.Device),
		"",
	}
	if e.FreezeCode != "" {
		lines = append(lines,
			"Write this down on paper. It is shown only now:",
			"",
			"    freeze code  "+string(e.FreezeCode),
			"",
			"Whoever has it can freeze the account, and do nothing else. You need it when",
			"your phone is gone.",
			"")
	}
	if e.DeviceState == account.Held.String() {
		lines = append(lines,
			"The phone is new and cools off: what matters waits until that is over. The other",
			"devices of the account are told, and an older one can say that it wasn't you.",
			"")
	}
	return writeLines(w, append(lines, "Next: staunch phone status --home "+quoted(e.home))...)
}
