package recovery

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
)

// auditReceipts is the entry of a batch of receipts, in the app's own chain.
const auditReceipts = "recovery.receipts"

// How often receipts are recorded, and how many an entry covers at most.
const (
	batchEvery = time.Minute
	batchMost  = 5000
)

// ReceiptBatch is what the audit record says of receipts: those with a number
// above After, and Last at most. So seals cover them, and who keeps the number of
// a seal elsewhere sees when one is taken away, or another put there (recovery,
// "Operations").
type ReceiptBatch struct {
	After  uint64 `json:"after"`
	Last   uint64 `json:"last"`
	Count  int    `json:"count"`
	SHA256 string `json:"sha256"` // see receiptSum; hex
}

// receiptSum is a hash over receipts, in their order:
//
//	SHA-256("staunch/recovery/receipts/v1" ‖ 0x00 ‖ for each: U64(number) ‖ SHA-256(receipt))
type receiptSum struct {
	hash.Hash
	count int
}

func newReceiptSum() *receiptSum {
	s := &receiptSum{Hash: sha256.New()}
	s.Write([]byte("staunch/recovery/receipts/v1\x00"))
	return s
}

func (s *receiptSum) add(r ReceiptRow) {
	one := sha256.Sum256(r.Signed)
	s.Write(append(binary.BigEndian.AppendUint64(nil, r.Seq), one[:]...))
	s.count++
}

func (s *receiptSum) text() string { return hex.EncodeToString(s.Sum(nil)) }

// recordReceipts puts an entry into the audit record for what is not covered yet.
func (s *Service) recordReceipts(ctx context.Context) error {
	for more := true; more; {
		now := s.now()
		err := s.update(ctx, func(tx Tx) (err error) {
			more, err = s.recordBatch(ctx, tx, now)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// recordBatch records one batch, and reports whether there may be more.
func (s *Service) recordBatch(ctx context.Context, tx Tx, now time.Time) (more bool, err error) {
	before, err := lastBatch(ctx, tx)
	if err != nil {
		return false, err
	}
	b := ReceiptBatch{After: before.Last}
	rows, err := tx.Receipts(ctx, b.After, batchMost)
	if err != nil || len(rows) == 0 {
		return false, err
	}
	sum := newReceiptSum()
	for _, r := range rows {
		sum.add(r)
	}
	b.Last, b.Count, b.SHA256 = rows[len(rows)-1].Seq, sum.count, sum.text()
	detail, err := json.Marshal(b)
	if err != nil {
		return false, fmt.Errorf("recovery: %w", err)
	}
	return len(rows) == batchMost, tx.AppendAudit(ctx, audit.Entry{Time: now, Actor: audit.Actor{Kind: account.System}, Action: auditReceipts, Detail: detail})
}

// lastLooked is how many entries are looked at for the last batch. They come by time,
// and it is the number that says which is the last: clocks go back, and somebody may
// have put an entry there with a time of next year.
const lastLooked = 64

// lastBatch is the batch that was recorded last; without one it ends at 0.
func lastBatch(ctx context.Context, tx Tx) (b ReceiptBatch, err error) {
	all, err := tx.AuditBatch(ctx, &audit.Query{Action: auditReceipts}, lastLooked)
	if err != nil {
		return b, err
	}
	last := audit.Entry{}
	for _, e := range all {
		if e.Account == "" && e.N > last.N {
			last = e
		}
	}
	if last.N == 0 {
		return b, nil
	}
	return readBatch(&last)
}

func readBatch(e *audit.Entry) (b ReceiptBatch, err error) {
	if err := json.Unmarshal(e.Detail, &b); err != nil {
		return b, fmt.Errorf("recovery: entry %d of the audit record covers receipts, and cannot be read: %w", e.N, err)
	}
	return b, nil
}

// ReceiptsChanged is the kind of problem that CheckReceipts finds.
const ReceiptsChanged = "recovery_receipts"

// ReceiptsTx is what CheckReceipts needs of a transaction.
type ReceiptsTx interface {
	// AppAuditEntries calls yield for the entries of the app's own chain whose number
	// is from or more, in order.
	AppAuditEntries(ctx context.Context, from uint64, yield func(audit.Entry) error) error
	Receipts(ctx context.Context, after uint64, limit int) ([]ReceiptRow, error)
}

// CheckReceipts compares the receipts in a store with what its audit record says of
// them; whether the record is genuine, audit.Check says. Each batch must begin where
// the one before ended, or an entry that somebody has put there leaves out what comes
// after it. Receipts that are kept no longer are not looked for.
func CheckReceipts(ctx context.Context, tx ReceiptsTx, now time.Time) (problems []audit.Problem, err error) {
	type covered struct {
		ReceiptBatch
		entry uint64
	}
	var batches []covered
	end := uint64(0)
	err = tx.AppAuditEntries(ctx, 1, func(e audit.Entry) error {
		if e.Action != auditReceipts {
			return nil
		}
		b, err := readBatch(&e)
		if err != nil {
			return err
		}
		if b.After != end || b.Last <= b.After {
			problems = append(problems, audit.Problem{
				Kind: ReceiptsChanged, Subject: fmt.Sprintf("receipts %d to %d: they do not follow %d, where the batch before ended", b.After+1, b.Last, end), Entry: e.N,
			})
		}
		end = b.Last
		if now.Sub(e.Time) <= keepReceipts-24*time.Hour { // the oldest go with the next sweep
			batches = append(batches, covered{b, e.N})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, b := range batches {
		sum, err := sumReceipts(ctx, tx, b.After, b.Last)
		if err != nil {
			return nil, err
		}
		if sum.text() != b.SHA256 {
			problems = append(problems, audit.Problem{
				Kind: ReceiptsChanged, Subject: fmt.Sprintf("receipts %d to %d: %d are there, and %d were", b.After+1, b.Last, sum.count, b.Count), Entry: b.entry,
			})
		}
	}
	return problems, nil
}

// sumReceipts is the sum over those with a number above after, and last at most.
func sumReceipts(ctx context.Context, tx ReceiptsTx, after, last uint64) (*receiptSum, error) {
	sum := newReceiptSum()
	for after < last {
		rows, err := tx.Receipts(ctx, after, batchMost)
		if err != nil || len(rows) == 0 {
			return sum, err
		}
		for _, r := range rows {
			if after = r.Seq; r.Seq <= last {
				sum.add(r)
			}
		}
	}
	return sum, nil
}
