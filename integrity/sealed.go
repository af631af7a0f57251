package integrity

import (
	"context"
	"time"

	"github.com/staunchid/staunch/account"
)

// sealed is a Tx for the flows. Whenever a session, an approval, a join or a
// pending action is written it makes the row's MAC, and whenever one is read to
// act on it, it checks it, so that no flow can forget to. A wrong one is
// tampered: nothing is done with the row, and its account is locked.
//
// PendingDue gives no rows, for a wrong one of one account would keep the clock
// from all others: it reads each with Pending before it does anything.
type sealed struct {
	Tx
	key []byte
	// wrong is nil but in a lockdown, which has to end what is left of an account
	// although a MAC is wrong. It notes the ids of such rows: they keep the MAC that
	// they have, which does not become a good one.
	wrong map[string]bool
}

// sealing is do, a transaction of the store, for the flows.
func sealing(do func(context.Context, func(Tx) error) error, key []byte) func(context.Context, func(Tx) error) error {
	return func(ctx context.Context, fn func(Tx) error) error {
		return do(ctx, func(tx Tx) error { return fn(&sealed{Tx: tx, key: key}) })
	}
}

// judge is for a row that was read.
func (t *sealed) judge(row interface{ Sound(key []byte) bool }, of account.ID, id string) error {
	switch {
	case row.Sound(t.key):
		return nil
	case t.wrong != nil:
		t.wrong[id] = true
		return nil
	}
	return &tampered{of, id}
}

// mac is the MAC of a row that is to be written; had is that which it has.
func (t *sealed) mac(row interface{ Seal(key []byte) []byte }, id string, had []byte) []byte {
	switch {
	case !t.wrong[id]:
		return row.Seal(t.key)
	case len(had) == 0:
		return []byte{0} // no store takes none
	}
	return had
}

// one judges a row, if it was found.
func one[R any](row R, found bool, err error, judge func(R) error) (R, bool, error) {
	if err == nil && found {
		err = judge(row)
	}
	if err != nil || !found {
		return *new(R), false, err
	}
	return row, true, nil
}

// all judges each row.
func all[R any](rows []R, err error, judge func(R) error) ([]R, error) {
	for _, row := range rows {
		if err == nil {
			err = judge(row)
		}
	}
	if err != nil {
		return nil, err
	}
	return rows, nil
}

func (t *sealed) session(s account.Session) error { return t.judge(s, s.Account, string(s.ID)) }

func (t *sealed) SessionByToken(ctx context.Context, hash [32]byte) (account.Session, bool, error) {
	s, found, err := t.Tx.SessionByToken(ctx, hash)
	return one(s, found, err, t.session)
}

func (t *sealed) Session(ctx context.Context, id account.SessionID) (account.Session, bool, error) {
	s, found, err := t.Tx.Session(ctx, id)
	return one(s, found, err, t.session)
}

func (t *sealed) Sessions(ctx context.Context, id account.ID) ([]account.Session, error) {
	rows, err := t.Tx.Sessions(ctx, id)
	return all(rows, err, t.session)
}

func (t *sealed) AddSession(ctx context.Context, s account.Session, tokenHash [32]byte) error {
	s.TokenHash = tokenHash
	s.MAC = t.mac(s, string(s.ID), s.MAC)
	return t.Tx.AddSession(ctx, s, tokenHash)
}

func (t *sealed) PutSession(ctx context.Context, s account.Session, tokenHash *[32]byte) error {
	if tokenHash != nil {
		s.TokenHash = *tokenHash
	}
	s.MAC = t.mac(s, string(s.ID), s.MAC)
	return t.Tx.PutSession(ctx, s, tokenHash)
}

func (t *sealed) approval(a ApprovalRow) error { return t.judge(a, a.Account, string(a.ID)) }

func (t *sealed) Approval(ctx context.Context, id account.ApprovalID) (ApprovalRow, bool, error) {
	a, found, err := t.Tx.Approval(ctx, id)
	return one(a, found, err, t.approval)
}

func (t *sealed) Approvals(ctx context.Context, id account.ID) ([]ApprovalRow, error) {
	rows, err := t.Tx.Approvals(ctx, id)
	return all(rows, err, t.approval)
}

func (t *sealed) AddApproval(ctx context.Context, a ApprovalRow) error {
	a.MAC = t.mac(a, string(a.ID), a.MAC)
	return t.Tx.AddApproval(ctx, a)
}

func (t *sealed) EndApproval(ctx context.Context, a ApprovalRow) (bool, error) {
	a.MAC = t.mac(a, string(a.ID), a.MAC)
	return t.Tx.EndApproval(ctx, a)
}

func (t *sealed) join(j JoinRow) error { return t.judge(j, j.Account, string(j.ID)) }

func (t *sealed) Join(ctx context.Context, id account.JoinID) (JoinRow, bool, error) {
	j, found, err := t.Tx.Join(ctx, id)
	return one(j, found, err, t.join)
}

func (t *sealed) Joins(ctx context.Context, id account.ID) ([]JoinRow, error) {
	rows, err := t.Tx.Joins(ctx, id)
	return all(rows, err, t.join)
}

func (t *sealed) AddJoin(ctx context.Context, j JoinRow) error {
	j.MAC = t.mac(j, string(j.ID), j.MAC)
	return t.Tx.AddJoin(ctx, j)
}

func (t *sealed) PutJoin(ctx context.Context, j JoinRow, was string) (bool, error) {
	j.MAC = t.mac(j, string(j.ID), j.MAC)
	return t.Tx.PutJoin(ctx, j, was)
}

func (t *sealed) pending(p PendingRow) error { return t.judge(p, p.Account, string(p.ID)) }

func (t *sealed) Pending(ctx context.Context, id account.PendingID) (PendingRow, bool, error) {
	p, found, err := t.Tx.Pending(ctx, id)
	return one(p, found, err, t.pending)
}

func (t *sealed) Pendings(ctx context.Context, id account.ID) ([]PendingRow, error) {
	rows, err := t.Tx.Pendings(ctx, id)
	return all(rows, err, t.pending)
}

func (t *sealed) PendingsSince(ctx context.Context, id account.ID, action account.Action, since time.Time) ([]PendingRow, error) {
	rows, err := t.Tx.PendingsSince(ctx, id, action, since)
	return all(rows, err, t.pending)
}

func (t *sealed) AddPending(ctx context.Context, p PendingRow) error {
	p.MAC = t.mac(p, string(p.ID), p.MAC)
	return t.Tx.AddPending(ctx, p)
}

func (t *sealed) EndPending(ctx context.Context, p PendingRow) (bool, error) {
	p.MAC = t.mac(p, string(p.ID), p.MAC)
	return t.Tx.EndPending(ctx, p)
}
