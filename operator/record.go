package operator

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
)

// standing is how far an operator has come. It only rises: an ID is invited,
// enrolled once and removed, and never given again.
type standing int

const (
	invited standing = iota + 1
	enrolled
	removed
)

// told is what the record tells of an operator.
type told struct {
	standing standing
	digest   [32]byte // of his row
	at       time.Time
	n        uint64 // the entry that told it
}

// begun is what the record tells of a session. Over never becomes false again.
type begun struct {
	of   ID
	at   time.Time
	over bool
	n    uint64 // the entry that told it last
}

// record is what the app's own chain tells of operators and their sessions, up to
// head. A row that was put back has a good MAC, and is not as the record tells.
//
// Who can write to the store can put entries at the end of the chain too. So what
// has ended stays ended, whatever later entries tell.
type record struct {
	head      audit.Head
	operators map[ID]told
	sessions  map[account.SessionID]begun
}

func newRecord() *record {
	return &record{operators: map[ID]told{}, sessions: map[account.SessionID]begun{}}
}

// read takes up the next entry of the chain. It returns false for one that tells
// what cannot be: that somebody is back who was removed, or a session that was over.
func (r *record) read(e *audit.Entry) bool {
	if s, ok := stepOf(e); ok && !r.step(s, e) {
		return false
	}
	id := account.SessionID(e.Actor.Session)
	switch b, known := r.sessions[id]; {
	case e.Actor.Kind != account.Operator || id == "":
	case e.Action == "operator.enrol" || e.Action == "operator.sign_in":
		if known || r.operators[ID(e.Subject)].standing != enrolled {
			return false
		}
		r.sessions[id] = begun{of: ID(e.Subject), at: e.Time, n: e.N}
	case e.Action == "operator.sign_out" && known:
		b.over, b.n = true, e.N
		r.sessions[id] = b
	}
	return true
}

// stepOf is the standing to which an entry lifts its operator.
func stepOf(e *audit.Entry) (s standing, ok bool) {
	switch e.Action {
	case "operator.invite":
		s = invited
	case "operator.enrol":
		s = enrolled
	case "operator.remove":
		s = removed
	}
	return s, s != 0 && len(e.Object) == 32
}

func (r *record) step(s standing, e *audit.Entry) bool {
	id := ID(e.Subject)
	was := r.operators[id].standing
	if s < was || s == was && s == enrolled || s == enrolled && was != invited {
		return false
	}
	if s == was && s == invited && e.Time.Before(r.operators[id].at) { // the link before has ended
		return false
	}
	r.operators[id] = told{s, [32]byte(e.Object), e.Time, e.N}
	if s == removed {
		for name, b := range r.sessions {
			if b.of == id && !b.over {
				b.over, b.n = true, e.N
				r.sessions[name] = b
			}
		}
	}
	return true
}

// operator reports whether a row is as the record tells. The digest in an entry is not
// enough, for who puts an old row back can append an entry with that row's: of somebody
// who was removed only a row that says so counts, and of somebody who is invited only
// one whose link was made when the entry was.
func (r *record) operator(o Operator) bool {
	t, known := r.operators[o.ID]
	switch {
	case !known || t.digest != o.Digest():
		return false
	case t.standing == removed:
		return !o.RemovedAt.IsZero()
	case t.standing == invited:
		return o.InvitedUntil.Equal(t.at.Add(InvitationLife))
	}
	return true
}

// session reports whether a row is as the record tells.
func (r *record) session(s Session) bool {
	b, known := r.sessions[s.ID]
	return known && b.of == s.Operator && (!b.over || !s.EndedAt.IsZero())
}

// forget drops sessions that ran out long before now: their rows count no more,
// whatever is told of them.
func (r *record) forget(now time.Time) {
	maps.DeleteFunc(r.sessions, func(_ account.SessionID, b begun) bool { return now.Sub(b.at) > 2*SessionLife })
}

// on reads what stands in the chain behind head, in tx, and gives the record up to
// there; r stays as it is. The entry at head must be there as it was: else the store
// was put back to an earlier state, or its record written anew.
func (r *record) on(ctx context.Context, tx Tx, app account.AppID, now time.Time) (*record, error) {
	next, last, wrong := r, audit.Head{}, error(nil)
	err := tx.AppAuditEntries(ctx, max(r.head.N, 1), func(e audit.Entry) error {
		at := audit.Head{N: e.N, Hash: e.Hash}
		switch want := e.Next(app, last); {
		case wrong != nil:
			return nil //nolint:nilerr // the first fault counts, and it is none of the reading
		case e.N == r.head.N && at == r.head: // its hash was computed when it was read first
		case e.N == r.head.N:
			wrong = fmt.Errorf("%w: entry %d of the app's audit record is not as it was read before", ErrTampered, e.N)
		case e.N != want.N || e.Prev != want.Prev || e.Hash != want.Hash:
			wrong = fmt.Errorf("%w: entry %d of the app's audit record does not follow the one before", ErrTampered, e.N)
		default:
			if next == r {
				next = &record{operators: maps.Clone(r.operators), sessions: maps.Clone(r.sessions)}
			}
			next.read(&e) // what cannot be counts for nothing; Problems reports it
		}
		last = at
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case wrong != nil:
		return nil, wrong
	case last.N < r.head.N:
		return nil, fmt.Errorf("%w: entry %d of the app's audit record was read before, and is gone", ErrTampered, r.head.N)
	}
	if next != r {
		next.head = last
		next.forget(now)
	}
	return next, nil
}

// judging is a transaction in which rows of operators and sessions are refused that
// are not as the record tells.
type judging struct {
	Tx
	record *record
	now    time.Time
}

func (j judging) judge(o Operator, found bool, err error) (Operator, bool, error) {
	if err == nil && found && !j.record.operator(o) {
		return Operator{}, false, fmt.Errorf("%w: operator %.40s is not as the record tells", ErrTampered, o.ID)
	}
	return o, found, err
}

// Operator judges.
func (j judging) Operator(ctx context.Context, id ID) (Operator, bool, error) {
	return j.judge(j.Tx.Operator(ctx, id))
}

// OperatorNamed judges.
func (j judging) OperatorNamed(ctx context.Context, name string) (Operator, bool, error) {
	return j.judge(j.Tx.OperatorNamed(ctx, name))
}

// OperatorInvited judges.
func (j judging) OperatorInvited(ctx context.Context, hash [32]byte) (Operator, bool, error) {
	return j.judge(j.Tx.OperatorInvited(ctx, hash))
}

// OperatorByCredential judges.
func (j judging) OperatorByCredential(ctx context.Context, id []byte) (Operator, bool, error) {
	return j.judge(j.Tx.OperatorByCredential(ctx, id))
}

// Operators judges each.
func (j judging) Operators(ctx context.Context) ([]Operator, error) {
	all, err := j.Tx.Operators(ctx)
	for _, o := range all {
		if _, _, err := j.judge(o, true, nil); err != nil {
			return nil, err
		}
	}
	return all, err
}

// OperatorSession judges.
func (j judging) OperatorSession(ctx context.Context, hash [32]byte) (Session, bool, error) {
	s, found, err := j.Tx.OperatorSession(ctx, hash)
	if err == nil && found && s.EndedAt.IsZero() && j.now.Before(s.Until) && !j.record.session(s) {
		return Session{}, false, fmt.Errorf("%w: session %.40s is not as the record tells", ErrTampered, s.ID)
	}
	return s, found, err
}
