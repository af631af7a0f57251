package recovery_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest"
	"github.com/staunchid/staunch/store/storetest"
)

// edited is a store whose receipts somebody has edited.
type edited struct {
	recovery.ReceiptsTx
	edit func([]recovery.ReceiptRow) []recovery.ReceiptRow
}

func (e edited) Receipts(ctx context.Context, after uint64, limit int) ([]recovery.ReceiptRow, error) {
	rows, err := e.ReceiptsTx.Receipts(ctx, 0, 1000)
	rows = e.edit(rows)
	rows = slices.DeleteFunc(rows, func(r recovery.ReceiptRow) bool { return r.Seq <= after })
	return rows[:min(len(rows), limit)], err
}

// covering are the batches in the audit record.
func (b *backend) covering() (all []recovery.ReceiptBatch) {
	b.Helper()
	b.do(func(tx storetest.Tx) error {
		return tx.AppAuditEntries(b.Context(), 1, func(e audit.Entry) error {
			if e.Action != "recovery.receipts" {
				return nil
			}
			var one recovery.ReceiptBatch
			err := json.Unmarshal(e.Detail, &one)
			all = append(all, one)
			return err
		})
	})
	return all
}

// TestReceiptsRecorded: the audit record covers each receipt once, and a check sees
// when one that it covers is not as it was.
func TestReceiptsRecorded(t *testing.T) {
	b, _, h := backedUp(t, recoverytest.Options{})
	h.must(recovery.TestingOnlyRecord(t.Context(), b.Service))
	first := b.covering()
	if len(first) != 1 || first[0].After != 0 || first[0].Count < 3 || first[0].Last < 3 { // one at each vault
		t.Fatalf("%+v", first)
	}
	h.must(recovery.TestingOnlyRecord(t.Context(), b.Service))
	if got := b.covering(); len(got) != 1 {
		t.Errorf("nothing is new, and was recorded: %+v", got)
	}
	h.wrong("000000", 9)
	h.must(recovery.TestingOnlyRecord(t.Context(), b.Service))
	got := b.covering()
	if len(got) != 2 || got[1].After != first[0].Last || got[1].Count == 0 {
		t.Fatalf("%+v", got)
	}
	check := func(edit func([]recovery.ReceiptRow) []recovery.ReceiptRow, now time.Time) (problems []audit.Problem) {
		t.Helper()
		b.do(func(tx storetest.Tx) (err error) {
			problems, err = recovery.CheckReceipts(t.Context(), edited{tx, edit}, now)
			return err
		})
		return problems
	}
	as := func(rows []recovery.ReceiptRow) []recovery.ReceiptRow { return rows }
	if all := check(as, b.now()); len(all) != 0 {
		t.Errorf("nothing was changed: %+v", all)
	}
	last := func(rows []recovery.ReceiptRow) *recovery.ReceiptRow { return &rows[len(rows)-1] }
	for name, edit := range map[string]func([]recovery.ReceiptRow) []recovery.ReceiptRow{
		"one is taken away": func(rows []recovery.ReceiptRow) []recovery.ReceiptRow { return rows[1:] },
		"the last ones are": func(rows []recovery.ReceiptRow) []recovery.ReceiptRow { return rows[:int(first[0].Last)] },
		"all of them are":   func([]recovery.ReceiptRow) []recovery.ReceiptRow { return nil },
		"one is another one": func(rows []recovery.ReceiptRow) []recovery.ReceiptRow {
			last(rows).Signed = rows[0].Signed
			return rows
		},
		"one comes elsewhere": func(rows []recovery.ReceiptRow) []recovery.ReceiptRow {
			rows[0].Signed, rows[1].Signed = rows[1].Signed, rows[0].Signed
			return rows
		},
	} {
		all := check(edit, b.now())
		if len(all) == 0 || all[0].Kind != recovery.ReceiptsChanged || all[0].Entry == 0 {
			t.Errorf("%s: %+v", name, all)
		}
		if old := check(edit, b.now().Add(400*24*time.Hour)); len(old) != 0 {
			t.Errorf("%s, and all would be gone by now: %+v", name, old)
		}
	}
	more := func(rows []recovery.ReceiptRow) []recovery.ReceiptRow {
		return append(rows, recovery.ReceiptRow{Seq: last(rows).Seq + 1, Signed: []byte{1}})
	}
	if all := check(more, b.now()); len(all) != 0 {
		t.Errorf("a receipt that is not covered yet: %+v", all)
	}
}
