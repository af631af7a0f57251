package operator

import (
	"context"

	"github.com/staunchid/staunch/audit"
)

// Rows is what Problems reads of a store.
type Rows interface {
	AppAuditEntries(ctx context.Context, from uint64, yield func(audit.Entry) error) error
	Operators(ctx context.Context) ([]Operator, error)
	// AllOperatorSessions calls yield for every session, ended ones too.
	AllOperatorSessions(ctx context.Context, yield func(Session) error) error
}

// Problems reports the operators and sessions that are not as the record tells, and
// the entries that tell of somebody who is back: what a Service refuses. It looks at
// no hash and no MAC; audit.Check does.
func Problems(ctx context.Context, tx Rows) (all []audit.Problem, err error) {
	r := newRecord()
	err = tx.AppAuditEntries(ctx, 1, func(e audit.Entry) error {
		if !r.read(&e) {
			all = append(all, audit.Problem{Kind: audit.IllegalStep, Subject: e.Subject, Entry: e.N})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	people, err := tx.Operators(ctx)
	if err != nil {
		return nil, err
	}
	for _, o := range people {
		if t, known := r.operators[o.ID]; !r.operator(o) {
			all = append(all, problem(known, string(o.ID), t.n))
		}
	}
	err = tx.AllOperatorSessions(ctx, func(s Session) error {
		if b, known := r.sessions[s.ID]; !r.session(s) {
			all = append(all, problem(known, string(s.ID), b.n))
		}
		return nil
	})
	return all, err
}

func problem(known bool, subject string, n uint64) audit.Problem {
	if !known {
		return audit.Problem{Kind: audit.RowWithoutEntry, Subject: subject}
	}
	return audit.Problem{Kind: audit.RowDigest, Subject: subject, Entry: n}
}
