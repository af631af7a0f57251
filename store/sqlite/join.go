package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

const joinColumns = `id, kind, account, name, platform, keys_hash, key_id, sealing_alg, sealing_key, number, origin, place, network,
	tries, approved_by, created_at, expires_at, state, mac`

func readJoin(s scan) (j integrity.JoinRow, err error) {
	var created, expires sql.NullInt64
	err = s(&j.ID, &j.Kind, &j.Account, &j.Name, &j.Platform, &j.KeysHash, &j.KeyID, &j.SealingAlg, &j.SealingKey, &j.Number, &j.Origin,
		&j.Place, &j.Network, &j.Tries, &j.By, &created, &expires, &j.State, &j.MAC)
	j.CreatedAt, j.ExpiresAt = fromMicros(created), fromMicros(expires)
	return j, err
}

// AddJoin stores a new join.
func (tx *Tx) AddJoin(ctx context.Context, j integrity.JoinRow) error {
	_, err := tx.exec(ctx, "join", `INSERT INTO joining (`+joinColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(j.ID), j.Kind, string(j.Account), j.Name, j.Platform, blob(j.KeysHash), j.KeyID, j.SealingAlg, blob(j.SealingKey), j.Number,
		j.Origin, j.Place, j.Network, j.Tries, string(j.By), micros(j.CreatedAt), micros(j.ExpiresAt), j.State, blob(j.MAC))
	return err
}

// Join gives a join by its id.
func (tx *Tx) Join(ctx context.Context, id account.JoinID) (j integrity.JoinRow, found bool, err error) {
	return one(ctx, tx, "join", readJoin, `SELECT `+joinColumns+` FROM joining WHERE id = ?`, string(id))
}

// Joins gives the open and confirmed ones of an account, by time. Before it is
// approved a join is of no account.
func (tx *Tx) Joins(ctx context.Context, id account.ID) ([]integrity.JoinRow, error) {
	return some(ctx, tx, "join", readJoin, `SELECT `+joinColumns+` FROM joining INDEXED BY joining_open
		WHERE account = ? AND account <> '' AND state IN ('open', 'confirmed') ORDER BY created_at, id`, string(id))
}

// PutJoin stores what may change of a join, if its state still is was, and
// reports whether it was: account, tries, who approved it, until when it is
// good, the state, and the MAC.
func (tx *Tx) PutJoin(ctx context.Context, j integrity.JoinRow, was string) (bool, error) {
	n, err := tx.exec(ctx, "join", `UPDATE joining SET account = ?, tries = ?, approved_by = ?, expires_at = ?, state = ?, mac = ? WHERE id = ? AND state = ?`,
		string(j.Account), j.Tries, string(j.By), micros(j.ExpiresAt), j.State, blob(j.MAC), string(j.ID), was)
	return n == 1, err
}

// DeleteJoins deletes up to limit that expired before t.
func (tx *Tx) DeleteJoins(ctx context.Context, t time.Time, limit int) (int, error) {
	return tx.exec(ctx, "join", `DELETE FROM joining WHERE id IN
		(SELECT id FROM joining WHERE expires_at < ? ORDER BY expires_at LIMIT ?)`, micros(t), limit)
}
