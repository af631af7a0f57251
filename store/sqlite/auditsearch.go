package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/store/sqlite/engine"
)

func readEntry(s scan) (e audit.Entry, err error) {
	var at, seal sql.NullInt64
	var prev, hash []byte
	err = s(&e.Account, &e.N, &at, &e.Actor.Kind, &e.Actor.ID, &e.Actor.Session, &e.Actor.Class,
		&e.Action, &e.Subject, &e.Object, &e.Reason, (*[]byte)(&e.Detail), &prev, &hash, &seal)
	if err != nil {
		return e, err
	}
	if len(prev) != 32 || len(hash) != 32 {
		return e, fmt.Errorf("hashes of %d and %d bytes", len(prev), len(hash))
	}
	e.Time, e.Prev, e.Hash, e.Seal = fromMicros(at), [32]byte(prev), [32]byte(hash), uint64(seal.Int64)
	return e, nil
}

// AuditEntry gives entry n of a chain.
func (tx *Tx) AuditEntry(ctx context.Context, id account.ID, n uint64) (audit.Entry, bool, error) {
	return one(ctx, tx, "audit entry", readEntry, `SELECT `+entryColumns+`, seal FROM audit_entry WHERE account = ? AND n = ?`, string(id), int64(n))
}

// AuditSeal gives the seal with a number.
func (tx *Tx) AuditSeal(ctx context.Context, number uint64) (s audit.Seal, found bool, err error) {
	err = tx.few(ctx, "audit seal", `SELECT `+sealColumns+` FROM audit_seal WHERE number = ?`, []any{int64(number)}, func(rows *engine.Stmt) (err error) {
		s, err = scanSeal(rows)
		found = true
		return err
	})
	return s, found, err
}

// AuditBatch gives the first limit entries in the order of q. Of Account and Action
// the first that is set counts, then Kind if it is that of operators, of which
// there are few.
func (tx *Tx) AuditBatch(ctx context.Context, q *audit.Query, limit int) ([]audit.Entry, error) {
	query, args := auditQuery(q, limit)
	return some(ctx, tx, "audit entry", readEntry, query, args...)
}

// auditQuery reads an index in its order and stops.
func auditQuery(q *audit.Query, limit int) (query string, args []any) {
	const columns = `SELECT ` + entryColumns + `, seal FROM audit_entry `
	if q.Account != nil {
		n := int64(math.MaxInt64)
		if q.After != (audit.Place{}) {
			n = int64(q.After.N)
		}
		return columns + `WHERE account = ? AND n < ? ORDER BY n DESC LIMIT ?`, []any{string(*q.Account), n, limit}
	}
	const behind = `time >= ? AND (time, account, n) < (?, ?, ?) ORDER BY time DESC, account DESC, n DESC LIMIT ?`
	from, to := int64(math.MinInt64), int64(math.MaxInt64)
	if !q.From.IsZero() {
		from = roundUp(q.From)
	}
	if !q.To.IsZero() {
		to = roundUp(q.To)
	}
	args = []any{from, to, "", 0, limit}
	if after := q.After; after != (audit.Place{}) && after.Time.UnixMicro() < to {
		args = []any{from, after.Time.UnixMicro(), string(after.Account), int64(after.N), limit}
	}
	switch {
	case q.Action != "":
		return columns + `INDEXED BY audit_entry_action WHERE action = ? AND ` + behind, append([]any{q.Action}, args...)
	case q.Kind == account.Operator:
		return columns + `INDEXED BY audit_entry_operator WHERE actor_kind = 'operator' AND ` + behind, args
	}
	return columns + `INDEXED BY audit_entry_time WHERE ` + behind, args
}

// roundUp gives the first microsecond at or after t.
func roundUp(t time.Time) int64 {
	us := t.UnixMicro()
	if t.After(time.UnixMicro(us)) {
		us++
	}
	return us
}
