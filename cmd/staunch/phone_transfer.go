package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/staunchid/staunch/client"
)

// PhoneTransferCmd is `staunch phone transfer`.
type PhoneTransferCmd struct {
	Receive  PhoneTransferReceiveCmd  `cmd:"" help:"On the new phone: show a code, and take account, keys and history."`
	Send     PhoneTransferSendCmd     `cmd:"" help:"On the old phone: scan the code, and send them."`
	Status   PhoneTransferStatusCmd   `cmd:"" help:"Say how the move stands, and do what it has left to do here."`
	Cancel   PhoneTransferCancelCmd   `cmd:"" help:"Stop it, on either phone, while the account is still on the old one."`
	Recall   PhoneTransferRecallCmd   `cmd:"" help:"On the old phone: take the account back, while there is time."`
	Finalize PhoneTransferFinalizeCmd `cmd:"" help:"End the time for that at once: the old phone loses its keys."`
}

// Help is the long text of --help.
func (PhoneTransferCmd) Help() string {
	return `An account moves to a new phone, with its keys and its history. Both phones are at hand: the new one shows a code, the old one scans it and shows a number, which is typed on the new one. The old phone stays in charge until the new one has everything; then it is signed out, and can take the account back for some days.

Each command can be stopped or killed at any time: run the same again, and it goes on where it was.

With --json, standard output is one JSON object a line; questions go to standard error in any case.

Exit codes: 0 done, or already so; 1 failed; 2 the command line, the home or the history is wrong; 3 it has ended without a move, or is refused, or too late or too early; 4 there is no transfer in --home, or no phone; 5 interrupted, or the server cannot be reached: nothing is lost, run it again; 6 no room, or too often; 9 a check of the other phone has failed.

Two terminals:
  staunch phone transfer receive --server http://127.0.0.1:8080 --home ~/new
  staunch phone transfer send --home ~/old --scan-image ~/new/transfer/qr.png`
}

// transferFlags are those of every command of a transfer.
type transferFlags struct {
	Home    string        `required:"" placeholder:"DIR" help:"Folder of the phone."`
	JSON    bool          `name:"json" help:"Print a line of JSON for each event."`
	Timeout time.Duration `default:"60s" help:"How long to try while the server cannot be reached (${default})."`
	Host    []string      `placeholder:"NAME" help:"Another name of the server: the first of the app's hosts in its configuration, where the phone asks it under another one."`
}

func (f transferFlags) phone() phoneFlags { return phoneFlags{f.Home, f.JSON, f.Timeout, f.Host} }

// transferRun is one run of a command of a transfer.
type transferRun struct {
	*phoneRun
	asking *asking
	moving client.Moving
	qrPNG  string // as a file; empty: none yet
	bar    *transferBar
	id     string // of the transfer, as far as it was named
	broken error  // of printing: the rest is not worth doing
	stop   context.CancelFunc
}

// guarded does fn until it is done or a signal comes, and tells of a failure.
func (f transferFlags) guarded(s *streams, fn func(ctx context.Context, id *string) error) error {
	id := ""
	if err := f.phone().guardedPlain(func(ctx context.Context) error { return fn(ctx, &id) }); err != nil {
		return transferFailed(s, f.JSON, id, time.Now(), err)
	}
	return nil
}

// with does fn with the phone of a home and its folder for transfers.
func (f transferFlags) with(ctx context.Context, s *streams, h *home, yes bool, id *string, fn func(ctx context.Context, r *transferRun) error) error {
	near, err := proximity()
	if err != nil {
		return err
	}
	return f.phone().with(ctx, s, h, func(ctx context.Context, p *phoneRun) error {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		r := &transferRun{phoneRun: p, asking: newAsking(s, yes), bar: newTransferBar(s.err), stop: stop}
		r.moving = client.Moving{
			Dir: filepath.Join(h.dir, transferName), Home: &movingHome{h, p.soft, time.Now},
			Events: r.happened, NoProximity: !near, Loopback: true,
		}
		err := fn(ctx, r)
		*id = r.id
		r.bar.clear()
		return errors.Join(r.broken, err)
	})
}

// gcPercent collects garbage often: what a transfer keeps in memory is some
// large buffers without pointers, which costs little to look at, and half of the
// memory that a phone may have.
const gcPercent = 20

// frugal keeps the memory of this process small.
func frugal() { debug.SetGCPercent(gcPercent) }

// proximity reports whether the phone looks for the other one in the local
// network.
func proximity() (bool, error) {
	switch how := os.Getenv("STAUNCH_PHONE_PROXIMITY"); how {
	case "", "lan":
		return true, nil
	case "none":
		return false, nil
	default:
		return false, &phoneUsage{fmt.Errorf("STAUNCH_PHONE_PROXIMITY: %q; it is lan or none", how)}
	}
}

// enrolledHome opens the home of a phone that has, or had, an account.
func (f transferFlags) enrolledHome() (*home, error) {
	h, err := openHome(f.Home)
	if err != nil {
		return nil, err
	}
	if h.file.State.Account != "" {
		return h, nil
	}
	if _, err := os.Stat(filepath.Join(f.Home, transferName)); err != nil || h.file.Server == "" {
		return nil, h.notEnrolled()
	}
	return h, nil
}
