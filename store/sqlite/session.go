package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
)

const sessionColumns = `id, token_hash, account, device, kind, proofs, origin, label, network, place, created_at, last_seen_at, until, ended_at, ended_why, mac`

func readSession(s scan) (account.Session, error) {
	var v account.Session
	var proofs, token []byte
	var created, seen, until, ended sql.NullInt64
	err := s(&v.ID, &token, &v.Account, &v.Device, &v.Kind, &proofs, &v.Origin, &v.Label, &v.Network, &v.Place, &created, &seen, &until, &ended, &v.EndedWhy, &v.MAC)
	if err != nil {
		return v, err
	}
	if len(token) != len(v.TokenHash) {
		return v, fmt.Errorf("token hash of %d bytes", len(token))
	}
	v.TokenHash = [32]byte(token)
	if err := json.Unmarshal(proofs, &v.Proofs); err != nil {
		return v, fmt.Errorf("proofs: %w", err)
	}
	if len(v.Proofs) == 0 {
		v.Proofs = nil
	}
	v.CreatedAt, v.LastSeenAt, v.Until, v.EndedAt = fromMicros(created), fromMicros(seen), fromMicros(until), fromMicros(ended)
	return v, nil
}

// SessionByToken finds a session by the SHA-256 of its token, ended ones too.
func (tx *Tx) SessionByToken(ctx context.Context, hash [32]byte) (s account.Session, found bool, err error) {
	return one(ctx, tx, "session", readSession, `SELECT `+sessionColumns+` FROM session WHERE token_hash = ?`, hash[:])
}

// Session gives a session by its id, ended ones too.
func (tx *Tx) Session(ctx context.Context, id account.SessionID) (s account.Session, found bool, err error) {
	return one(ctx, tx, "session", readSession, `SELECT `+sessionColumns+` FROM session WHERE id = ?`, string(id))
}

// Sessions gives those of an account that have not ended, by time.
func (tx *Tx) Sessions(ctx context.Context, id account.ID) ([]account.Session, error) {
	return some(ctx, tx, "session", readSession, `SELECT `+sessionColumns+` FROM session
		WHERE account = ? AND ended_at IS NULL ORDER BY created_at, id`, string(id))
}

// AddSession stores a new session under the SHA-256 of its token.
func (tx *Tx) AddSession(ctx context.Context, s account.Session, tokenHash [32]byte) error {
	proofs, err := account.ProofsText(s.Proofs)
	if err != nil {
		return tx.fail("session", err)
	}
	_, err = tx.exec(ctx, "session", `INSERT INTO session (`+sessionColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(s.ID), tokenHash[:], string(s.Account), string(s.Device), string(s.Kind), proofs, s.Origin, s.Label, s.Network, s.Place,
		micros(s.CreatedAt), micros(s.LastSeenAt), micros(s.Until), micros(s.EndedAt), s.EndedWhy, blob(s.MAC))
	return err
}

// PutSession stores what may change of a session: proofs, until, last seen,
// ended and MAC; and, if tokenHash is not nil, a new token in place of the old.
func (tx *Tx) PutSession(ctx context.Context, s account.Session, tokenHash *[32]byte) error {
	proofs, err := account.ProofsText(s.Proofs)
	if err != nil {
		return tx.fail("session", err)
	}
	args := []any{proofs, micros(s.LastSeenAt), micros(s.Until), micros(s.EndedAt), s.EndedWhy, string(s.ID), blob(s.MAC)}
	query := `UPDATE session SET proofs = ?1, last_seen_at = ?2, until = ?3, ended_at = ?4, ended_why = ?5, mac = ?7 WHERE id = ?6`
	if tokenHash != nil {
		args = append(args, tokenHash[:])
		query = `UPDATE session SET proofs = ?1, last_seen_at = ?2, until = ?3, ended_at = ?4, ended_why = ?5, mac = ?7, token_hash = ?8 WHERE id = ?6`
	}
	return tx.change(ctx, "session", string(s.ID), query, args...)
}

// DeleteSessions deletes up to limit that ended, or ran out, before t.
func (tx *Tx) DeleteSessions(ctx context.Context, t time.Time, limit int) (int, error) {
	return tx.exec(ctx, "session", `DELETE FROM session WHERE id IN (SELECT id FROM session INDEXED BY session_over
		WHERE min(until, coalesce(ended_at, until)) < ? ORDER BY min(until, coalesce(ended_at, until)) LIMIT ?)`, micros(t), limit)
}
