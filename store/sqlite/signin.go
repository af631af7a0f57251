package sqlite

import (
	"context"

	"github.com/staunchid/staunch/account"
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

// Networks gives those of the account's newest sessions that have not ended, of
// limit at most, each once.
func (tx *Tx) Networks(ctx context.Context, id account.ID, limit int) ([]string, error) {
	return some(ctx, tx, "session", text[string], `SELECT DISTINCT network FROM (SELECT network FROM session
		WHERE account = ? AND ended_at IS NULL ORDER BY created_at DESC LIMIT ?)`, string(id), limit)
}
