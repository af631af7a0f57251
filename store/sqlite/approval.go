package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

const approvalColumns = `id, account, action, params, text, nonce, challenge, need, created_by, created_at, expires_at, state, proof, ended_at, mac`

func readApproval(s scan) (integrity.ApprovalRow, error) {
	var a integrity.ApprovalRow
	var need string
	var by []byte
	var created, expires, ended sql.NullInt64
	err := s(&a.ID, &a.Account, &a.Action, (*[]byte)(&a.Params), &a.Text, &a.Nonce, &a.Challenge, &need, &by, &created, &expires,
		&a.State, (*[]byte)(&a.Proof), &ended, &a.MAC)
	if err != nil {
		return a, err
	}
	if a.Need, err = parseClass(need); err != nil {
		return a, err
	}
	if err := json.Unmarshal(by, &a.By); err != nil {
		return a, fmt.Errorf("who began it: %w", err)
	}
	a.CreatedAt, a.ExpiresAt, a.EndedAt = fromMicros(created), fromMicros(expires), fromMicros(ended)
	return a, nil
}

// parseClass reads what account.Class.String gives.
func parseClass(text string) (account.Class, error) {
	for c := account.NoClass; c <= account.Bound; c++ {
		if c.String() == text {
			return c, nil
		}
	}
	return account.NoClass, fmt.Errorf("no class is called %q", text)
}

// AddApproval stores a new approval.
func (tx *Tx) AddApproval(ctx context.Context, a integrity.ApprovalRow) error {
	by, err := json.Marshal(a.By)
	if err != nil {
		return tx.fail("approval", err)
	}
	_, err = tx.exec(ctx, "approval", `INSERT INTO approval (`+approvalColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(a.ID), string(a.Account), string(a.Action), blob(a.Params), a.Text, blob(a.Nonce), blob(a.Challenge), a.Need.String(), by,
		micros(a.CreatedAt), micros(a.ExpiresAt), a.State, blob(a.Proof), micros(a.EndedAt), blob(a.MAC))
	return err
}

// Approval gives an approval by its id.
func (tx *Tx) Approval(ctx context.Context, id account.ApprovalID) (a integrity.ApprovalRow, found bool, err error) {
	return one(ctx, tx, "approval", readApproval, `SELECT `+approvalColumns+` FROM approval WHERE id = ?`, string(id))
}

// Approvals gives the open ones of an account, by time.
func (tx *Tx) Approvals(ctx context.Context, id account.ID) ([]integrity.ApprovalRow, error) {
	return some(ctx, tx, "approval", readApproval, `SELECT `+approvalColumns+` FROM approval
		WHERE account = ? AND state = 'open' ORDER BY created_at, id`, string(id))
}

// EndApproval moves an open one to the state of a, with its proof, when it ended
// and the MAC, and reports whether it was open.
func (tx *Tx) EndApproval(ctx context.Context, a integrity.ApprovalRow) (bool, error) {
	n, err := tx.exec(ctx, "approval", `UPDATE approval SET state = ?, proof = ?, ended_at = ?, mac = ? WHERE id = ? AND state = 'open'`,
		a.State, blob(a.Proof), micros(a.EndedAt), blob(a.MAC), string(a.ID))
	return n == 1, err
}

// DeleteApprovals deletes up to limit that expired before t.
func (tx *Tx) DeleteApprovals(ctx context.Context, t time.Time, limit int) (int, error) {
	return tx.exec(ctx, "approval", `DELETE FROM approval WHERE id IN
		(SELECT id FROM approval WHERE expires_at < ? ORDER BY expires_at LIMIT ?)`, micros(t), limit)
}
