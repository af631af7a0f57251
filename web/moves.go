package web

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/transfer"
)

// moves lists the moves of the account to a new phone that can still be stopped or
// taken back. A server without pillar transfer has none.
func (c *call) moves(o account.Caller) ([]*transfer.View, error) {
	all, err := c.service.Moves(c.r.Context(), o)
	if errors.Is(err, integrity.ErrNoMoves) {
		return nil, nil
	}
	return all, err
}

// cancelMove ends a move. Both phones are told that it was ended elsewhere.
func (c *call) cancelMove() (any, error) {
	var in about
	if err := c.read(&in); err != nil {
		return nil, err
	}
	id, err := checked[account.TransferID](in.Move)
	if err != nil {
		return nil, err
	}
	o, err := c.owner()
	if err != nil {
		return nil, err
	}
	// Without a token of either phone: as a session of the account.
	if _, err := c.service.CancelMove(c.r.Context(), o, id, [32]byte{}, transfer.CancelledElsewhere); err != nil {
		return nil, err
	}
	return changed{Said: "The move is cancelled. Your account stays on your old phone."}, nil
}

// showMoves puts the moves into words. A move that is done says itself that its old
// phone is leaving, so that phone's own notice goes.
func (v *stateView) showMoves(all []*transfer.View, st *integrity.Status) {
	old := ""
	for _, d := range st.Rest.OthersHeld {
		if leftByMove(d.Hold) {
			old = d.Name
		}
	}
	for _, m := range all {
		v.Moves = append(v.Moves, moveOf(m, st.AccountState, old))
	}
	if slices.ContainsFunc(all, moved) {
		v.Holds = slices.DeleteFunc(v.Holds, func(h holdView) bool { return h.Moved })
	}
}

// leftByMove reports whether a device holds no account any more because a move has
// taken it: only such a hold has no end of its own.
func leftByMove(h account.Hold) bool {
	return h.Reason == account.HoldLeaving && h.Until.IsZero() && h.Left == 0
}

// moved reports whether the account is the new phone's.
func moved(m *transfer.View) bool { return m.State == transfer.Committed || m.State == transfer.Acked }

// moveOf is a move as the owner reads it. old is the name of the phone that leaves.
func moveOf(m *transfer.View, state account.State, old string) moveView {
	v := moveView{ID: string(m.ID), Phone: m.Peer, Place: m.Place, Begun: m.CreatedAt, MayCancel: !moved(m)}
	if old == "" {
		old = "Your old phone"
	}
	until := func(t time.Time, clock string) { v.Until, v.Clock, v.Seconds = t, clock, seconds(t, m.At) }
	switch m.State {
	case transfer.Claimed:
		v.Title, v.Text = "Your account is about to move to a new phone", "Your phone has scanned its code. Nothing has been sent yet."
	case transfer.Held:
		v.Title = "A move to a new phone is waiting"
		v.Text = "Until then nothing can be opened there, and then you confirm once more on your old phone. " + heldFor(m.HoldReasons)
		until(m.Opens, "Opens in")
	case transfer.Streaming:
		v.Title = "Your account is moving to a new phone"
		v.Text = "Your history is on its way. The account stays on your old phone until all of it has arrived."
	case transfer.Sealed:
		v.Title = "Your account is moving to a new phone"
		v.Text = "Everything is sent. The account moves as soon as the new phone has checked it."
	case transfer.Committed:
		v.Title = "Your account has moved to a new phone"
		v.Text = old + " is signed out. It can take the account back, for some days after the new phone has opened your keys."
	case transfer.Acked:
		v.Title = "Your account has moved to a new phone"
		if state != account.Active || !m.RecallUntil.After(m.At) { // a freeze stops that clock
			v.Text = old + " is signed out. It can take the account back, and the time for that stands still while something is frozen."
			break
		}
		v.Text = old + " is signed out. Until then it can take the account back."
		until(m.RecallUntil, "Ends in")
	}
	return v
}

// heldFor says why a move waits.
func heldFor(reasons []string) string {
	words := []string{}
	for _, r := range reasons {
		switch r {
		case "class":
			words = append(words, "the two phones did not find each other nearby")
		case "new_country":
			words = append(words, "the new phone is in another country, or in an unknown one")
		case "new_network":
			words = append(words, "the new phone is in a network where you were not before")
		case "recent_recovery":
			words = append(words, "your account was recovered lately")
		case "recent_credential_change":
			words = append(words, "a passkey was added or removed lately")
		case "device_warning":
			words = append(words, "something is unusual about one of the phones")
		}
	}
	if len(words) == 0 {
		return "It waits for your safety."
	}
	return "It waits because " + strings.Join(words, ", and because ") + "."
}
