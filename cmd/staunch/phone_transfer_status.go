package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/staunchid/staunch/client"
)

// PhoneTransferStatusCmd is `staunch phone transfer status`.
type PhoneTransferStatusCmd struct {
	transferFlags `embed:""`
}

// Help is the long text of --help.
func (PhoneTransferStatusCmd) Help() string {
	return `It first does what the phone has left to do, as far as what the other phone has signed allows: signs out, unlocks, forgets keys and history.`
}

// Run settles the home and says how the transfer stands.
func (c *PhoneTransferStatusCmd) Run(s *streams) error {
	return c.standing(s, false, func(ctx context.Context, r *transferRun) (*client.MoveStanding, error) {
		m, err := r.phone.MoveStatus(ctx, &r.moving)
		if err != nil || m.Role != client.RoleNone || m.Account == "" {
			return m, err
		}
		switch _, err = r.phone.Devices(ctx); { // nothing was asked yet
		case errors.Is(err, client.ErrUnreachable):
			return m, nil
		case err != nil:
			return nil, err
		}
		m.Reachable = true
		return m, nil
	})
}

// PhoneTransferCancelCmd is `staunch phone transfer cancel`.
type PhoneTransferCancelCmd struct {
	transferFlags `embed:""`
}

// Help is the long text of --help.
func (PhoneTransferCancelCmd) Help() string {
	return `It works on either phone until the account has moved; afterwards the old one can take it back: see recall.`
}

// Run cancels.
func (c *PhoneTransferCancelCmd) Run(s *streams) error {
	return c.standing(s, false, func(ctx context.Context, r *transferRun) (*client.MoveStanding, error) {
		return r.phone.CancelMove(ctx, &r.moving)
	})
}

// PhoneTransferRecallCmd is `staunch phone transfer recall`.
type PhoneTransferRecallCmd struct {
	transferFlags `embed:""`
	Yes           bool   `help:"Answer the question with yes."`
	Reason        string `default:"asked for on the old phone" help:"Why, in at most 64 bytes: the other devices are told."`
}

// Help is the long text of --help.
func (PhoneTransferRecallCmd) Help() string {
	return `The account comes back to this phone: the new one is removed with all that it has added, and forgets what it was sent. What it has read it has read: that nobody takes back.`
}

// Run recalls.
func (c *PhoneTransferRecallCmd) Run(s *streams) error {
	return c.standing(s, c.Yes, func(ctx context.Context, r *transferRun) (*client.MoveStanding, error) {
		if len(c.Reason) == 0 || len(c.Reason) > 64 {
			return nil, &phoneUsage{errors.New("--reason: 1 to 64 bytes")}
		}
		if err := r.sure(ctx, "Take the account back to this phone? The new one loses it, with everything that it has added."); err != nil {
			return nil, err
		}
		return r.phone.RecallMove(ctx, &r.moving, c.Reason, r.approving)
	})
}

// PhoneTransferFinalizeCmd is `staunch phone transfer finalize`.
type PhoneTransferFinalizeCmd struct {
	transferFlags `embed:""`
	Yes           bool `help:"Answer the question with yes."`
}

// Help is the long text of --help.
func (PhoneTransferFinalizeCmd) Help() string {
	return `On the old phone, for who gives it away: its keys and its history are destroyed, and nobody can take the account back. On the new one only if the phones were beside each other.`
}

// Run ends the time for a recall.
func (c *PhoneTransferFinalizeCmd) Run(s *streams) error {
	return c.standing(s, c.Yes, func(ctx context.Context, r *transferRun) (*client.MoveStanding, error) {
		if err := r.sure(ctx, "End the time in which the old phone can take the account back? Its keys and its history are destroyed."); err != nil {
			return nil, err
		}
		return r.phone.FinalizeMove(ctx, &r.moving, r.approving)
	})
}

// errNo is a question that was answered with no.
var errNo = errors.New("you said no: nothing was changed")

// sure asks whether that is wanted.
func (r *transferRun) sure(ctx context.Context, question string) error {
	ok, err := r.asking.agrees(ctx, question)
	if err == nil && !ok {
		err = errNo
	}
	return err
}

// standing does fn, and prints how the transfer stands then. Status and cancel
// also work beside a program that drives it.
func (f transferFlags) standing(s *streams, yes bool, fn func(ctx context.Context, r *transferRun) (*client.MoveStanding, error)) error {
	return f.guarded(s, func(ctx context.Context, id *string) error {
		h, err := f.enrolledHome()
		if err != nil {
			return err
		}
		return f.with(ctx, s, h, yes, id, func(ctx context.Context, r *transferRun) (err error) {
			lock, err := h.alone()
			switch {
			case errors.Is(err, errBusy):
				r.moving.Beside = true
			case err != nil:
				return err
			default:
				defer func() { err = errors.Join(err, lock.Close()) }()
			}
			m, err := fn(ctx, r)
			if err != nil {
				return err
			}
			r.id = string(m.Transfer)
			if h.file, err = h.read(); err != nil { // what settling has changed
				return err
			}
			return r.stands(m)
		})
	})
}

// stands prints a standing.
func (r *transferRun) stands(m *client.MoveStanding) error {
	f := &r.home.file
	signedIn := f.State.Session != "" && f.Left == nil
	if m.SealingKey == ([32]byte{}) && len(f.SealingKey) > 0 {
		public, err := sealingPublic(f.SealingKey)
		if err != nil {
			return err
		}
		m.SealingKey = sha256.Sum256(public)
	}
	if r.flags.JSON {
		return printLine(r.out, standingJSON(m, signedIn, time.Now()))
	}
	return writeLines(r.out, standingWords(m, signedIn, r.home)...)
}

// standingWords are a standing for people.
func standingWords(m *client.MoveStanding, signedIn bool, h *home) []string {
	if m.Role == client.RoleNone {
		return []string{"There is no transfer on this phone."}
	}
	how := "This phone is the old one"
	if m.Role == client.RoleReceiver {
		how = "This phone is the new one"
	}
	lines := []string{fmt.Sprintf("%s of transfer %s: %s.", how, m.Transfer, stateOfMove(m))}
	if m.Total > 0 && m.State != "final" && m.State != "recalled" && m.State != "aborted" {
		lines = append(lines, fmt.Sprintf("  %s of %s are on the new phone", size(m.Done), size(m.Total)))
	}
	if !m.HeldUntil.IsZero() && m.State == "held" {
		lines = append(lines, "  the new phone may open it from "+inWordsAt(m.HeldUntil)+" on")
	}
	if m.Quarantined > 0 && m.State != "recalled" && m.State != "aborted" {
		lines = append(lines, "  the new phone's app cannot read "+plural(int(m.Quarantined), "record", "records")+": kept aside there")
	}
	switch {
	case m.Role == client.RoleReceiver && !signedIn:
		lines = append(lines, "The account is not on this phone.")
	case h.file.Left == nil: // after a recall it signs in with its next command
		lines = append(lines, "The account is on this phone.")
	case h.file.Left != nil && h.file.Left.Wiped:
		lines = append(lines, "Keys and history of this phone are gone.")
	case h.file.Left != nil:
		lines = append(lines, "This phone is signed out; its keys and its history are locked.")
		if !m.RecallUntil.IsZero() {
			lines = append(lines, "Until "+inWordsAt(m.RecallUntil)+" it can take the account back: staunch phone transfer recall --home "+quoted(h.dir))
		}
	}
	if !m.Reachable {
		lines = append(lines, "The server cannot be reached; this is how it stood when it last could.")
	}
	return lines
}

// stateOfMove names a state for people.
func stateOfMove(m *client.MoveStanding) string {
	words := map[string]string{
		"offered": "the code was not scanned yet", "claimed": "the phones are getting to know each other", "held": "sending; the new phone may not open it yet",
		"streaming": "sending", "sealed": "all is sent", "committed": "the account has moved", "acked": "the account has moved, and the new phone has its keys",
		"final": "done, for good", "recalled": "the account was taken back",
	}
	if m.State == "aborted" {
		return "ended: " + strings.TrimSuffix(endWords(m.Reason), ".")
	}
	if text := words[m.State]; text != "" {
		return text
	}
	return "not known"
}
