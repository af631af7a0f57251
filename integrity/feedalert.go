package integrity

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/event"
)

// tellAlerted puts into the outbox that there is an alert, by its number and
// kind. Its text and names stay where they are: events have none.
func (s *Service) tellAlerted(ctx context.Context, tx Tx, d *deed, seq uint64) error {
	body, err := json.Marshal(struct {
		Seq    uint64           `json:"seq"`
		Kind   string           `json:"kind"`
		Device account.DeviceID `json:"device,omitempty"`
	}{seq, d.alert, d.device})
	if err != nil {
		return fmt.Errorf("integrity: event of alert %d: %w", seq, err)
	}
	return tx.AppendEvent(ctx, event.Event{Type: "account.alerted", Account: d.account, Body: body, At: d.now})
}

// AlertForBackend gives an alert as the app's backend gets it by its webhook, so
// that it can push it: whose devices are told but for the cause, and the text for
// people. nil: it was deleted. It is for who delivers, and asks nobody who he is.
func (s *Service) AlertForBackend(ctx context.Context, id account.ID, seq uint64) (json.RawMessage, error) {
	var all []AlertRow
	err := s.look(ctx, func(tx Tx) (err error) {
		all, err = tx.Alerts(ctx, id, seq-1, 1)
		return err
	})
	if err != nil || len(all) == 0 || all[0].Seq != seq {
		return nil, err
	}
	a := all[0]
	return json.Marshal(struct {
		Seq    uint64           `json:"seq"`
		Kind   string           `json:"kind"`
		Device account.DeviceID `json:"device,omitempty"` // that it is about
		Cause  account.DeviceID `json:"cause,omitempty"`  // that need not be told
		Text   string           `json:"text"`
		Data   json.RawMessage  `json:"data"`
		At     time.Time        `json:"at"`
	}{a.Seq, a.Kind, a.Device, a.Cause, s.AlertText(a), a.Data, a.At.UTC()})
}
