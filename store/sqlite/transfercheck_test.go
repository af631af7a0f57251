package sqlite

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/store"
	"github.com/staunchid/staunch/transfer"
)

// moving gives alice a transfer with two segments, of which one is acked.
func moving(t *testing.T, s *Store) *Store {
	t.Helper()
	ctx := t.Context()
	err := s.Update(ctx, func(tx *Tx) error {
		v := transfer.Transfer{ID: "t_1", Version: 3, State: transfer.Held, Account: alice, SenderDevice: "d_1", Place: "Seoul", CreatedAt: noon, Offer: []byte{1}, HoldShare: make([]byte, 32)}
		v.MAC = v.Seal(rowKey)
		err := errors.Join(tx.AddTransfer(ctx, v), tx.AddSegment(ctx, transfer.Segment{Transfer: "t_1", Revision: 1, Records: 2, Bytes: 10}),
			tx.AddSegment(ctx, transfer.Segment{Transfer: "t_1", Revision: 1, First: 2, Records: 2, Bytes: 20}))
		if err == nil {
			_, err = tx.AckSegments(ctx, "t_1", 1, 2)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestCheckTransfer: what somebody changes past the program in the rows of a
// transfer is found.
func TestCheckTransfer(t *testing.T) {
	tests := []struct {
		name, change string
		kinds        []string
	}{
		{"nothing", ``, nil},
		{"a hold that is over", `UPDATE transfer SET state = 'streaming'`, []string{audit.RowMAC}},
		{"another phone", `UPDATE transfer SET receiver_key = 'k9'`, []string{audit.RowMAC}},
		{"a hold share", `UPDATE transfer SET hold_share = randomblob(32)`, []string{audit.RowMAC}},
		{"a passkey", `UPDATE transfer SET passkey = x'01'`, []string{audit.RowMAC}},
		{"a place that is forgotten", `UPDATE transfer SET place = '', network = ''`, nil},
		{"a segment gone", `DELETE FROM transfer_segment WHERE first = 2`, []string{store.TransferSpace}},
		{"a segment that nobody counted", `INSERT INTO transfer_segment VALUES ('t_2', 1, 0, 1, 5, zeroblob(32), '', 0, 0)`, []string{store.TransferSpace}},
		{"an acked one gone", `DELETE FROM transfer_segment WHERE first = 0`, nil},
		{"an ack undone", `UPDATE transfer_segment SET acked = 0`, []string{store.TransferSpace}},
		{"room that is none", `UPDATE transfer_space SET bytes = 5 WHERE transfer = ''`, []string{store.TransferSpace}},
		{"room of nobody", `INSERT INTO transfer_space VALUES ('t_9', 5)`, []string{store.TransferSpace}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.db")
			s := moving(t, peopled(t, openTest(t, path)))
			if _, err := raw(t, path).Exec(tt.change); err != nil {
				t.Fatal(err)
			}
			report, err := s.CheckBy(t.Context(), func(tx *Tx) (audit.Report, error) {
				return audit.Check(t.Context(), tx.Keyed(rowKey), &audit.CheckOptions{Now: noon})
			})
			if err != nil {
				t.Fatal(err)
			}
			var kinds []string
			for _, p := range report.Problems {
				kinds = append(kinds, p.Kind)
			}
			if kinds = slices.Compact(kinds); !slices.Equal(kinds, tt.kinds) {
				t.Errorf("found %+v, want %q", report.Problems, tt.kinds)
			}
		})
	}
}
