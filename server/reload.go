package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/staunchid/staunch/attest"
)

// Reload reads policy, revocation list and certificate anew. When one of them
// is wrong, all stay as they were. A policy with another digest is kept, and
// recorded in the audit of every app, before it is in force; when a store
// refuses that, the old one stays.
func (s *Server) Reload(ctx context.Context) error {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	var l loaded
	if err := l.reloadable(s.cfg, s.testRoots, s.now()); err != nil {
		return err
	}
	receipts, err := s.askApple(l.appleKeys)
	if err != nil {
		return err
	}
	// Last of what can fail: the record names a policy that is in force.
	if err := s.adopt(ctx, s.policy.Load(), l.policy); err != nil {
		return err
	}
	s.feed.receipts.Store(receipts)
	s.use(&l)
	s.wake()
	for _, a := range s.apps {
		a.attest.ResumeReceipts()
	}
	s.logLoaded(&l)
	s.log.Info("reloaded", "policy", l.policy.Digest(), "status_list_file_read", s.cfg.Attest.StatusListFile != "")
	return nil
}

// adopt has every app put on its record that p is in force in the place of was.
// When one of them cannot, those that have done it take it back, and nothing
// has changed. If one cannot even do that, its record runs ahead of the truth
// until the next start or reload.
func (s *Server) adopt(ctx context.Context, was, p *attest.Policy) error {
	for i, a := range s.apps {
		err := a.attest.AdoptPolicy(ctx, p)
		if err == nil {
			continue
		}
		errs := []error{fmt.Errorf("server: app %s: record policy: %w", a.id, err)}
		for _, done := range s.apps[:i] {
			if err := done.attest.AdoptPolicy(ctx, was); err != nil {
				errs = append(errs, fmt.Errorf("server: app %s: record that the old policy stays: %w", done.id, err))
			}
		}
		return errors.Join(errs...) // no entry, no action
	}
	return nil
}
