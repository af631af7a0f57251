package registry

import (
	"context"
)

// count adds outcomes to the statistics in the transaction that decides about
// them, so that counts commit with what they count.
func (s *Service) count(ctx context.Context, tx Tx, all ...outcome) error {
	if c, ok := tx.(*counting); ok {
		c.noted = append(c.noted, all...)
	}
	return nil
}
