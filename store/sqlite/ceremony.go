package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

const ceremonyColumns = `id, purpose, account, session, binding, challenge, origin, extensions, allow, user_handle,
	attest_challenge, fake, created_at, expires_at, used_at`

func readCeremony(s scan) (c integrity.CeremonyRow, err error) {
	var created, expires, used sql.NullInt64
	err = s(&c.ID, &c.Purpose, &c.Account, &c.Session, &c.Binding, &c.Challenge, &c.Origin, &c.Extensions, &c.Allow, &c.UserHandle,
		&c.AttestChallenge, &c.Fake, &created, &expires, &used)
	c.CreatedAt, c.ExpiresAt, c.UsedAt = fromMicros(created), fromMicros(expires), fromMicros(used)
	return c, err
}

// AddCeremony stores a new ceremony.
func (tx *Tx) AddCeremony(ctx context.Context, c integrity.CeremonyRow) error {
	_, err := tx.exec(ctx, "ceremony", `INSERT INTO ceremony (`+ceremonyColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(c.ID), c.Purpose, string(c.Account), string(c.Session), blob(c.Binding), c.Challenge, c.Origin, c.Extensions, blob(c.Allow),
		blob(c.UserHandle), blob(c.AttestChallenge), c.Fake, micros(c.CreatedAt), micros(c.ExpiresAt), micros(c.UsedAt))
	return err
}

// Ceremony gives a ceremony by its id.
func (tx *Tx) Ceremony(ctx context.Context, id account.CeremonyID) (c integrity.CeremonyRow, found bool, err error) {
	return one(ctx, tx, "ceremony", readCeremony, `SELECT `+ceremonyColumns+` FROM ceremony WHERE id = ?`, string(id))
}

// UseCeremony marks a ceremony used if it is unused, and reports whether it did.
func (tx *Tx) UseCeremony(ctx context.Context, id account.CeremonyID, now time.Time) (bool, error) {
	n, err := tx.exec(ctx, "ceremony", `UPDATE ceremony SET used_at = ? WHERE id = ? AND used_at IS NULL`, micros(now), string(id))
	return n == 1, err
}

// EndCeremonies marks those of an account that are open used, or only those of
// one of its sessions, and says how many. A sign-in is of no account.
func (tx *Tx) EndCeremonies(ctx context.Context, id account.ID, session account.SessionID, now time.Time) (int, error) {
	if id == "" {
		return 0, tx.fail("ceremony", errors.New("those of no account are to end"))
	}
	return tx.exec(ctx, "ceremony", `UPDATE ceremony INDEXED BY ceremony_open SET used_at = ?1
		WHERE account = ?2 AND account <> '' AND (?3 = '' OR session = ?3) AND used_at IS NULL`, micros(now), string(id), string(session))
}

// DeleteCeremonies deletes up to limit that expired before t.
func (tx *Tx) DeleteCeremonies(ctx context.Context, t time.Time, limit int) (int, error) {
	return tx.exec(ctx, "ceremony", `DELETE FROM ceremony WHERE id IN
		(SELECT id FROM ceremony WHERE expires_at < ? ORDER BY expires_at LIMIT ?)`, micros(t), limit)
}
