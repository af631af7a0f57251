package registry

import (
	"context"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
)

// exceptionDays is how far back the uses of exceptions are told.
const exceptionDays = 30

// ExceptionState is an exception of the policy in force, and what it has done.
type ExceptionState struct {
	attest.Exception
	Days []ExceptionDay // of the last 30, those with a use, by time
}

// ExceptionDay is a day in UTC on which an exception was used.
type ExceptionDay struct {
	Exception string
	Day       int64 // days since 1970 UTC
	Uses      int   // accepted registrations
	Accounts  int   // distinct
}

// Time is when the day begins.
func (d ExceptionDay) Time() time.Time { return time.Unix(d.Day*24*3600, 0).UTC() }

// Exceptions gives the exceptions of the policy in force that are for the app, in
// its order, to a backend or an operator.
func (s *Service) Exceptions(ctx context.Context, caller account.Caller) ([]ExceptionState, error) {
	now := s.now()
	if err := s.mayRead(caller, s.id); err != nil {
		return nil, err
	}
	p, _, err := s.current(s.id)
	if err != nil {
		return nil, err
	}
	var out []ExceptionState
	var ids []string
	at := map[string]int{}
	for _, x := range p.Exceptions(string(s.id)) {
		at[x.ID] = len(out)
		ids, out = append(ids, x.ID), append(out, ExceptionState{Exception: x})
	}
	var days []ExceptionDay
	err = s.view(ctx, func(tx Tx) (err error) {
		days, err = tx.ExceptionDays(ctx, ids, dayOf(now)-exceptionDays+1)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("registry: exceptions: %w", err)
	}
	for _, d := range days {
		x := &out[at[d.Exception]]
		x.Days = append(x.Days, d)
	}
	return out, nil
}

// StageState is a stage of the rollout, and what was decided in it.
type StageState struct {
	attest.Stage // Name alone, if the policy in force has none of that name
	InForce      bool
	Counted      StatRow   // attempts, without By
	WouldDeny    []StatRow // by code: findings that would have denied, if it enforced
}

// Stages gives the stages of the rollout in force, in their order, with what was
// counted in them from a time on, to a backend or an operator. Behind them come
// such as were in force in that time and no longer are, and what no stage matched,
// whose name is empty.
func (s *Service) Stages(ctx context.Context, caller account.Caller, from time.Time) ([]StageState, error) {
	now := s.now()
	if err := s.mayRead(caller, s.id); err != nil {
		return nil, err
	}
	p, _, err := s.current(s.id)
	if err != nil {
		return nil, err
	}
	var read []*StatReport
	err = s.view(ctx, func(tx Tx) (err error) {
		counted := &StatFilter{App: s.id, From: from, By: []Dim{DimStage}, NoTotal: true}
		codes := &StatFilter{App: s.id, From: from, By: []Dim{DimStage, DimCode}, Equal: map[Dim]string{DimVerdict: "would_deny", DimEffect: "reject"}, NoTotal: true}
		read, err = ReadReports(ctx, tx, []*StatFilter{counted, codes}, now)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("registry: stages: %w", err)
	}
	counted, codes := read[0], read[1]
	var out []StageState
	at := map[string]int{}
	of := func(name string) *StageState {
		i, known := at[name]
		if !known {
			i = len(out)
			at[name] = i
			out = append(out, StageState{Stage: attest.Stage{Name: name}})
		}
		return &out[i]
	}
	for _, stage := range p.Stages(string(s.id)) {
		st := of(stage.Name)
		st.Stage, st.InForce = stage, true
	}
	for _, r := range counted.Rows {
		of(r.By[0]).Counted = r
	}
	for _, r := range codes.Rows {
		name := r.By[0]
		r.By = r.By[1:]
		st := of(name)
		st.WouldDeny = append(st.WouldDeny, r)
	}
	return out, nil
}
