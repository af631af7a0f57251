package transfer

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/event"
	"github.com/staunchid/staunch/transfer/handover"
)

// body is what the audit and an event tell of a transfer: no name, no address, no
// secret.
type body struct {
	Transfer    ID               `json:"transfer"`
	Device      account.DeviceID `json:"device,omitempty"` // C's
	New         account.DeviceID `json:"new,omitempty"`    // N's, once it has one
	Class       handover.Class   `json:"class,omitempty"`
	HoldReasons []string         `json:"hold_reasons,omitempty"`
	Reason      Reason           `json:"reason,omitempty"`
	Revision    uint32           `json:"revision,omitempty"`
	Value       string           `json:"value,omitempty"` // of the transcript, up to the newest message
	Root        string           `json:"root,omitempty"`
	Grant       []byte           `json:"grant,omitempty"`   // the evidence of a move: who gave it,
	Receipt     []byte           `json:"receipt,omitempty"` // and who took it
}

// became lists what has happened to a row since it was read. The names are those of
// audit entries and events.
func (r *row) became() (all []string) {
	if r.State == r.was.State {
		if r.Revision != r.was.Revision {
			all = append(all, "transfer.revised")
		}
		return all
	}
	switch r.State {
	case Aborted:
		if r.Reason == Contended {
			all = append(all, "transfer.contended")
		}
		return append(all, "transfer.aborted")
	case Held:
		return []string{"transfer.confirmed", "transfer.held"}
	case Streaming:
		if r.was.State == Held { // time: nobody acts
			return nil
		}
		return []string{"transfer.confirmed"}
	}
	return []string{"transfer." + string(r.State)}
}

// tell appends what a row has become to audit and outbox.
func (s *Service) tell(ctx context.Context, tx Tx, r *row, by audit.Actor, now time.Time) error {
	all := r.became()
	if len(all) == 0 {
		return nil
	}
	text, err := r.body()
	if err != nil {
		return err
	}
	if r.byTime() {
		by = audit.Actor{Kind: account.System}
	}
	for _, what := range all {
		err := tx.AppendAudit(ctx, audit.Entry{
			Account: r.Account, Time: now, Actor: by, Action: what, Subject: string(r.ID), Reason: string(r.Reason), Detail: text,
		})
		if err != nil {
			return err
		}
		if err := tx.AppendEvent(ctx, event.Event{Type: what, Account: r.Account, Body: text, At: now}); err != nil {
			return err
		}
	}
	return nil
}

// byTime reports whether the clock alone has ended it.
func (r *row) byTime() bool {
	return r.State == Aborted && r.Reason == Expired || r.State == Final && len(r.Final) == 0
}

func (r *row) body() (json.RawMessage, error) {
	b := body{
		Transfer: r.ID, Device: r.SenderDevice, New: r.NewDevice, Class: r.Class, HoldReasons: r.HoldReasons, Reason: r.Reason, Revision: r.Revision,
	}
	value, err := r.newest()
	if err != nil {
		return nil, err
	}
	b.Value = hex.EncodeToString(value[:])
	if len(r.Grant) > 0 {
		g, err := r.grant()
		if err != nil {
			return nil, err
		}
		b.Root = hex.EncodeToString(g.Root[:])
	}
	if r.State == Committed {
		b.Grant, b.Receipt = r.Grant, r.Receipt
	}
	text, err := json.Marshal(b)
	if err != nil {
		return nil, fmt.Errorf("transfer: what is recorded of %s: %w", r.ID, err)
	}
	return text, nil
}

// newest is the value of the transcript up to the newest message in it, recall and
// final included.
func (t *Transfer) newest() (value [32]byte, err error) {
	for _, step := range append(steps(), handover.StepRecall, handover.StepFinal) {
		b := *t.slot(step)
		if len(b) == 0 {
			continue
		}
		e, err := handover.DecodeEnvelope(b)
		if err != nil {
			return value, fmt.Errorf("transfer: the stored %s of %s: %w", step, t.ID, err)
		}
		before := value
		if step == handover.StepRecall || step == handover.StepFinal {
			if before, err = t.Before(step); err != nil {
				return value, err
			}
		}
		value = handover.Value(step, before, e.Message)
	}
	return value, nil
}

// actor is a phone in the record.
func (t *Transfer) actor(by Party) audit.Actor {
	switch {
	case by == Sender:
		return audit.Actor{Kind: account.Phone, ID: string(t.SenderDevice)}
	case by == Receiver && t.NewDevice != "":
		return audit.Actor{Kind: account.Phone, ID: string(t.NewDevice)}
	case by == Receiver:
		return audit.Actor{Kind: account.Phone, ID: t.ReceiverKey}
	}
	return audit.Actor{Kind: account.System}
}
