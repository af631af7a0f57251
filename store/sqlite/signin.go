package sqlite

import (
	"context"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

// AccountNear finds the first account with a handle whose id is id or comes
// after it, or else the first at all.
func (tx *Tx) AccountNear(ctx context.Context, id account.ID) (a account.Account, found bool, err error) {
	const query = `SELECT ` + accountColumns + ` FROM account WHERE handle_key IS NOT NULL AND id >= ? ORDER BY id LIMIT 1`
	if a, found, err = one(ctx, tx, "account", readAccount, query, string(id)); err != nil || found {
		return a, found, err
	}
	return one(ctx, tx, "account", readAccount, query, "")
}

// OpenSessions gives the account's sessions that have not ended, with little of
// each, the newest first.
func (tx *Tx) OpenSessions(ctx context.Context, id account.ID) ([]integrity.OpenSession, error) {
	return some(ctx, tx, "session", readOpenSession, `SELECT id, device, network FROM session
		WHERE account = ? AND ended_at IS NULL ORDER BY created_at DESC`, string(id))
}

func readOpenSession(s scan) (v integrity.OpenSession, err error) {
	err = s(&v.ID, &v.Device, &v.Network)
	return v, err
}
