package server

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/release"
	"github.com/staunchid/staunch/recovery/spawn"
	"github.com/staunchid/staunch/store/sqlite"
)

// vaultsWait is how long a server waits for its vaults before it serves without
// them: then it says so, and calls that need them fail and may be repeated.
const vaultsWait = 20 * time.Second

// recoverer is pillar recovery of all apps: the vaults, and what could not be
// stored.
type recoverer struct {
	vaults *spawn.Set
	retry  retryStream
}

// openRecovery makes pillar recovery over the stores, which are open.
func (s *Server) openRecovery(l *loaded, m *metrics) error {
	if !s.cfg.RecoveryOn() {
		return nil
	}
	if s.cfg.Vault.Mode != "spawn" {
		return s.cfg.Wrong("vault.mode", "this release runs its vaults itself; write \"spawn\"")
	}
	if len(s.vaultCommand) == 0 {
		return errors.New(`server: options: VaultCommand is required, for the configuration has [recovery]; or write profile = "none" there`)
	}
	records, err := s.anyRecords()
	if err != nil {
		return err
	}
	vouchers, err := s.voucherKey()
	if err != nil {
		return err
	}
	r := &recoverer{}
	s.recovery = r
	r.vaults, err = spawn.Open(&spawn.Options{
		Dir: filepath.Join(s.cfg.DataDir, "vaults"), Profile: s.cfg.Recovery.Profile, Policy: s.recoveryPolicy(), Limit: s.cfg.Recovery.Limit,
		OnAmnesia: s.cfg.Vault.OnTotalAmnesia, Vouchers: vouchers, Records: records, Command: s.vaultCommand,
		LogArgs: []string{"--log-level", s.cfg.Log.Level, "--log-format", s.cfg.Log.Format}, Stderr: s.vaultLog, Logger: s.log, Now: s.now,
	})
	if err != nil {
		return fmt.Errorf("server: %w", err)
	}
	if r.retry, err = openRetry(s.cfg, s.log); err != nil {
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

// anyRecords reports whether a store has records of vaults, and refuses those of
// another profile.
func (s *Server) anyRecords() (any bool, err error) {
	for _, a := range s.apps {
		err := a.store.View(context.Background(), func(tx *sqlite.Tx) error {
			profile, found, err := tx.AnyRecovery(context.Background())
			if err != nil {
				return err
			}
			any = any || found
			if found && profile != s.cfg.Recovery.Profile {
				return s.cfg.Wrong("recovery.profile", "the store of app %s has records of profile %q, and a store never holds those of two profiles: put it back", a.id, profile)
			}
			return nil
		})
		if err != nil {
			return false, err
		}
	}
	return any, nil
}

// voucherKey reads the key that the configuration names. nil: it names none.
func (s *Server) voucherKey() (ed25519.PrivateKey, error) {
	file := s.cfg.Vault.VoucherKeyFile
	if file == "" {
		return nil, nil
	}
	key, err := release.ReadKey(file)
	if err != nil {
		return nil, s.cfg.Wrong("vault.voucher_key_file", "%v; `staunch config new-key` makes such a key", err)
	}
	return key, nil
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
	ended := func(ctx context.Context, err error, t *told) {
		a.flows.Beside(ctx, err, t.alerted)
		if err == nil {
			m.recovered(a.id, t)
		}
	}
	a.recovery, err = recovery.NewService(&recovery.Options{
		App: a.id, Pepper: pepper, RowKey: rows, RateKey: rates,
		Set: s.recovery.vaults.Signed(), Policy: s.recoveryPolicy(), PINMin: s.cfg.Recovery.PINMinLength,
		Vaults: s.recovery.vaults.Vaults(), Vouchers: s.recovery.vaults.Vouchers(),
		Update: besideFlows(a.store.Update, ended), View: besideFlows(a.store.View, ended),
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

// runRecovery starts the vaults, and returns when they answer, or do not in time.
// stop ends everything, and waits for it.
func (s *Server) runRecovery(ctx context.Context) (stop func()) {
	r := s.recovery
	if r == nil {
		return func() {}
	}
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
	ready, end := context.WithTimeout(ctx, vaultsWait)
	defer end()
	if err := r.vaults.Ready(ready); err != nil {
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
