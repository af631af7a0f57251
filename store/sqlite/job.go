package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/store/sqlite/engine"
)

// Job gives how far a job has come; found is false if it never began.
func (tx *Tx) Job(ctx context.Context, name string) (j registry.Job, found bool, err error) {
	var began, finished sql.NullInt64
	found, err = tx.row(ctx, "job", `SELECT name, target, cursor, changed, began, finished FROM attest_job WHERE name = ?`,
		[]any{name}, &j.Name, &j.Target, &j.Cursor, &j.Changed, &began, &finished)
	j.Began, j.Finished = fromMicros(began), fromMicros(finished)
	return j, found, err
}

// PutJob stores j, whether or not there is a job of its name.
func (tx *Tx) PutJob(ctx context.Context, j registry.Job) error {
	_, err := tx.exec(ctx, "job", `INSERT INTO attest_job (name, target, cursor, changed, began, finished) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET target = excluded.target, cursor = excluded.cursor, changed = excluded.changed,
			began = excluded.began, finished = excluded.finished`,
		j.Name, j.Target, j.Cursor, j.Changed, micros(j.Began), micros(j.Finished))
	return err
}

// KeysUnder gives up to limit keys under one of the serials that are not
// revoked, ordered by serial and key. A list names many serials under which
// nobody has registered; those cost one seek each, and the others a walk over
// their own keys.
func (tx *Tx) KeysUnder(ctx context.Context, serials []string, after registry.SerialKey, limit int) ([]registry.SerialKey, error) {
	var used []string
	err := tx.few(ctx, "serial", `SELECT j.value FROM json_each(?) AS j
		WHERE EXISTS (SELECT 1 FROM attest_serial AS s WHERE s.serial = j.value) ORDER BY j.value`,
		[]any{array(serials)}, func(rows *engine.Stmt) error {
			var serial string
			err := rows.Scan(&serial)
			used = append(used, serial)
			return err
		})
	var out []registry.SerialKey
	for _, serial := range used {
		if err != nil || len(out) >= limit || serial < after.Serial {
			continue
		}
		from := ""
		if serial == after.Serial {
			from = after.Key
		}
		err = tx.few(ctx, "serial", `SELECT s.key_id FROM attest_serial AS s CROSS JOIN attest_key AS k ON k.id = s.key_id
			WHERE s.serial = ? AND s.key_id > ? AND k.state <> 'revoked' ORDER BY s.key_id LIMIT ?`,
			[]any{serial, from, limit - len(out)}, func(rows *engine.Stmt) error {
				found := registry.SerialKey{Serial: serial}
				err := rows.Scan(&found.Key)
				out = append(out, found)
				return err
			})
	}
	return out, err
}

// AttestedKeysByID gives those of the keys that are there, ordered by id.
func (tx *Tx) AttestedKeysByID(ctx context.Context, ids []string) ([]registry.Key, error) {
	return tx.keys(ctx, selectKeys+` WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id`, array(ids))
}

// RevokeAttestedKeys sets the state of keys to revoked, and says of how many it
// was another.
func (tx *Tx) RevokeAttestedKeys(ctx context.Context, ids []string) (int, error) {
	return tx.exec(ctx, "key", `UPDATE attest_key SET state = 'revoked' WHERE id IN (SELECT value FROM json_each(?)) AND state <> 'revoked'`, array(ids))
}

// array is a JSON array, for json_each.
func array(texts []string) string {
	b, err := json.Marshal(texts)
	if err != nil {
		panic(err) // strings always encode
	}
	return string(b)
}
