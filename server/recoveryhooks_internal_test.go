package server

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/event"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/store/sqlite"
)

// TestBesideFlows: the flows learn how a transaction of pillar recovery has ended,
// and for whom they have appended alerts in it.
func TestBesideFlows(t *testing.T) {
	s, err := sqlite.Open(t.Context(), &sqlite.Options{Path: filepath.Join(t.TempDir(), "demo.db"), App: "demo"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	id, broken := account.NewID(), errors.New("broken")
	var got error
	var all told
	update := overStore(s.Update, func(_ context.Context, err error, t *told) { got, all = err, *t }, func(tx *tellingTx) recovery.Tx { return tx })
	for _, tt := range []struct {
		name string
		err  error
	}{{"committed", nil}, {"undone", broken}} {
		err := update(t.Context(), func(tx recovery.Tx) error {
			err := within(tx, func(tx integrity.Tx) error {
				_, err := tx.AppendAlert(t.Context(), integrity.AlertRow{Account: id, Kind: "recovery.attempt", Data: json.RawMessage(`{}`), At: time.Unix(1, 0)})
				return errors.Join(err, tx.AppendEvent(t.Context(), event.Event{Type: "recovery.attempt", Account: id, Body: []byte(`{}`), At: time.Unix(1, 0)}))
			})
			return errors.Join(err, tt.err)
		})
		if !errors.Is(err, tt.err) || !errors.Is(got, tt.err) || !slices.Equal(all.alerted, []account.ID{id}) || !slices.Equal(all.events, []string{"recovery.attempt"}) {
			t.Errorf("%s: %v; the flows learn %v and %v", tt.name, err, got, all)
		}
	}
	if err := update(t.Context(), func(recovery.Tx) error { return nil }); err != nil || len(all.alerted)+len(all.events) != 0 {
		t.Errorf("%v, alerts of the time before: %v", err, all)
	}
	if err := within(nil, nil); !errors.Is(err, errForeignTx) {
		t.Errorf("a transaction that is none of the store: %v", err)
	}
	if err := (&recoveryHooks{}).within(nil, nil); !errors.Is(err, errForeignTx) {
		t.Errorf("a transaction that is none of the store: %v", err)
	}
}
