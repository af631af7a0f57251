package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/staunchid/staunch/attest/registry"
)

// Challenge gives the challenge with that hash, or registry.ErrChallengeUnknown.
func (tx *Tx) Challenge(ctx context.Context, hash [32]byte) (registry.Challenge, error) {
	c := registry.Challenge{Hash: hash, App: tx.app}
	var issued, expires, used sql.NullInt64
	found, err := tx.row(ctx, "challenge",
		`SELECT account, purpose, issued_at, expires_at, used_at FROM attest_challenge WHERE hash = ?`,
		[]any{hash[:]}, &c.Account, &c.Purpose, &issued, &expires, &used)
	if err != nil {
		return registry.Challenge{}, err
	}
	if !found {
		return registry.Challenge{}, registry.ErrChallengeUnknown
	}
	c.Issued, c.Expires, c.Used = fromMicros(issued), fromMicros(expires), fromMicros(used)
	return c, nil
}

// AddChallenge stores a new challenge.
func (tx *Tx) AddChallenge(ctx context.Context, c registry.Challenge) error {
	if err := tx.own("challenge", c.App); err != nil {
		return err
	}
	_, err := tx.exec(ctx, "challenge",
		`INSERT INTO attest_challenge (hash, account, purpose, issued_at, expires_at, used_at) VALUES (?, ?, ?, ?, ?, ?)`,
		c.Hash[:], string(c.Account), string(c.Purpose), micros(c.Issued), micros(c.Expires), micros(c.Used))
	return err
}

// UseChallenge marks a challenge used if it is there and unused.
func (tx *Tx) UseChallenge(ctx context.Context, hash [32]byte, now time.Time) (bool, error) {
	n, err := tx.exec(ctx, "challenge", `UPDATE attest_challenge SET used_at = ? WHERE hash = ? AND used_at IS NULL`, micros(now), hash[:])
	return n == 1, err
}

// DeleteChallenges deletes up to limit challenges that expired before t.
func (tx *Tx) DeleteChallenges(ctx context.Context, t time.Time, limit int) (int, error) {
	return tx.exec(ctx, "challenge",
		`DELETE FROM attest_challenge WHERE hash IN (SELECT hash FROM attest_challenge WHERE expires_at < ? ORDER BY expires_at LIMIT ?)`,
		micros(t), limit)
}
