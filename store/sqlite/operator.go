package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/operator"
)

const operatorColumns = `id, name, user_handle, added_at, removed_at, invitation, invited_until, credential_id, record, enrolled_at,
	sign_count, flags, last_used_at, mac`

func readOperator(s scan) (o operator.Operator, err error) {
	var handle []byte
	var added, removed, invited, enrolled, used sql.NullInt64
	err = s(&o.ID, &o.Name, &handle, &added, &removed, &o.Invitation, &invited, &o.CredentialID, &o.Record, &enrolled, &o.SignCount, &o.Flags, &used, &o.MAC)
	if err == nil && len(handle) != len(o.UserHandle) {
		err = fmt.Errorf("user handle of %d bytes", len(handle))
	}
	if err != nil {
		return o, err
	}
	o.UserHandle = [64]byte(handle)
	o.AddedAt, o.RemovedAt, o.InvitedUntil = fromMicros(added), fromMicros(removed), fromMicros(invited)
	o.EnrolledAt, o.LastUsedAt = fromMicros(enrolled), fromMicros(used)
	return o, nil
}

func (tx *Tx) operator(ctx context.Context, where string, args ...any) (operator.Operator, bool, error) {
	return one(ctx, tx, "operator", readOperator, `SELECT `+operatorColumns+` FROM operator WHERE `+where, args...)
}

// Operator gives an operator by his ID, removed ones too.
func (tx *Tx) Operator(ctx context.Context, id operator.ID) (operator.Operator, bool, error) {
	return tx.operator(ctx, `id = ?`, string(id))
}

// OperatorNamed gives the operator of a name that is not removed.
func (tx *Tx) OperatorNamed(ctx context.Context, name string) (operator.Operator, bool, error) {
	return tx.operator(ctx, `name = ? AND removed_at IS NULL`, name)
}

// OperatorInvited gives who is invited by the link whose secret has this SHA-256.
func (tx *Tx) OperatorInvited(ctx context.Context, hash [32]byte) (operator.Operator, bool, error) {
	return tx.operator(ctx, `invitation = ?`, hash[:])
}

// OperatorByCredential gives whose passkey it is, removed ones too.
func (tx *Tx) OperatorByCredential(ctx context.Context, credentialID []byte) (operator.Operator, bool, error) {
	return tx.operator(ctx, `credential_id = ?`, credentialID)
}

// Operators gives all by name, then time, removed ones too.
func (tx *Tx) Operators(ctx context.Context) ([]operator.Operator, error) {
	return some(ctx, tx, "operator", readOperator, `SELECT `+operatorColumns+` FROM operator ORDER BY name, added_at, id`)
}

func operatorArgs(o operator.Operator) []any {
	return []any{
		string(o.ID), o.Name, o.UserHandle[:], micros(o.AddedAt), micros(o.RemovedAt), blob(o.Invitation), micros(o.InvitedUntil),
		blob(o.CredentialID), blob(o.Record), micros(o.EnrolledAt), int64(o.SignCount), int64(o.Flags), micros(o.LastUsedAt), blob(o.MAC),
	}
}

// AddOperator stores a new operator.
func (tx *Tx) AddOperator(ctx context.Context, o operator.Operator) error {
	_, err := tx.exec(ctx, "operator", `INSERT INTO operator (`+operatorColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, operatorArgs(o)...)
	return err
}

// PutOperator stores what may change of an operator: all but ID, name, user handle
// and when he was added.
func (tx *Tx) PutOperator(ctx context.Context, o operator.Operator) error {
	return tx.change(ctx, "operator", string(o.ID), `UPDATE operator SET removed_at = ?5, invitation = ?6, invited_until = ?7, credential_id = ?8,
		record = ?9, enrolled_at = ?10, sign_count = ?11, flags = ?12, last_used_at = ?13, mac = ?14
		WHERE id = ?1 AND name = ?2 AND user_handle = ?3 AND added_at = ?4`, operatorArgs(o)...)
}

const operatorCeremonyColumns = `id, purpose, operator, invitation, binding, challenge, origin, extensions, created_at, expires_at, used_at, mac`

func readOperatorCeremony(s scan) (c operator.Ceremony, err error) {
	var created, expires, used sql.NullInt64
	err = s(&c.ID, &c.Purpose, &c.Operator, &c.Invitation, &c.Binding, &c.Challenge, &c.Origin, &c.Extensions, &created, &expires, &used, &c.MAC)
	c.CreatedAt, c.ExpiresAt, c.UsedAt = fromMicros(created), fromMicros(expires), fromMicros(used)
	return c, err
}

// OperatorCeremony gives a ceremony of an operator by its id.
func (tx *Tx) OperatorCeremony(ctx context.Context, id account.CeremonyID) (operator.Ceremony, bool, error) {
	return one(ctx, tx, "operator's ceremony", readOperatorCeremony, `SELECT `+operatorCeremonyColumns+` FROM operator_ceremony WHERE id = ?`, string(id))
}

// AddOperatorCeremony stores a new ceremony.
func (tx *Tx) AddOperatorCeremony(ctx context.Context, c operator.Ceremony) error {
	_, err := tx.exec(ctx, "operator's ceremony", `INSERT INTO operator_ceremony (`+operatorCeremonyColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(c.ID), string(c.Purpose), string(c.Operator), blob(c.Invitation), c.Binding, c.Challenge, c.Origin, c.Extensions,
		micros(c.CreatedAt), micros(c.ExpiresAt), micros(c.UsedAt), blob(c.MAC))
	return err
}

// UseOperatorCeremony marks a ceremony used if it is unused, and reports whether it
// did.
func (tx *Tx) UseOperatorCeremony(ctx context.Context, id account.CeremonyID, now time.Time) (bool, error) {
	n, err := tx.exec(ctx, "operator's ceremony", `UPDATE operator_ceremony SET used_at = ? WHERE id = ? AND used_at IS NULL`, micros(now), string(id))
	return n == 1, err
}

// DeleteOperatorCeremonies deletes up to limit that expired before t.
func (tx *Tx) DeleteOperatorCeremonies(ctx context.Context, t time.Time, limit int) (int, error) {
	return tx.exec(ctx, "operator's ceremony", `DELETE FROM operator_ceremony WHERE id IN
		(SELECT id FROM operator_ceremony WHERE expires_at < ? ORDER BY expires_at LIMIT ?)`, micros(t), limit)
}

const operatorSessionColumns = `id, token_hash, operator, label, created_at, until, ended_at, mac`

func readOperatorSession(s scan) (v operator.Session, err error) {
	var token []byte
	var created, until, ended sql.NullInt64
	err = s(&v.ID, &token, &v.Operator, &v.Label, &created, &until, &ended, &v.MAC)
	if err == nil && len(token) != len(v.TokenHash) {
		err = fmt.Errorf("token hash of %d bytes", len(token))
	}
	if err != nil {
		return v, err
	}
	v.TokenHash = [32]byte(token)
	v.CreatedAt, v.Until, v.EndedAt = fromMicros(created), fromMicros(until), fromMicros(ended)
	return v, nil
}

// OperatorSession gives a session by the SHA-256 of its token, ended ones too.
func (tx *Tx) OperatorSession(ctx context.Context, tokenHash [32]byte) (operator.Session, bool, error) {
	return one(ctx, tx, "operator's session", readOperatorSession, `SELECT `+operatorSessionColumns+` FROM operator_session WHERE token_hash = ?`, tokenHash[:])
}

// OperatorSessions gives those of an operator that have not ended, by time.
func (tx *Tx) OperatorSessions(ctx context.Context, id operator.ID) ([]operator.Session, error) {
	return some(ctx, tx, "operator's session", readOperatorSession, `SELECT `+operatorSessionColumns+` FROM operator_session
		WHERE operator = ? AND ended_at IS NULL ORDER BY created_at, id`, string(id))
}

// AddOperatorSession stores a new session.
func (tx *Tx) AddOperatorSession(ctx context.Context, s operator.Session) error {
	_, err := tx.exec(ctx, "operator's session", `INSERT INTO operator_session (`+operatorSessionColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		string(s.ID), s.TokenHash[:], string(s.Operator), s.Label, micros(s.CreatedAt), micros(s.Until), micros(s.EndedAt), blob(s.MAC))
	return err
}

// PutOperatorSession stores when a session ended, and its MAC.
func (tx *Tx) PutOperatorSession(ctx context.Context, s operator.Session) error {
	return tx.change(ctx, "operator's session", string(s.ID), `UPDATE operator_session SET ended_at = ?, mac = ? WHERE id = ?`,
		micros(s.EndedAt), blob(s.MAC), string(s.ID))
}

// DeleteOperatorSessions deletes up to limit that ran out before t.
func (tx *Tx) DeleteOperatorSessions(ctx context.Context, t time.Time, limit int) (int, error) {
	return tx.exec(ctx, "operator's session", `DELETE FROM operator_session WHERE id IN
		(SELECT id FROM operator_session WHERE until < ? ORDER BY until LIMIT ?)`, micros(t), limit)
}

// AddOperatorLook notes that an operator looks at an account in the hour that
// begins then, and reports whether that was not noted yet.
func (tx *Tx) AddOperatorLook(ctx context.Context, id operator.ID, of account.ID, hour time.Time) (bool, error) {
	n, err := tx.exec(ctx, "operator's look", `INSERT INTO operator_look (operator, account, hour) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
		string(id), string(of), micros(hour))
	return n == 1, err
}

// DeleteOperatorLooks deletes up to limit of hours before t.
func (tx *Tx) DeleteOperatorLooks(ctx context.Context, t time.Time, limit int) (int, error) {
	return tx.exec(ctx, "operator's look", `DELETE FROM operator_look WHERE (operator, account, hour) IN
		(SELECT operator, account, hour FROM operator_look WHERE hour < ? ORDER BY hour LIMIT ?)`, micros(t), limit)
}
