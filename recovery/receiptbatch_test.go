package recovery_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
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

// nothing is the sum of no receipts.
func nothing() string {
	sum := sha256.Sum256([]byte("staunch/recovery/receipts/v1\x00"))
	return hex.EncodeToString(sum[:])
}

// batchEntry is the entry of a batch, as somebody puts it there who can write to the
// store.
func batchEntry(t *testing.T, b recovery.ReceiptBatch, at time.Time) audit.Entry {
	t.Helper()
	detail, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return audit.Entry{N: 1 << 40, Time: at, Actor: audit.Actor{Kind: account.System}, Action: "recovery.receipts", Detail: detail}
}

// withEntry is a store with one more entry at the end of the app's chain.
type withEntry struct {
	recovery.ReceiptsTx
	last audit.Entry
}

func (w withEntry) AppAuditEntries(ctx context.Context, from uint64, yield func(audit.Entry) error) error {
	if err := w.ReceiptsTx.AppAuditEntries(ctx, from, yield); err != nil {
		return err
	}
	return yield(w.last)
}

// TestReceiptsRecordedLater: an entry with a time that is yet to come does not have
// receipts covered again and again, nor do clocks that go back.
func TestReceiptsRecordedLater(t *testing.T) {
	b, _, h := backedUp(t, recoverytest.Options{})
	h.must(recovery.TestingOnlyRecord(t.Context(), b.Service))
	first := b.covering()[0]
	later := b.now().AddDate(1, 0, 0)
	b.do(func(tx storetest.Tx) error {
		return tx.AppendAudit(t.Context(), batchEntry(t, recovery.ReceiptBatch{SHA256: nothing()}, later))
	})
	b.do(func(tx storetest.Tx) error { // nor do those of an account's chain count
		e := batchEntry(t, recovery.ReceiptBatch{Last: 1 << 40, SHA256: nothing()}, later)
		e.Account = "a_cccccccccccccccccccccccccc"
		for range 40 {
			if err := tx.AppendAudit(t.Context(), e); err != nil {
				return err
			}
		}
		return nil
	})
	h.must(recovery.TestingOnlyRecord(t.Context(), b.Service))
	h.must(recovery.TestingOnlyRecord(t.Context(), b.Service))
	if got := b.covering(); len(got) != 3 || got[2].After != 0 || got[2].Last != first.Last {
		t.Errorf("%+v", got)
	}
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
	for name, forged := range map[string]recovery.ReceiptBatch{
		"all that come are left out": {After: 1 << 40, Last: 1 << 40, SHA256: nothing()},
		"one is left out":            {After: got[1].Last + 1, Last: got[1].Last + 2, SHA256: nothing()},
		"they are covered twice":     {After: got[1].After, Last: got[1].Last, Count: got[1].Count, SHA256: got[1].SHA256},
		"they go backwards":          {After: got[1].Last, Last: got[1].After, SHA256: nothing()},
	} {
		b.do(func(tx storetest.Tx) error {
			all, err := recovery.CheckReceipts(t.Context(), withEntry{tx, batchEntry(t, forged, b.now())}, b.now())
			if len(all) != 1 || all[0].Entry != 1<<40 {
				t.Errorf("%s: %+v", name, all)
			}
			return err
		})
	}
	more := func(rows []recovery.ReceiptRow) []recovery.ReceiptRow {
		return append(rows, recovery.ReceiptRow{Seq: last(rows).Seq + 1, Signed: []byte{1}})
	}
	if all := check(more, b.now()); len(all) != 0 {
		t.Errorf("a receipt that is not covered yet: %+v", all)
	}
}
