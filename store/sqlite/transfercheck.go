package sqlite

import (
	"context"

	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/store"
)

// transferProblems compares the sums of what waits for new phones with what does.
// Whether it is there, and who is in charge, is package transfer's to check.
func (tx *Tx) transferProblems(ctx context.Context) (out []audit.Problem, err error) {
	err = every(ctx, tx, "transfer space", subject, `WITH own AS (SELECT transfer, sum(bytes) AS bytes FROM transfer_segment WHERE acked = 0 GROUP BY transfer),
			want AS (SELECT transfer, bytes FROM own UNION ALL SELECT '', sum(bytes) FROM own HAVING count(*) > 0)
		SELECT coalesce((SELECT account FROM transfer t WHERE t.id = coalesce(w.transfer, s.transfer)), ''),
			CASE coalesce(w.transfer, s.transfer) WHEN '' THEN 'all transfers' ELSE coalesce(w.transfer, s.transfer) END
				|| ': ' || coalesce(w.bytes, 0) || ' bytes wait, and ' || coalesce(s.bytes, 0) || ' are counted'
		FROM want w FULL JOIN transfer_space s ON s.transfer = w.transfer
		WHERE coalesce(w.bytes, 0) <> coalesce(s.bytes, 0) ORDER BY coalesce(w.transfer, s.transfer)`, func(p audit.Problem) error {
		p.Kind = store.TransferSpace
		out = append(out, p)
		return nil
	})
	return out, err
}
