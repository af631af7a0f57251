package sqlite

import (
	"context"
	"database/sql"

	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/store/sqlite/engine"
)

// DocumentInForce gives the digest of the document of a kind that is in force.
func (tx *Tx) DocumentInForce(ctx context.Context, kind string) (digest string, err error) {
	_, err = tx.row(ctx, "document", `SELECT digest FROM attest_document WHERE kind = ? AND in_force = 1`, []any{kind}, &digest)
	return digest, err
}

// PutDocumentInForce stores d, unless it is there, and puts it in force in the
// place of the one of its kind that was.
func (tx *Tx) PutDocumentInForce(ctx context.Context, d registry.Document) error {
	if _, err := tx.exec(ctx, "document", `UPDATE attest_document SET in_force = 0 WHERE kind = ? AND in_force = 1`, d.Kind); err != nil {
		return err
	}
	_, err := tx.exec(ctx, "document", `INSERT INTO attest_document (digest, kind, body, at, in_force) VALUES (?, ?, ?, ?, 1)
		ON CONFLICT (digest) DO UPDATE SET in_force = 1`, d.Digest, d.Kind, d.Body, micros(d.At))
	return err
}

// Document gives the document of that digest; found is false if it is not there.
func (tx *Tx) Document(ctx context.Context, digest string) (d registry.Document, found bool, err error) {
	var at sql.NullInt64
	found, err = tx.row(ctx, "document", `SELECT digest, kind, body, at FROM attest_document WHERE digest = ?`, []any{digest}, &d.Digest, &d.Kind, &d.Body, &at)
	d.At = fromMicros(at)
	return d, found, err
}

// scanDocuments calls yield for every document.
func (tx *Tx) scanDocuments(ctx context.Context, yield func(registry.Document) error) error {
	return tx.rows(ctx, "document", `SELECT digest, kind, body, at FROM attest_document ORDER BY digest`, func(rows *engine.Stmt) error {
		var d registry.Document
		var at sql.NullInt64
		if err := rows.Scan(&d.Digest, &d.Kind, &d.Body, &at); err != nil {
			return unreadable(err)
		}
		d.At = fromMicros(at)
		return yield(d)
	})
}
