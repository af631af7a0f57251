package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/client"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/transfer/handover"
)

// PhoneTransferSendCmd is `staunch phone transfer send`.
type PhoneTransferSendCmd struct {
	transferFlags `embed:""`
	Scan          string   `placeholder:"URI" xor:"scan" help:"The text of the code that the new phone shows."`
	ScanImage     string   `placeholder:"PNG" xor:"scan" help:"A picture of it: the new phone's transfer/qr.png, or a screenshot of its terminal."`
	History       []string `placeholder:"FILE|DIR" sep:"none" help:"What goes along, under its base name; may be given several times. By default the content of DIR/history."`
	Yes           bool     `help:"Answer every question with yes."`
}

// Help is the long text of --help.
func (PhoneTransferSendCmd) Help() string {
	return `It shows which phone the code is of, asks whether the account is to move there, and shows a number, to be typed on that phone. Nothing is sent before. A command that was cut off goes on when it is run again, with the same history; neither the code nor --history is wanted again.

Example: staunch phone transfer send --home ~/old --scan-image ~/new/transfer/qr.png`
}

// Run sends.
func (c *PhoneTransferSendCmd) Run(s *streams) error {
	return c.guarded(s, func(ctx context.Context, id *string) error {
		h, err := c.enrolledHome()
		if err != nil {
			return err
		}
		uri, err := c.code()
		if err != nil {
			return err
		}
		return c.with(ctx, s, h, c.Yes, id, func(ctx context.Context, r *transferRun) error { return c.send(ctx, r, uri) })
	})
}

// code is what was scanned; empty: nothing.
func (c *PhoneTransferSendCmd) code() (uri string, err error) {
	flag := "--scan"
	switch {
	case c.ScanImage != "":
		flag = "--scan-image"
		uri, err = scanFile(c.ScanImage)
	case c.Scan != "":
		uri = strings.TrimSpace(c.Scan)
	default:
		return "", nil
	}
	if err == nil {
		_, err = handover.ParseCode(uri)
	}
	switch {
	case errors.Is(err, handover.ErrVersion):
		err = errors.New("the new phone's app is newer than this one: update this one")
	case errors.Is(err, handover.ErrMalformed):
		err = errors.New("this is no code of a new phone")
	}
	if err != nil {
		return "", &phoneUsage{fmt.Errorf("%s: %w", flag, err)}
	}
	return uri, nil
}

// send drives the old phone's half.
func (c *PhoneTransferSendCmd) send(ctx context.Context, r *transferRun, uri string) (err error) {
	frugal()
	lock, err := r.home.alone()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	o, resume := &client.FolderSourceOptions{Items: c.History}, (func(string) (client.Source, error))(nil)
	if len(c.History) == 0 {
		o.Dir = filepath.Join(r.home.dir, historyName)
		resume = func(name string) (client.Source, error) { return client.ReopenFolderSource(name) }
	}
	source, err := client.NewFolderSource(o)
	if err != nil {
		return err
	}
	judge, err := softJudge(string(r.phone.State().App))
	if err != nil {
		return err
	}
	m, err := r.phone.SendMove(ctx, &client.SendOptions{
		Moving: r.moving, URI: uri, Judge: judge, Source: source, Resume: resume, Name: shortened(r.home.file.Name), Info: softInfo(shortened(r.home.file.Name)),
		LeastRecall: client.NoLeastRecall, // of a server to try things with it is minutes
		Ask: func(ctx context.Context, p *client.Peer) (bool, error) {
			return r.asking.agrees(ctx, movingQuestion(p))
		},
		Show: r.approving,
	})
	if errors.Is(err, client.ErrNoMove) && uri == "" {
		return &phoneUsage{errors.New("--scan or --scan-image: no transfer is under way here, so the code is wanted that the new phone shows")}
	}
	if errors.Is(err, client.ErrMoveOther) && uri == "" && len(c.History) > 0 {
		return fmt.Errorf("%w; without --history it goes on with what it was begun with", err)
	}
	if err != nil {
		return err
	}
	return r.done(m)
}

// shortened is a name of which no more is left than a phone tells the other one.
func shortened(name string) string {
	for i := range name {
		if i+utf8.UTFMax > maxModel && len(name) > maxModel {
			return name[:i]
		}
	}
	return name
}

// softJudge judges other phones as the app of software phones does: they are of
// the test roots, and none of them was revoked.
func softJudge(app string) (handover.Judge, error) {
	var file attest.PolicyFile
	if err := config.Decode([]byte(attesttest.DemoPolicy()), &file); err != nil {
		return handover.Judge{}, err
	}
	file.App[0].ID = app
	for i := range file.Rollout {
		file.Rollout[i].App = app
	}
	policy, err := attest.NewPolicy(&file)
	if err != nil {
		return handover.Judge{}, err
	}
	return handover.Judge{Policy: policy, App: app, Status: android.NewStatusList("", nil, 0, nil)}, nil
}
