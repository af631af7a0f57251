package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/spawn"
	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/store/sqlite"
	"github.com/staunchid/staunch/stream"
	"github.com/staunchid/staunch/stream/wal"
)

// RecoveryStatus is how PIN recovery stands, as who operates it wants to know.
type RecoveryStatus struct {
	recovery.VaultsStatus
	Freshness     wire.Freshness
	OnAmnesia     string
	WitnessErrors map[string]string // by witness that is no vault: why it does not answer; empty: it does
	Apps          []AppRecovery     // those that have accounts
	Retry         stream.Stats
	RetryError    string // why the retry stream cannot be read; empty: it can
}

// AppRecovery is what the store of an app holds for the vaults.
type AppRecovery struct {
	App string
	recovery.Waiting
	Behind recovery.Behind // who has not set the PIN anew since a vault was replaced
}

// ReadRecoveryStatus asks vaults, witnesses, stores and retry stream. A server may
// run meanwhile, and nothing is changed. An error means that it cannot tell; what
// does not answer is told.
func ReadRecoveryStatus(ctx context.Context, cfg *config.Config, now time.Time) (*RecoveryStatus, error) {
	if !cfg.RecoveryOn() {
		return nil, errors.New(`server: there is no recovery in this configuration: recovery.profile is "none", or no app has accounts`)
	}
	out, err := askVaults(ctx, cfg, now)
	if err != nil {
		return nil, err
	}
	ids := out.ids()
	for i := range cfg.Apps {
		if !cfg.Apps[i].HasAccounts() {
			continue
		}
		a := AppRecovery{App: cfg.Apps[i].ID}
		err := viewStore(ctx, cfg, account.AppID(a.App), func(tx *sqlite.Tx) (err error) {
			if a.Waiting, err = recovery.ReadWaiting(ctx, tx, ids, now); err != nil {
				return err
			}
			a.Behind, err = recovery.ReadBehind(ctx, tx, ids)
			return err
		})
		if err != nil {
			return nil, err
		}
		out.Apps = append(out.Apps, a)
	}
	if out.Retry, err = readRetry(ctx, cfg); err != nil {
		out.RetryError = err.Error()
	}
	return out, nil
}

// ids are those of the vaults.
func (s *RecoveryStatus) ids() (all []string) {
	for _, v := range s.Vaults {
		all = append(all, v.ID)
	}
	return all
}

// askVaults asks vaults and witnesses, and reads no store.
func askVaults(ctx context.Context, cfg *config.Config, now time.Time) (*RecoveryStatus, error) {
	view, err := lookAtVaults(cfg)
	if err != nil {
		return nil, err
	}
	defer view.close()
	out := &RecoveryStatus{Freshness: view.config.Freshness, OnAmnesia: view.config.OnAmnesia, WitnessErrors: map[string]string{}}
	timeout := cfg.Vault.Timeout.Duration
	vaults, err := recovery.ReadStatus(ctx, &recovery.StatusOptions{
		Set: view.signed, Policy: view.config.Policy, Vaults: view.ways, Timeout: timeout, Now: func() time.Time { return now },
	})
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	out.VaultsStatus = *vaults
	for _, w := range vaults.Witnesses {
		out.WitnessErrors[w] = ""
		if err := listens(ctx, view.witnesses[w], timeout); err != nil {
			out.WitnessErrors[w] = err.Error()
		}
	}
	return out, nil
}

// vaultView is what of the vaults is known before any is asked.
type vaultView struct {
	signed    []byte
	ways      []recovery.Vault
	config    wire.Config       // of a vault; its level is empty where nobody knows
	witnesses map[string]string // addresses of those that are no vaults
	close     func()
}

func lookAtVaults(cfg *config.Config) (*vaultView, error) {
	if cfg.Vault.Mode == "remote" {
		set, err := openRemote(cfg)
		if err != nil {
			return nil, err
		}
		v := &vaultView{set.Signed(), set.Vaults(), wire.Config{Policy: cfg.Recovery.Policy}, map[string]string{}, set.Close}
		if c, err := set.Config(); err == nil {
			v.config = c
		}
		for _, id := range set.Witnesses() {
			v.witnesses[id] = witnessAddress(cfg, id)
		}
		return v, nil
	}
	look, err := spawn.Look(filepath.Join(cfg.DataDir, "vaults"))
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	v := &vaultView{look.Signed, look.Vaults, look.Config, map[string]string{}, look.Close}
	for id, path := range look.Witnesses {
		v.witnesses[id] = "unix:" + path
	}
	return v, nil
}

// listens reports whether a witness takes connections. Only other members of the
// set may ask it more.
func listens(ctx context.Context, address string, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var d net.Dialer
	network, where, _ := strings.Cut(address, ":")
	c, err := d.DialContext(ctx, network, where)
	if err != nil {
		return err
	}
	return c.Close()
}

// readRetry tells what the retry stream holds, without taking it from a server
// that runs.
func readRetry(ctx context.Context, cfg *config.Config) (s stream.Stats, err error) {
	if cfg.Recovery.Retry.Kind != "kafka" {
		return wal.ReadStats(retryDir(cfg))
	}
	l, err := openLetters(cfg)
	if err != nil {
		return s, err
	}
	defer l.Close()
	return l.Stats(ctx)
}
