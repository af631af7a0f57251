package recovery

import (
	"context"

	"github.com/staunchid/staunch/account"
)

// The pages of receipts.
const (
	receiptsPage = 100
	receiptsMost = 500
)

// ListReceipts gives the receipts of the vaults after a number, in order. For the
// app's backend. limit 0 is a page of 100; 500 is the most.
func (s *Service) ListReceipts(ctx context.Context, c account.Caller, after uint64, limit int) ([]ReceiptRow, error) {
	if c.Kind != account.Backend && c.Kind != account.Operator {
		return nil, &account.Refused{Action: "recovery.receipts", Why: account.WhyFrom}
	}
	if limit <= 0 {
		limit = receiptsPage
	}
	var out []ReceiptRow
	err := s.view(ctx, func(tx Tx) (err error) {
		out, err = tx.Receipts(ctx, after, min(limit, receiptsMost))
		return err
	})
	return out, err
}
