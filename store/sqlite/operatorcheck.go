package sqlite

import (
	"context"

	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/operator"
)

// AllOperatorSessions calls yield for every session of operators, ended ones too.
func (tx *Tx) AllOperatorSessions(ctx context.Context, yield func(operator.Session) error) error {
	return every(ctx, tx, "operator's session", readOperatorSession, `SELECT `+operatorSessionColumns+` FROM operator_session ORDER BY id`, yield)
}

// operatorProblems compares operators and their sessions with the record.
func (tx *Tx) operatorProblems(ctx context.Context) ([]audit.Problem, error) {
	return operator.Problems(ctx, tx)
}
