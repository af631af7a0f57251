package sqlite

import (
	"context"
	"database/sql"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/event"
	"github.com/staunchid/staunch/store/sqlite/engine"
)

// AppendAudit puts e at the end of its account's chain.
func (tx *Tx) AppendAudit(ctx context.Context, e audit.Entry) error {
	if err := e.Validate(); err != nil {
		return tx.fail("audit entry", err)
	}
	var head audit.Head
	var hash []byte
	found, err := tx.row(ctx, "audit entry", `SELECT n, hash FROM audit_entry WHERE account = ? ORDER BY n DESC LIMIT 1`,
		[]any{string(e.Account)}, &head.N, &hash)
	if err != nil {
		return err
	}
	if found {
		head.Hash = [32]byte(hash)
	}
	e = e.Next(tx.app, head)
	_, err = tx.exec(ctx, "audit entry", `INSERT INTO audit_entry (`+entryColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(e.Account), int64(e.N), micros(e.Time), string(e.Actor.Kind), e.Actor.ID, e.Actor.Session, e.Actor.Class,
		e.Action, e.Subject, blob(e.Object), e.Reason, blob(e.Detail), e.Prev[:], e.Hash[:])
	return err
}

const entryColumns = `account, n, time, actor_kind, actor_id, actor_session, actor_class, action, subject, object, reason, detail, prev, hash`

// AppendEvent writes e to the outbox.
func (tx *Tx) AppendEvent(ctx context.Context, e event.Event) error {
	if err := e.Validate(); err != nil {
		return tx.fail("event", err)
	}
	_, err := tx.exec(ctx, "event", `INSERT INTO outbox (account, type, body, at) VALUES (?, ?, ?, ?)`,
		string(e.Account), e.Type, []byte(e.Body), micros(e.At))
	return err
}

// AuditApp is for audit.Check.
func (tx *Tx) AuditApp() account.AppID { return tx.app }

// AuditEntries calls yield for all entries by account, then number.
func (tx *Tx) AuditEntries(ctx context.Context, yield func(audit.Entry) error) error {
	return every(ctx, tx, "audit entry", readEntry, `SELECT `+entryColumns+`, seal FROM audit_entry ORDER BY account, n`, yield)
}

// AppAuditEntries calls yield for the entries of the app's own chain whose number is
// from or more, in order.
func (tx *Tx) AppAuditEntries(ctx context.Context, from uint64, yield func(audit.Entry) error) error {
	s, err := tx.prepare(ctx, "audit entry", `SELECT `+entryColumns+`, seal FROM audit_entry WHERE account = '' AND n >= ? ORDER BY n`)
	if err != nil {
		return err
	}
	read := func() error {
		return s.Each([]any{int64(from)}, func(rows *engine.Stmt) error {
			e, err := readEntry(rows.Scan)
			if err != nil {
				return misread(err)
			}
			return yield(e)
		})
	}
	if tx.reads { // it may be a long chain; what writes is not interrupted
		err = tx.conn.interruptible(ctx, read)
	} else {
		err = read()
	}
	if err != nil {
		return tx.fail("audit entry", err)
	}
	return nil
}

// Events gives up to limit events after the given ID, in order.
func (tx *Tx) Events(ctx context.Context, after uint64, limit int) ([]event.Event, error) {
	return some(ctx, tx, "event", func(s scan) (e event.Event, err error) {
		var at sql.NullInt64
		err = s(&e.ID, &e.Account, &e.Type, (*[]byte)(&e.Body), &at)
		e.At = fromMicros(at)
		return e, err
	}, `SELECT id, account, type, body, at FROM outbox WHERE id > ? ORDER BY id LIMIT ?`, int64(after), limit)
}
