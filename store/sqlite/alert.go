package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

// AppendAlert stores a with the next number of its account, which it gives. A
// number whose alert was deleted does not come again: who has read up to it
// would miss the new one.
func (tx *Tx) AppendAlert(ctx context.Context, a integrity.AlertRow) (uint64, error) {
	if a.Account == "" {
		return 0, tx.fail("alert", errors.New("to no account"))
	}
	seq, _, err := one(ctx, tx, "alert", number[uint64], `INSERT INTO alert (account, seq, kind, device, cause, session, data, at)
		VALUES (?1, 1 + max(coalesce((SELECT max(seq) FROM alert WHERE account = ?1), 0),
			coalesce((SELECT seq FROM alert_seen WHERE account = ?1 AND reader = ''), 0)), ?2, ?3, ?4, ?5, ?6, ?7) RETURNING seq`,
		string(a.Account), a.Kind, string(a.Device), string(a.Cause), string(a.Session), []byte(a.Data), micros(a.At))
	return seq, err
}

// Alerts gives up to limit alerts after a number, in order.
func (tx *Tx) Alerts(ctx context.Context, id account.ID, after uint64, limit int) ([]integrity.AlertRow, error) {
	return some(ctx, tx, "alert", readAlert, `SELECT `+alertColumns+` FROM alert WHERE account = ? AND seq > ? ORDER BY seq LIMIT ?`,
		string(id), int64(after), limit)
}

// NewestAlerts gives up to limit alerts of an account, the newest first.
func (tx *Tx) NewestAlerts(ctx context.Context, id account.ID, limit int) ([]integrity.AlertRow, error) {
	return some(ctx, tx, "alert", readAlert, `SELECT `+alertColumns+` FROM alert WHERE account = ? ORDER BY seq DESC LIMIT ?`, string(id), limit)
}

const alertColumns = `account, seq, kind, device, cause, session, data, at`

func readAlert(s scan) (a integrity.AlertRow, err error) {
	var at sql.NullInt64
	err = s(&a.Account, &a.Seq, &a.Kind, &a.Device, &a.Cause, &a.Session, (*[]byte)(&a.Data), &at)
	a.At = fromMicros(at)
	return a, err
}

// AlertSeen gives up to which number a reader has seen; 0: none.
func (tx *Tx) AlertSeen(ctx context.Context, id account.ID, reader string) (uint64, error) {
	seq, _, err := one(ctx, tx, "alert", number[uint64], `SELECT seq FROM alert_seen WHERE account = ? AND reader = ? AND reader <> ''`,
		string(id), reader)
	return seq, err
}

// SeeAlerts moves on what a reader has seen, and never back.
func (tx *Tx) SeeAlerts(ctx context.Context, id account.ID, reader string, seq uint64) error {
	if reader == "" { // that row says what was deleted
		return tx.fail("alert", errors.New("seen by nobody"))
	}
	_, err := tx.exec(ctx, "alert", `INSERT INTO alert_seen (account, reader, seq) VALUES (?, ?, ?)
		ON CONFLICT (account, reader) DO UPDATE SET seq = max(seq, excluded.seq)`, string(id), reader, int64(seq))
	return err
}

// CountAlerts counts those after a number of which device is not the cause.
// Without a device, those of a browser, it counts all.
func (tx *Tx) CountAlerts(ctx context.Context, id account.ID, after uint64, device account.DeviceID) (int, error) {
	n, _, err := one(ctx, tx, "alert", number[int], `SELECT count(*) FROM alert WHERE account = ?1 AND seq > ?2 AND (cause = '' OR cause <> ?3)`,
		string(id), int64(after), string(device))
	return n, err
}

// oldAlerts are the first ?2 alerts from before ?1.
const oldAlerts = `(SELECT account, seq FROM alert WHERE at < ?1 ORDER BY at, account, seq LIMIT ?2)`

// DeleteAlerts deletes up to limit from before t, and keeps their highest number.
func (tx *Tx) DeleteAlerts(ctx context.Context, t time.Time, limit int) (int, error) {
	_, err := tx.exec(ctx, "alert", `INSERT INTO alert_seen (account, reader, seq)
		SELECT account, '', max(seq) FROM `+oldAlerts+` GROUP BY account
		ON CONFLICT (account, reader) DO UPDATE SET seq = max(seq, excluded.seq)`, micros(t), limit)
	if err != nil {
		return 0, err
	}
	return tx.exec(ctx, "alert", `DELETE FROM alert WHERE (account, seq) IN `+oldAlerts, micros(t), limit)
}

// Cursor gives how far a reader of the outbox has come; 0: it has not begun.
func (tx *Tx) Cursor(ctx context.Context, name string) (uint64, error) {
	at, _, err := one(ctx, tx, "cursor", number[uint64], `SELECT at FROM outbox_cursor WHERE name = ?`, name)
	return at, err
}

// PutCursor stores how far a reader of the outbox has come.
func (tx *Tx) PutCursor(ctx context.Context, name string, at uint64) error {
	_, err := tx.exec(ctx, "cursor", `INSERT INTO outbox_cursor (name, at) VALUES (?, ?)
		ON CONFLICT (name) DO UPDATE SET at = excluded.at`, name, int64(at))
	return err
}

// DeleteEvents deletes up to limit events, the oldest first, that happened before
// t and that every reader who has a cursor is done with.
func (tx *Tx) DeleteEvents(ctx context.Context, t time.Time, limit int) (int, error) {
	return tx.exec(ctx, "event", `DELETE FROM outbox WHERE id IN (SELECT id FROM (
		SELECT id, at FROM outbox WHERE id <= (SELECT min(at) FROM outbox_cursor) ORDER BY id LIMIT ?) WHERE at < ?)`, limit, micros(t))
}

// TakeLease makes holder the one who holds a lease, if nobody else does.
func (tx *Tx) TakeLease(ctx context.Context, name, holder string, now, until time.Time) (bool, error) {
	n, err := tx.exec(ctx, "lease", `INSERT INTO outbox_lease (name, holder, until) VALUES (?1, ?2, ?4)
		ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until WHERE holder = ?2 OR until <= ?3`,
		name, holder, micros(now), micros(until))
	return n == 1, err
}
