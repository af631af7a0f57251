package registry

import (
	"context"
	"slices"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
)

// Observation is one verdict, told to Options.Observe once it is committed. It
// names no account, key or model.
type Observation struct {
	App        account.AppID
	Platform   string // "android", "apple", or empty
	Operation  string // attest.OperationRegister or attest.OperationRequest
	Verdict    string // accept, reject, or would_deny: it rejects, and the rollout let it pass
	Mode       attest.Mode
	Findings   []attest.Finding
	Exceptions []string // ids of the exceptions of the policy that were used
	Unrecorded bool     // a refusal, one of too many for the audit record
}

// counting is a transaction that remembers what was counted in it, so that it
// can be told, and learned, after the commit and not before.
type counting struct {
	Tx
	noted  []outcome
	growth map[int64]*growth // by hour
	rows   map[StatKey]*learnedRow
}

// committed wraps the update of a store: fn gets a new counting each time that
// it runs, and what the last one holds takes effect after the commit.
func (s *Service) committed(update func(context.Context, func(Tx) error) error) func(context.Context, func(Tx) error) error {
	return func(ctx context.Context, fn func(Tx) error) error {
		var last *counting
		err := update(ctx, func(tx Tx) error {
			last = &counting{Tx: tx}
			return fn(last)
		})
		if err != nil || last == nil {
			return err
		}
		s.memo.learn(last)
		s.observed(last.noted...)
		return nil
	}
}

// observed tells Options.Observe. What is counted nowhere else, such as a
// refusal without a transaction, is told directly.
func (s *Service) observed(all ...outcome) {
	if s.observe == nil {
		return
	}
	for _, o := range all {
		mode := o.stage.Mode
		if mode == "" {
			mode = attest.ModeEnforce
		}
		s.observe(Observation{
			App: s.id, Platform: o.platform, Operation: o.operation, Verdict: o.verdict(), Mode: mode,
			Findings: slices.Clone(o.findings), Exceptions: slices.Clone(o.exceptions),
			Unrecorded: o.unrecorded,
		})
	}
}
