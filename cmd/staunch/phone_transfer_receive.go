package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/staunchid/staunch/client"
)

// PhoneTransferReceiveCmd is `staunch phone transfer receive`.
type PhoneTransferReceiveCmd struct {
	transferFlags `embed:""`
	Server        string `placeholder:"URL" help:"Address of the server; needed the first time."`
	Name          string `help:"What its owner calls the phone; by default its platform."`
	Platform      string `default:"android" enum:"android,ios" help:"What it is: ${enum}."`
	App           string `placeholder:"ID" help:"The app, where the server has several."`
	Origin        string `placeholder:"ORIGIN" help:"Origin that the passkey signs for."`
}

// Help is the long text of --help.
func (PhoneTransferReceiveCmd) Help() string {
	return `--home is a new or empty folder, or one whose receive was cut off: then it goes on. It shows a code to scan, in the terminal and as DIR/transfer/qr.png; a code lives for two minutes, and then there is another one. The number that the old phone shows is read from standard input.

It ends when the account is this phone's: its keys are here, and its history is in DIR/history.`
}

// Run receives.
func (c *PhoneTransferReceiveCmd) Run(s *streams) error {
	return c.guarded(s, func(ctx context.Context, id *string) (err error) {
		h := &home{dir: c.Home}
		if err := emptyOrPhone(c.Home); err != nil {
			return err
		}
		if h.file, err = h.read(); err != nil {
			return err
		}
		if h.file.State.Account != "" && h.file.Left == nil { // it may be the end of this very command
			return c.with(ctx, s, h, false, id, c.receive)
		}
		if err := h.hold(); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, h.release()) }()
		n := &newPhoneFlags{Server: c.Server, Name: c.Name, Platform: c.Platform, App: c.App, Origin: c.Origin}
		if n.Server == "" {
			n.Server = h.file.Server
		}
		if n.Server == "" {
			return &phoneUsage{errors.New("--server: a new phone needs the address of the server")}
		}
		if n.Name == "" {
			n.Name = n.Platform
		}
		if len(n.Name) > maxModel {
			return &phoneUsage{fmt.Errorf("--name: %d bytes, and the old phone shows at most %d", len(n.Name), maxModel)}
		}
		if err := n.begin(h, client.FlowMove); err != nil {
			return err
		}
		return c.with(ctx, s, h, false, id, c.receive)
	})
}

// maxModel is how much of its model a phone tells the other one, in bytes.
const maxModel = 64

// receive drives the new phone's half.
func (c *PhoneTransferReceiveCmd) receive(ctx context.Context, r *transferRun) (err error) {
	frugal()
	lock, err := r.home.alone()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dropCode(filepath.Join(r.moving.Dir, qrName)), lock.Close()) }()
	m, err := r.phone.ReceiveMove(ctx, &client.ReceiveOptions{
		Moving: r.moving, Enrolment: client.Enrolment{Name: r.home.file.Name}, Info: softInfo(r.home.file.Name),
		Importer: client.NewFolderImporter(filepath.Join(r.moving.Dir, client.RoleReceiver, stagingName), filepath.Join(r.home.dir, historyName)),
		Number:   r.asking.number,
	})
	if err != nil {
		return err
	}
	if err := r.home.update(func(f *homeFile) error {
		if f.EnrolledAt.IsZero() {
			f.EnrolledAt = time.Now()
		}
		return nil
	}); err != nil {
		return err
	}
	return r.done(m)
}

// done prints the last line of receive and send.
func (r *transferRun) done(m *client.Moved) error {
	r.id = string(m.Transfer)
	r.bar.clear()
	if r.flags.JSON {
		return printLine(r.out, doneJSON(m, time.Now()))
	}
	lines := []string{}
	if m.Role == client.RoleReceiver {
		lines = append(lines, "Done. The account "+string(m.Account)+" is on this phone.", "",
			"  device   "+string(m.Device), fmt.Sprintf("  history  %s in %d files and folders: %s", size(m.Bytes), m.Objects, filepath.Join(r.home.dir, historyName)))
		if m.Quarantined > 0 {
			lines = append(lines, fmt.Sprintf("           the app cannot read %s: %s", plural(int(m.Quarantined), "record", "records"), filepath.Join(r.home.dir, historyName+quarantineSuffix)))
		}
		lines = append(lines, "", "The phone is new and cools off: what matters waits until that is over.", "Next: staunch phone status --home "+quoted(r.flags.Home))
	} else {
		lines = append(lines, "Done. The account "+string(m.Account)+" is on the new phone, which has opened its keys.")
		if m.Quarantined > 0 {
			lines = append(lines, "The new phone's app cannot read "+plural(int(m.Quarantined), "record", "records")+" of it: kept aside there.")
		}
		if !m.RecallUntil.IsZero() {
			lines = append(lines, "This phone can take it back until "+inWordsAt(m.RecallUntil)+"; then it loses its keys:",
				"  staunch phone transfer recall --home "+quoted(r.flags.Home))
		}
	}
	return writeLines(r.out, lines...)
}

// emptyOrPhone refuses a folder that is something else than the home of a phone.
func emptyOrPhone(dir string) error {
	list, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return &phoneUsage{fmt.Errorf("--home: %w", err)}
	}
	other := ""
	for _, e := range list {
		switch e.Name() {
		case phoneName:
			return nil
		case ".lock", transferName: // of a run that was cut off before there was a phone
		default:
			other = e.Name()
		}
	}
	if other != "" {
		return &phoneUsage{fmt.Errorf("--home: there is no phone in %s, but other things, such as %s; take a new folder", dir, other)}
	}
	return nil
}

// softInfo is what a software phone says of itself. It has no model, so it gives
// the name that its owner has chosen: the account will call it so.
func softInfo(name string) client.MoveInfo {
	return client.MoveInfo{Model: name, OS: runtime.GOOS, App: "staunch " + readBuild().Version}
}
