package integrity

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/event"
)

// deed is what a flow did, gathered while it does it, and told of in one audit
// entry, one event and, where the table of actions says so, one alert.
type deed struct {
	caller  account.Caller
	class   account.Class
	account account.ID
	action  string // "account.freeze", "session.started": of the entry
	subject string
	reason  string
	more    map[string]any // of the entry's detail
	steps   []audit.Step
	rows    map[string]audit.Digest

	event string         // its type; empty: none
	body  map[string]any // of the event, beside account, device, class and method

	alert  string // its kind; empty: none
	device account.DeviceID
	data   map[string]any // of the alert
	now    time.Time
}

func (s *Service) deed(a *actor, action, subject string) *deed {
	return &deed{caller: a.Caller, account: a.Account, action: action, subject: subject, now: a.now, device: a.Device}
}

// stepAccount applies a step to an account, stores it, and notes both.
func (s *Service) stepAccount(ctx context.Context, tx Tx, d *deed, a account.Account, step account.Step) (account.Account, error) {
	next, err := a.Apply(step, d.now)
	if err != nil {
		return a, err
	}
	d.step("account", string(a.ID), step.Name, a.State, next.State)
	d.row(string(a.ID), next.Digest())
	return next, s.putAccount(ctx, tx, next)
}

// stepDevice does the same for a device.
func (s *Service) stepDevice(ctx context.Context, tx Tx, d *deed, dev account.Device, step account.Step) (account.Device, error) {
	next, err := dev.Apply(step, d.now)
	if err != nil {
		return dev, err
	}
	d.step("device", string(dev.ID), step.Name, dev.State, next.State)
	d.row(string(dev.ID), next.Digest())
	return next, s.putDevice(ctx, tx, next)
}

func (d *deed) step(of, id string, name account.StepName, from, to account.State) {
	d.steps = append(d.steps, audit.Step{Of: of, ID: id, Step: string(name), From: from.String(), To: to.String()})
}

// row notes how a row is after the change. The last word on a row counts.
func (d *deed) row(id string, digest [32]byte) {
	if d.rows == nil {
		d.rows = map[string]audit.Digest{}
	}
	d.rows[id] = audit.Digest(digest)
}

// record writes what d tells: entry, event and alert, in the transaction of the
// change. No entry, no action.
func (s *Service) record(ctx context.Context, tx Tx, d *deed) error {
	e, err := d.entry()
	if err != nil {
		return err
	}
	if err := tx.AppendAudit(ctx, e); err != nil {
		return err
	}
	if d.event != "" {
		if err := s.tell(ctx, tx, d); err != nil {
			return err
		}
	}
	if d.alert != "" {
		return s.warn(ctx, tx, d)
	}
	return nil
}

func (d *deed) entry() (audit.Entry, error) {
	e := audit.Entry{
		Account: d.account, Time: d.now, Action: d.action, Subject: d.subject, Reason: d.reason,
		Actor: audit.Actor{Kind: d.caller.Kind, ID: who(d.caller), Session: string(d.caller.Session), Class: d.class.String()},
	}
	rows := d.rows
	if sum, ok := rows[d.subject]; ok { // the subject's own digest is the entry's object
		e.Object = append([]byte(nil), sum[:]...)
		rows = map[string]audit.Digest{}
		for id, sum := range d.rows {
			if id != d.subject {
				rows[id] = sum
			}
		}
	}
	detail := map[string]any{}
	for k, v := range d.more {
		detail[k] = v
	}
	if len(d.steps) > 0 {
		detail["steps"] = d.steps
	}
	if len(rows) > 0 {
		detail["rows"] = rows
	}
	if len(detail) > 0 {
		var err error
		if e.Detail, err = json.Marshal(detail); err != nil {
			return e, fmt.Errorf("integrity: detail of %s: %w", d.action, err)
		}
	}
	return e, nil
}

// who names the actor in an entry: the device, else what the caller is called.
func who(c account.Caller) string {
	if c.Device != "" {
		return string(c.Device)
	}
	return c.Name
}

// tell appends the event. Neither address nor name nor handle is in it.
func (s *Service) tell(ctx context.Context, tx Tx, d *deed) error {
	body := map[string]any{"by": d.caller.Kind}
	for k, v := range d.body {
		body[k] = v
	}
	if d.device != "" {
		body["device"] = d.device
	}
	if c := d.class.String(); c != "" {
		body["class"] = c
	}
	if d.caller.Network != "" {
		body["network"] = d.caller.Network
	}
	if d.reason != "" {
		body["reason"] = d.reason
	}
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("integrity: event %s: %w", d.event, err)
	}
	return tx.AppendEvent(ctx, event.Event{Type: d.event, Account: d.account, Body: text, At: d.now})
}

// warn appends the alert: every device but the cause is told, and none can be
// switched off. An event says that there is one, for the webhook.
func (s *Service) warn(ctx context.Context, tx Tx, d *deed) error {
	data := d.data
	if data == nil {
		data = map[string]any{}
	}
	if d.caller.Place != "" {
		data["place"] = d.caller.Place
	}
	text, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("integrity: alert %s: %w", d.alert, err)
	}
	seq, err := tx.AppendAlert(ctx, AlertRow{
		Account: d.account, Kind: d.alert, Device: d.device, Cause: d.caller.Device, Session: d.caller.Session, Data: text, At: d.now,
	})
	if err != nil {
		return err
	}
	return s.tellAlerted(ctx, tx, d, seq)
}
