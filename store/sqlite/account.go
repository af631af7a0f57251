package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

const accountColumns = `id, handle, user_handle, state, prior, hold_reason, hold_since, hold_until, hold_left, hold_by,
	not_before, freeze_code, created_at, mac`

func readAccount(s scan) (account.Account, error) {
	var a account.Account
	var handle []byte
	var now states
	var hold hold
	var notBefore, created sql.NullInt64
	err := s(&a.ID, &a.Handle, &handle, &now.state, &now.prior, &hold.Reason, &hold.since, &hold.until, &hold.Left, &hold.By,
		&notBefore, &a.FreezeCode, &created, &a.MAC)
	if err != nil {
		return a, err
	}
	if len(handle) != len(a.UserHandle) {
		return a, fmt.Errorf("user handle of %d bytes", len(handle))
	}
	a.UserHandle = [64]byte(handle)
	if a.State, a.Prior, err = now.parse(); err != nil {
		return a, err
	}
	a.Hold, a.NotBefore, a.CreatedAt = hold.value(), fromMicros(notBefore), fromMicros(created)
	return a, nil
}

// states are two columns, of a row that has been frozen or locked.
type states struct{ state, prior string }

func (s states) parse() (state, prior account.State, err error) {
	state, ok := account.ParseState(s.state)
	if !ok || state == account.Unset {
		return 0, 0, fmt.Errorf("state %q", s.state)
	}
	if prior, ok = account.ParseState(s.prior); !ok {
		return 0, 0, fmt.Errorf("state before, %q", s.prior)
	}
	return state, prior, nil
}

// hold is a Hold on its way from five columns.
type hold struct {
	account.Hold
	since, until sql.NullInt64
}

func (h hold) value() account.Hold {
	h.Since, h.Until = fromMicros(h.since), fromMicros(h.until)
	return h.Hold
}

// Account gives an account by its id, a tombstone too.
func (tx *Tx) Account(ctx context.Context, id account.ID) (a account.Account, found bool, err error) {
	return one(ctx, tx, "account", readAccount, `SELECT `+accountColumns+` FROM account WHERE id = ?`, string(id))
}

// AccountByHandle finds an account by the folded form of its handle.
func (tx *Tx) AccountByHandle(ctx context.Context, key string) (a account.Account, found bool, err error) {
	return one(ctx, tx, "account", readAccount, `SELECT `+accountColumns+` FROM account WHERE handle_key = ?`, key)
}

// AccountByFreezeCode finds an account by the SHA-256 of its freeze code.
func (tx *Tx) AccountByFreezeCode(ctx context.Context, hash [32]byte) (a account.Account, found bool, err error) {
	return one(ctx, tx, "account", readAccount, `SELECT `+accountColumns+` FROM account WHERE freeze_code = ?`, hash[:])
}

// PutAccount stores a, whether or not it is known. handleKey is the folded
// handle, or empty; that of another account is integrity.ErrHandleTaken.
func (tx *Tx) PutAccount(ctx context.Context, a account.Account, handleKey string) error {
	if a.State.String() == "" {
		return tx.fail("account", errors.New("without a state"))
	}
	var key any
	if handleKey != "" {
		key = handleKey
	}
	return tx.execUnique(ctx, "account", "account.handle_key", integrity.ErrHandleTaken, `INSERT INTO account (`+accountColumns+`, handle_key)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET handle = excluded.handle, user_handle = excluded.user_handle, state = excluded.state,
			prior = excluded.prior, hold_reason = excluded.hold_reason, hold_since = excluded.hold_since, hold_until = excluded.hold_until,
			hold_left = excluded.hold_left, hold_by = excluded.hold_by, not_before = excluded.not_before, freeze_code = excluded.freeze_code,
			created_at = excluded.created_at, mac = excluded.mac, handle_key = excluded.handle_key`,
		string(a.ID), a.Handle, a.UserHandle[:], a.State.String(), a.Prior.String(),
		string(a.Hold.Reason), micros(a.Hold.Since), micros(a.Hold.Until), int64(a.Hold.Left), string(a.Hold.By),
		micros(a.NotBefore), blob(a.FreezeCode), micros(a.CreatedAt), blob(a.MAC), key)
}

// AccountsDue gives up to limit accounts whose hold ends at or before now, those
// first that have been due for longest, from behind after on.
func (tx *Tx) AccountsDue(ctx context.Context, now time.Time, after integrity.Due, limit int) ([]integrity.Due, error) {
	return some(ctx, tx, "account", readDue, `SELECT hold_until, id FROM account
		WHERE hold_until <= ? AND (hold_until, id) > (?, ?) ORDER BY hold_until, id LIMIT ?`, micros(now), behind(after), after.ID, limit)
}
