package server

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/recovery"
)

// vaultsWait is how long a server waits for its vaults before it serves without
// them: then it says so, and calls that need them fail and may be repeated.
const vaultsWait = 20 * time.Second

// recoverer is pillar recovery of all apps: the vaults, and what could not be
// stored.
type recoverer struct {
	vaults   vaults
	vouchers ed25519.PrivateKey
	retry    retryStream
}

// openRecovery makes pillar recovery over the stores, which are open.
func (s *Server) openRecovery(l *loaded, m *metrics) error {
	if !s.cfg.RecoveryOn() {
		return s.warnOff()
	}
	r := &recoverer{}
	s.recovery = r
	var err error
	if r.vaults, r.vouchers, err = s.openVaults(); err != nil {
		return err
	}
	if r.retry, err = openRetry(s.cfg, s.sound, s.log); err != nil {
		return fmt.Errorf("server: the retry stream: %w", err)
	}
	m.retry(r.retry, s.now)
	for _, a := range s.apps {
		if a.flows == nil {
			continue
		}
		if err := s.newRecovery(a, l, m); err != nil {
			return fmt.Errorf("server: app %s: %w", a.id, err)
		}
	}
	return nil
}

// recoveryPolicy: profile seed is always strict.
func (s *Server) recoveryPolicy() string {
	if s.cfg.Recovery.Profile == config.ProfileSeed {
		return recovery.PolicyStrict
	}
	return s.cfg.Recovery.Policy
}

// newRecovery makes pillar recovery of one app.
func (s *Server) newRecovery(a *app, l *loaded, m *metrics) (err error) {
	root := l.roots[string(a.id)]
	pepper, err1 := derive(root, "staunch/recovery/pepper/v1", a.id)
	rows, err2 := rowKey(root, a.id)
	rates, err3 := rateKey(root, a.id)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	inRecovery := func(tx *tellingTx) recovery.Tx { return tx }
	ended := func(ctx context.Context, err error, t *told) {
		a.flows.Beside(ctx, err, t.alerted)
		if err == nil {
			m.recovered(a.id, t)
		}
	}
	a.recovery, err = recovery.NewService(&recovery.Options{
		App: a.id, Pepper: pepper, RowKey: rows, RateKey: rates,
		Set: s.recovery.vaults.Signed(), Policy: s.recoveryPolicy(), PINMin: s.cfg.Recovery.PINMinLength,
		Vaults: s.recovery.vaults.Vaults(), Vouchers: s.recovery.vouchers,
		Update: overStore(a.store.Update, ended, inRecovery), View: overStore(a.store.View, ended, inRecovery),
		Accounts: accountHooks{a.flows}, Retry: s.recovery.retry, Timeout: s.cfg.Vault.Timeout.Duration, Now: s.now, Logger: s.log,
	})
	a.hooks.service = a.recovery
	return err
}

// apply stores an entry of the retry stream, in the store of its app.
func (s *Server) apply(ctx context.Context, r recovery.Record) error {
	for _, a := range s.apps {
		if a.id == r.App && a.recovery != nil {
			return a.recovery.Apply(ctx, r)
		}
	}
	return fmt.Errorf("%w: it is of app %q", recovery.ErrPermanent, r.App)
}

// sound reports whether an entry of the retry stream is of an app of this server,
// and sealed by it. While the server starts none is: they are not joined then.
func (s *Server) sound(r recovery.Record) bool {
	for _, a := range s.apps {
		if a.id == r.App && a.recovery != nil {
			return a.recovery.Sound(r)
		}
	}
	return false
}

// runRecovery starts the vaults, and returns when they answer, or do not in time.
// stop ends everything, and waits for it.
func (s *Server) runRecovery(ctx context.Context) (stop func()) {
	r := s.recovery
	if r == nil {
		return func() {}
	}
	ready, end := context.WithTimeout(ctx, vaultsWait) // who stops the server meanwhile does not wait
	defer end()
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // the last calls need the vaults
	var parts sync.WaitGroup
	part := func(what string, run func(context.Context) error) {
		parts.Go(func() {
			if err := run(ctx); err != nil && ctx.Err() == nil {
				s.log.Error(what+" has ended", "error", err)
			}
		})
	}
	part("the vaults", r.vaults.Run)
	part("the retry stream", func(ctx context.Context) error { return r.retry.Run(ctx, s.apply) })
	if err := r.vaults.Ready(ready); err != nil && !errors.Is(err, context.Canceled) {
		s.log.Error("the vaults do not answer: PINs can be set and proved when they do", "error", err)
		parts.Go(func() { s.awaitVaults(ctx) })
	}
	for _, a := range s.apps {
		if a.recovery != nil {
			part("recovery of app "+string(a.id), a.recovery.Run)
		}
	}
	return func() {
		cancel()
		parts.Wait()
	}
}

// awaitVaults says when they answer.
func (s *Server) awaitVaults(ctx context.Context) {
	if err := s.recovery.vaults.Ready(ctx); err == nil {
		s.log.Info("the vaults answer now")
	}
}

func (r *recoverer) close() error {
	if r == nil || r.retry == nil {
		return nil
	}
	return r.retry.Close()
}
