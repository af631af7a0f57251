package server

import (
	"context"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/store/sqlite"
)

// What a console reads of the pillars. Each asks itself who the caller is; of the
// audit record, which belongs to no pillar, operator asks.

// Reports gives statistics of attestation.
func (r *consoleReader) Reports(ctx context.Context, who account.Caller, in []*registry.StatFilter) ([]*registry.StatReport, error) {
	return r.a.attest.Reports(ctx, who, in)
}

// Suspects ranks the classes of phones that look honest and are refused.
func (r *consoleReader) Suspects(ctx context.Context, who account.Caller, app account.AppID) ([]registry.Suspect, error) {
	return r.a.attest.Suspects(ctx, who, app)
}

// Exceptions gives those of the policy in force.
func (r *consoleReader) Exceptions(ctx context.Context, who account.Caller) ([]registry.ExceptionState, error) {
	return r.a.attest.Exceptions(ctx, who)
}

// Stages gives those of the rollout.
func (r *consoleReader) Stages(ctx context.Context, who account.Caller, from time.Time) ([]registry.StageState, error) {
	return r.a.attest.Stages(ctx, who, from)
}

// Accounts reports whether the app has accounts here.
func (r *consoleReader) Accounts() bool { return r.a.flows != nil }

// FindAccount finds an account by its id or handle.
func (r *consoleReader) FindAccount(ctx context.Context, who account.Caller, text string) (account.ID, error) {
	if r.a.flows == nil {
		return "", integrity.ErrAccountUnknown
	}
	return r.a.flows.FindAccount(ctx, who, text)
}

// Inspect gives an account.
func (r *consoleReader) Inspect(ctx context.Context, who account.Caller, id account.ID) (*integrity.Inspected, error) {
	if r.a.flows == nil {
		return nil, integrity.ErrAccountUnknown
	}
	return r.a.flows.Inspect(ctx, who, id)
}

// AlertText says what an alert tells.
func (r *consoleReader) AlertText(a integrity.AlertRow) string {
	if r.a.flows == nil {
		return ""
	}
	return r.a.flows.AlertText(a)
}

// Holdings gives what the vaults hold for an account; nil without recovery.
func (r *consoleReader) Holdings(ctx context.Context, who account.Caller, id account.ID) (*recovery.Holdings, error) {
	if err := r.operator(who); err != nil || r.a.recovery == nil {
		return nil, err
	}
	return r.a.recovery.Holdings(ctx, id)
}

// operator refuses whoever is none of the app.
func (r *consoleReader) operator(who account.Caller) error {
	if !who.In(r.a.id) || who.Kind != account.Operator {
		return fmt.Errorf("server: console: %w", integrity.ErrNotAllowed)
	}
	return nil
}

// SearchAudit gives a page of the audit record.
func (r *consoleReader) SearchAudit(ctx context.Context, who account.Caller, q *audit.Query) (out *audit.Page, err error) {
	if err := r.operator(who); err != nil {
		return nil, err
	}
	err = r.view(ctx, func(tx *sqlite.Tx) (err error) {
		out, err = audit.Search(ctx, tx, q, r.auditKeys)
		return err
	})
	return out, err
}

// AuditStanding tells how the seals stand.
func (r *consoleReader) AuditStanding(ctx context.Context, who account.Caller) (out *audit.Standing, err error) {
	if err := r.operator(who); err != nil {
		return nil, err
	}
	err = r.view(ctx, func(tx *sqlite.Tx) (err error) {
		out, err = audit.ReadStanding(ctx, tx, r.auditKeys)
		return err
	})
	return out, err
}

// CheckChain walks the record of one account.
func (r *consoleReader) CheckChain(ctx context.Context, who account.Caller, id account.ID) (out *audit.ChainReport, err error) {
	if err := r.operator(who); err != nil {
		return nil, err
	}
	err = r.view(ctx, func(tx *sqlite.Tx) (err error) {
		out, err = audit.CheckChain(ctx, tx, id, r.auditKeys)
		return err
	})
	return out, err
}
