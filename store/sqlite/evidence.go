package sqlite

import (
	"context"
	"database/sql"

	"github.com/staunchid/staunch/attest/registry"
)

// Evidence reads what a decision was based on; found is false if it is not, or
// no longer, there.
func (tx *Tx) Evidence(ctx context.Context, id string) (e registry.Evidence, found bool, err error) {
	var at, until sql.NullInt64
	found, err = tx.row(ctx, "evidence", `SELECT id, account, key_id, at, until, verdict, bundle FROM attest_evidence WHERE id = ?`,
		[]any{id}, &e.ID, &e.Account, &e.Key, &at, &until, &e.Verdict, &e.Bundle)
	e.At, e.Until = fromMicros(at), fromMicros(until)
	return e, found, err
}
