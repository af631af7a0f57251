package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/staunchid/staunch/client"
)

// happened prints an event. When that fails, as it does when nobody reads any
// more, the run ends; the next one goes on.
func (r *transferRun) happened(e client.MoveEvent) {
	if e.Transfer != "" {
		r.id = string(e.Transfer)
	}
	err := r.showCode(&e)
	switch {
	case err != nil:
	case r.flags.JSON:
		err = printLine(r.out, eventJSON(&e, r.qrPNG))
	case e.Event == client.EventProgress:
		err = r.bar.show(&e)
	default:
		r.bar.clear()
		err = r.tell(&e)
	}
	if err != nil && r.broken == nil {
		r.broken = err
		r.stop()
	}
}

// showCode keeps the code as a picture while it lives.
func (r *transferRun) showCode(e *client.MoveEvent) error {
	path := filepath.Join(r.moving.Dir, qrName)
	if e.Event != client.EventOffer {
		if e.Event == client.EventProgress {
			return nil
		}
		return dropCode(path)
	}
	q, err := drawCode(e.URI)
	if err != nil {
		return err
	}
	picture, err := q.png()
	if err != nil {
		return err
	}
	if err := writeWhole(path, picture); err != nil { // mode 0600: who has it can pose as the old phone
		return err
	}
	r.qrPNG = path
	return nil
}

func dropCode(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// tell prints an event for people.
func (r *transferRun) tell(e *client.MoveEvent) error {
	switch e.Event {
	case client.EventOffer:
		return r.tellOffer(e)
	case client.EventNumber:
		return writeLines(r.out, "", "Type this number on the new phone:", "", "    "+e.Number[:3]+" "+e.Number[3:], "")
	case client.EventSignedOut:
		lines := []string{"This phone is signed out. Its keys and its history are locked, and kept for a while."}
		if !e.RecallUntil.IsZero() {
			lines = append(lines, "If that wasn't you, or the new phone does not work: until "+inWordsAt(e.RecallUntil)+" take the account back with",
				"  staunch phone transfer recall --home "+quoted(r.flags.Home))
		}
		return writeLines(r.out, lines...)
	}
	if text := eventWords(e); text != "" {
		return writeLines(r.out, text)
	}
	return nil
}

func (r *transferRun) tellOffer(e *client.MoveEvent) error {
	if err := writeLines(r.out, "Scan this with the phone that has the account:", ""); err != nil {
		return err
	}
	q, err := drawCode(e.URI)
	if err != nil {
		return err
	}
	if err := q.halfBlocks(r.out, bool(colours(r.out))); err != nil {
		return err
	}
	return writeLines(r.out, "",
		"or run there, in its folder:", "",
		"  staunch phone transfer send --home ITS_FOLDER --scan-image "+quoted(r.qrPNG), "",
		"or give it the text, which nobody else may see:", "",
		"  "+e.URI, "",
		"It is good until "+inWordsAt(e.Expires)+"; then there is another one.",
		"Ctrl-C stops; run the same again to go on.", "")
}

// eventWords are the events that fit into a line.
func eventWords(e *client.MoveEvent) string {
	switch e.Event {
	case client.EventClaimed:
		return fmt.Sprintf("Scanned by %s (%s, %s). Look: is this your old phone?", printable(e.Label), printable(e.Info.Model), printable(e.Info.OS))
	case client.EventNumberWrong:
		return fmt.Sprintf("This is not the number that the old phone shows. Tries left: %d.", e.TriesLeft)
	case client.EventMatched:
		return "The numbers match."
	case client.EventConfirmed:
		return fmt.Sprintf("Confirmed. About %s will come.", size(e.Bytes))
	case client.EventHeld:
		return fmt.Sprintf("The new phone may open the history from %s on (%s). Until then all devices of the account can cancel it; what is there is sent meanwhile.", inWordsAt(e.Until), strings.Join(reasonWords(e.Reasons), ", "))
	case client.EventResumed:
		return "Going on where it was: " + size(e.Done) + " are there."
	case client.EventRestarted:
		return "What is sent has changed, so it begins anew: " + printable(e.Reason) + "."
	case client.EventRetry:
		return fmt.Sprintf("Trying again in %s: %s.", e.After.Round(100*time.Millisecond), printable(e.Reason))
	case client.EventQuarantined:
		where := printable(e.Path)
		if e.Line > 0 {
			where += fmt.Sprintf(", line %d", e.Line)
		}
		return "Kept aside, since the app cannot read it: " + where + ": " + printable(e.Reason) + "."
	case client.EventSealed:
		return fmt.Sprintf("Everything is there: %s in %d files and folders.", size(e.Bytes), e.Objects)
	case client.EventCommitted:
		return "The account " + string(e.Account) + " has moved."
	}
	return ""
}

// reasonWords says why there is a hold.
func reasonWords(reasons []string) []string {
	words := map[string]string{
		"class": "the phones did not find each other nearby", "new_country": "the new phone is in another country, or in an unknown one", "new_network": "the new phone is in another network",
		"recent_recovery": "the account was recovered lately", "recent_credential_change": "a passkey was added or removed lately", "device_warning": "there are warnings about a phone",
	}
	out := make([]string, len(reasons))
	for i, r := range reasons {
		out[i] = words[r]
		if out[i] == "" {
			out[i] = printable(r)
		}
	}
	return out
}
