package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/store/sqlite/engine"
)

const evidenceColumns = `id, account, key_id, at, until, verdict, bundle`

// AddEvidence stores what a decision was based on.
func (tx *Tx) AddEvidence(ctx context.Context, e registry.Evidence) error {
	_, err := tx.exec(ctx, "evidence",
		`INSERT INTO attest_evidence (`+evidenceColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		e.ID, string(e.Account), e.Key, micros(e.At), micros(e.Until), e.Verdict, blob(e.Bundle))
	return err
}

// DeleteEvidence deletes up to limit pieces of evidence that are kept no longer than t.
func (tx *Tx) DeleteEvidence(ctx context.Context, t time.Time, limit int) (int, error) {
	return tx.exec(ctx, "evidence",
		`DELETE FROM attest_evidence WHERE id IN (SELECT id FROM attest_evidence WHERE until < ? ORDER BY until LIMIT ?)`, micros(t), limit)
}

// Evidence reads what a decision was based on; found is false if it is not, or
// no longer, there.
func (tx *Tx) Evidence(ctx context.Context, id string) (e registry.Evidence, found bool, err error) {
	var at, until sql.NullInt64
	found, err = tx.row(ctx, "evidence", `SELECT `+evidenceColumns+` FROM attest_evidence WHERE id = ?`,
		[]any{id}, &e.ID, &e.Account, &e.Key, &at, &until, &e.Verdict, &e.Bundle)
	e.At, e.Until = fromMicros(at), fromMicros(until)
	return e, found, err
}

// scanEvidence calls yield for all evidence.
func (tx *Tx) scanEvidence(ctx context.Context, yield func(registry.Evidence) error) error {
	return tx.rows(ctx, "evidence", `SELECT `+evidenceColumns+` FROM attest_evidence ORDER BY id`, func(rows *engine.Stmt) error {
		var e registry.Evidence
		var at, until sql.NullInt64
		if err := rows.Scan(&e.ID, &e.Account, &e.Key, &at, &until, &e.Verdict, &e.Bundle); err != nil {
			return unreadable(err)
		}
		e.At, e.Until = fromMicros(at), fromMicros(until)
		return yield(e)
	})
}
