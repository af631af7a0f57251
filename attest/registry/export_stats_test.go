package registry

import (
	"context"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
)

// Bounds of the statistics.
const (
	MaxStatRows    = maxStatRows
	MaxClaimedRows = maxClaimedRows
	MaxStatHashes  = maxStatHashes
)

// Try is one outcome.
type Try struct {
	At                            time.Time
	Operation, Platform           string
	Model, Source, Maker, OS, App string
	Country                       string
	Stage                         attest.Staged
	Findings                      []attest.Finding
	Exceptions                    []string
	Allowed                       bool
	Account                       account.ID
	Batch                         string
}

func (t *Try) outcome() outcome {
	o := outcome{
		at: t.At, operation: t.Operation, platform: t.Platform, model: t.Model, source: t.Source, maker: t.Maker, os: t.OS, appVersion: t.App,
		country: t.Country, stage: t.Stage, findings: t.Findings, exceptions: t.Exceptions, accepted: true, allowed: t.Allowed,
		account: t.Account, batch: t.Batch,
	}
	for _, f := range t.Findings {
		o.accepted = o.accepted && f.Effect != attest.Reject
	}
	return o
}

// CountIn counts in a transaction of a test; Count in one of its own.
func (s *Service) CountIn(ctx context.Context, tx Tx, tries ...Try) error {
	var all []outcome
	for _, t := range tries {
		all = append(all, t.outcome())
	}
	return s.count(ctx, tx, all...)
}

func (s *Service) Count(ctx context.Context, tries ...Try) error {
	return s.update(ctx, func(tx Tx) error { return s.CountIn(ctx, tx, tries...) })
}

// Update is the service's own.
func (s *Service) Update(ctx context.Context, fn func(Tx) error) error { return s.update(ctx, fn) }

// DeleteStats is what a sweep does.
func (s *Service) DeleteStats(ctx context.Context) error {
	for more := true; more; {
		err := s.update(ctx, func(tx Tx) (err error) { more, err = s.deleteStats(ctx, tx, s.now()); return err })
		if err != nil {
			return err
		}
	}
	return nil
}

// AccountHash is what stands for an account in statistics.
func (k HashKey) AccountHash(id account.ID, at time.Time) []byte { return k.account(id, at) }

// Described gives what an outcome says of the phone: of the key of a request if
// there is one, of a verdict, and of what the phone claims.
func Described(k *Key, v attest.Verdict, model, os, appVersion string) string {
	var o outcome
	if k != nil {
		o.operation = attest.OperationRequest
		o.signed(*k)
	}
	o.judged(v)
	o.claims(model, os, appVersion)
	return strings.Join([]string{o.platform, o.model, o.source, o.maker, o.os, o.appVersion, o.batch}, "|")
}
