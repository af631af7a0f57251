package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/store/sqlite"
)

// Reload reads policy, revocation list and certificate anew. When one of them
// is wrong, all stay as they were. A policy with another digest is recorded in
// the audit of every app before it is in force.
func (s *Server) Reload(ctx context.Context) error {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	var l loaded
	if err := l.reloadable(s.cfg, s.testRoots, s.now()); err != nil {
		return err
	}
	if was, is := s.policy.Load().Digest(), l.policy.Digest(); was != is {
		var errs []error
		for _, a := range s.apps {
			if err := a.recordPolicy(ctx, s, was, is); err != nil {
				errs = append(errs, fmt.Errorf("server: app %s: record policy: %w", a.id, err))
			}
		}
		if err := errors.Join(errs...); err != nil {
			return err // no entry, no action
		}
	}
	s.use(&l)
	s.logLoaded(&l)
	s.log.Info("reloaded", "policy", l.policy.Digest(), "status_list", s.cfg.Attest.StatusListFile != "")
	return nil
}

func (a *app) recordPolicy(ctx context.Context, s *Server, was, is string) error {
	return a.store.Update(ctx, func(tx *sqlite.Tx) error {
		return tx.AppendAudit(ctx, audit.Entry{
			Time: s.now(), Actor: audit.Actor{Kind: account.System}, Action: "attest.policy",
			Subject: is, Reason: "reloaded; was " + was,
		})
	})
}
