package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

const pendingColumns = `id, account, action, params, created_by, created_at, opens_at, state, ended_at, mac`

func readPending(s scan) (integrity.PendingRow, error) {
	var p integrity.PendingRow
	var by []byte
	var created, opens, ended sql.NullInt64
	err := s(&p.ID, &p.Account, &p.Action, (*[]byte)(&p.Params), &by, &created, &opens, &p.State, &ended, &p.MAC)
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(by, &p.By); err != nil {
		return p, fmt.Errorf("who began it: %w", err)
	}
	p.CreatedAt, p.OpensAt, p.EndedAt = fromMicros(created), fromMicros(opens), fromMicros(ended)
	return p, nil
}

// AddPending stores a new action that waits.
func (tx *Tx) AddPending(ctx context.Context, p integrity.PendingRow) error {
	by, err := json.Marshal(p.By)
	if err != nil {
		return tx.fail("pending action", err)
	}
	_, err = tx.exec(ctx, "pending action", `INSERT INTO pending (`+pendingColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(p.ID), string(p.Account), string(p.Action), blob(p.Params), by, micros(p.CreatedAt), micros(p.OpensAt), p.State, micros(p.EndedAt), blob(p.MAC))
	return err
}

// Pending gives an action that waits, or waited, by its id.
func (tx *Tx) Pending(ctx context.Context, id account.PendingID) (p integrity.PendingRow, found bool, err error) {
	return one(ctx, tx, "pending action", readPending, `SELECT `+pendingColumns+` FROM pending WHERE id = ?`, string(id))
}

// Pendings gives the open ones of an account, by time.
func (tx *Tx) Pendings(ctx context.Context, id account.ID) ([]integrity.PendingRow, error) {
	return some(ctx, tx, "pending action", readPending, `SELECT `+pendingColumns+` FROM pending
		WHERE account = ? AND state = 'open' ORDER BY created_at, id`, string(id))
}

// PendingsSince gives those of an account and an action that were begun at or
// after t, in any state, by time.
func (tx *Tx) PendingsSince(ctx context.Context, id account.ID, action account.Action, t time.Time) ([]integrity.PendingRow, error) {
	return some(ctx, tx, "pending action", readPending, `SELECT `+pendingColumns+` FROM pending
		WHERE account = ? AND action = ? AND created_at >= ? ORDER BY created_at, id`, string(id), string(action), micros(t))
}

// EndPending moves an open one to the state of p, with when it ended and the
// MAC, and reports whether it was open.
func (tx *Tx) EndPending(ctx context.Context, p integrity.PendingRow) (bool, error) {
	n, err := tx.exec(ctx, "pending action", `UPDATE pending SET state = ?, ended_at = ?, mac = ? WHERE id = ? AND state = 'open'`,
		p.State, micros(p.EndedAt), blob(p.MAC), string(p.ID))
	return n == 1, err
}

// PendingDue gives up to limit open ones of these actions that open at or before
// now, those that have been due for longest first, from behind after on.
func (tx *Tx) PendingDue(ctx context.Context, now time.Time, actions []account.Action, after integrity.Due, limit int) ([]integrity.Due, error) {
	args := []any{micros(now), behind(after), after.ID}
	for _, a := range actions {
		args = append(args, string(a))
	}
	return some(ctx, tx, "pending action", readDue, `SELECT opens_at, id FROM pending WHERE opens_at <= ? AND (opens_at, id) > (?, ?)
		AND state = 'open' AND action IN (?`+strings.Repeat(", ?", len(actions)-1)+`) ORDER BY opens_at, id LIMIT ?`, append(args, limit)...)
}
