package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/staunchid/staunch/client"
)

// PhoneCmd is `staunch phone`: a phone in the terminal, with everything that a
// real one does, for trying out and testing a server that trusts software
// phones.
type PhoneCmd struct {
	Enroll        PhoneEnrollCmd        `cmd:"" help:"Make an account, with this phone as its first device."`
	Status        PhoneStatusCmd        `cmd:"" help:"Say how device and account stand, and what to do next."`
	Devices       PhoneDevicesCmd       `cmd:"" help:"List the account's devices and browsers."`
	Freeze        PhoneFreezeCmd        `cmd:"" help:"Stop the account: nothing that matters can be done until it is unfrozen."`
	Unfreeze      PhoneUnfreezeCmd      `cmd:"" help:"Unfreeze the account."`
	SignOutOthers PhoneSignOutOthersCmd `cmd:"" help:"End all sessions but this phone's."`
	Join          PhoneJoinCmd          `cmd:"" help:"Bring this phone into an account that another device has."`
	Approve       PhoneApproveCmd       `cmd:"" help:"Let a new device in, by the code and the number that it shows."`
	Alerts        PhoneAlertsCmd        `cmd:"" help:"Read what has happened to the account, or wait for it."`
	Backup        PhoneBackupCmd        `cmd:"" help:"Set a PIN that brings the sealing key back, or bring what it brings back up to date."`
	PIN           PhonePINCmd           `cmd:"" name:"pin" help:"Change the PIN."`
	Recover       PhoneRecoverCmd       `cmd:"" help:"The old phone is gone: get account and sealing keys back with the PIN."`
	Transfer      PhoneTransferCmd      `cmd:"" help:"Move the account to a new phone, with keys and history."`
	Reattest      PhoneReattestCmd      `cmd:"" help:"Make a new device key: the evidence is old, or the key was revoked."`
	Veto          PhoneVetoCmd          `cmd:"" help:"This wasn't me: remove a new device that cools off."`
}

// Help is the long text of --help.
func (PhoneCmd) Help() string {
	return `A phone lives in the folder --home: keys, server and session are in phone.json there, which nobody else may read. Its evidence comes from the test roots, whose keys are public, so the server must trust these, as "staunch dev" does. It signs in and steps up by itself when a command needs that; the person is always there and says yes.

With --json, standard output is one line with one JSON object, on failure too; join and alerts --follow print several, and transfer one for each event.

Exit codes: 0 done, or already so; 1 failed; 2 the command line is wrong; 3 refused; 4 there is no phone in --home, or the server does not know it; 5 the server cannot be reached, or interrupted: nothing is lost, run it again; 6 too often; 7 wrong PIN; 8 PIN locked; 9 a cryptographic check failed.

Examples:
  staunch phone enroll --server http://127.0.0.1:8080 --home ~/phone --name Pixel
  staunch phone status --home ~/phone
  staunch phone freeze --home ~/phone`
}

// phoneFlags are those of every command.
type phoneFlags struct {
	Home    string        `required:"" placeholder:"DIR" help:"Folder of the phone."`
	JSON    bool          `name:"json" help:"Print one line of JSON."`
	Timeout time.Duration `default:"30s" help:"How long to try while the server cannot be reached (${default})."`
	hosts   []string      // other names of the server; only a move needs them
}

// newPhoneFlags are those of commands that make a phone.
type newPhoneFlags struct {
	Server   string `required:"" placeholder:"URL" help:"Address of the server."`
	Name     string `required:"" help:"What its owner calls the phone."`
	Platform string `default:"android" enum:"android,ios" help:"What it is: ${enum}."`
	App      string `placeholder:"ID" help:"The app, where the server has several."`
	Origin   string `placeholder:"ORIGIN" help:"Origin that the passkey signs for; by default https:// and the RP ID, and for localhost http:// with the server's port."`
}

// phoneRun is one run of a command.
type phoneRun struct {
	*streams
	flags phoneFlags
	home  *home
	phone *client.Phone
	soft  *softPhone
}

// report is what a command prints: as JSON, or in words.
type phoneReport interface{ words(w io.Writer) error }

// run does fn with the phone in --home, and prints what became of it. A phone
// whose account has moved to another one is refused.
func (f phoneFlags) run(s *streams, fn func(ctx context.Context, r *phoneRun) error) error {
	return f.runAnyhow(s, func(ctx context.Context, r *phoneRun) error {
		if err := r.home.stays(); err != nil {
			return err
		}
		return fn(ctx, r)
	})
}

// runAnyhow is run for what such a phone can do, too: look, freeze and veto.
func (f phoneFlags) runAnyhow(s *streams, fn func(ctx context.Context, r *phoneRun) error) error {
	return f.guarded(s, func(ctx context.Context) error {
		h, err := openHome(f.Home)
		if err != nil {
			return err
		}
		if h.file.State.Account == "" {
			return h.notEnrolled()
		}
		return f.takenBack(ctx, s, h, f.with(ctx, s, h, fn))
	})
}

// with makes the phone of a home.
func (f phoneFlags) with(ctx context.Context, s *streams, h *home, fn func(ctx context.Context, r *phoneRun) error) error {
	soft, err := newSoftPhone(h)
	if err != nil {
		return err
	}
	o := &client.PhoneOptions{
		URL: h.file.Server, Hosts: f.hosts, Hardware: soft, Passkeys: soft, State: h.file.State, Keep: soft.keep, Patience: f.Timeout,
	}
	if soft.key != nil {
		o.Key = soft.key
	}
	if soft.next != nil {
		o.NextKey = soft.next
	}
	p, err := client.NewPhone(o)
	if err != nil {
		return &phoneUsage{err}
	}
	defer p.Close()
	return fn(ctx, &phoneRun{streams: s, flags: f, home: h, phone: p, soft: soft})
}

// guarded does fn until it is done or a signal comes, and tells of a failure in
// the form that was asked for.
func (f phoneFlags) guarded(s *streams, fn func(ctx context.Context) error) error {
	if err := f.guardedPlain(fn); err != nil {
		return phoneFailed(s, f.JSON, err)
	}
	return nil
}

// guardedPlain does fn until it is done or a signal comes.
func (f phoneFlags) guardedPlain(fn func(ctx context.Context) error) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if f.Timeout <= 0 {
		return &phoneUsage{errors.New("--timeout: write a time, such as 30s")}
	}
	err := fn(ctx)
	if err != nil && ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return errInterrupted
	}
	return err
}

// print prints a report.
func (r *phoneRun) print(p phoneReport) error {
	if !r.flags.JSON {
		return p.words(r.out)
	}
	return printLine(r.out, p)
}

// printLine prints v as one line of JSON.
func printLine(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// moment is a time as it is printed: RFC 3339 in UTC with milliseconds, and null
// for none.
type moment time.Time

func (m moment) MarshalJSON() ([]byte, error) {
	if time.Time(m).IsZero() {
		return []byte("null"), nil
	}
	return []byte(`"` + m.String() + `"`), nil
}

func (m moment) String() string {
	return time.Time(m).UTC().Format("2006-01-02T15:04:05.000Z")
}

// when is a time of the server's answer, and none where it has none.
func when(t interface {
	AsTime() time.Time
	IsValid() bool
}) moment {
	if !t.IsValid() {
		return moment{}
	}
	return moment(t.AsTime())
}

// inWords is the time for people, in their own zone.
func (m moment) inWords() string { return inWordsAt(time.Time(m)) }

// known is a text, and null for the empty one.
type known string

func (k known) MarshalJSON() ([]byte, error) {
	if k == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(k))
}

// inWordsAt is a time for people.
func inWordsAt(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }

// isPhone reports whether a command line that could not be parsed was one of a
// phone's, and asked for JSON.
func isPhone(args []string) bool {
	end := slices.Index(args, "--")
	if end < 0 {
		end = len(args)
	}
	return len(args) > 0 && args[0] == "phone" && slices.Contains(args[:end], "--json")
}

// writeLines prints lines, each with its own arguments.
func writeLines(w io.Writer, lines ...string) error {
	for _, l := range lines {
		if _, err := fmt.Fprintln(w, l); err != nil {
			return err
		}
	}
	return nil
}
