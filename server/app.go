package server

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/operator"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/store/sqlite"
	"github.com/staunchid/staunch/transfer"
	"github.com/staunchid/staunch/webhook"
)

// app is what runs for one app. Services are built once an app over that app's
// store, so that no query can forget which app it is for.
type app struct {
	id     account.AppID
	store  *sqlite.Store
	name   string // as people see it; empty without accounts
	attest *registry.Service
	flows  *integrity.Service // nil: attestation alone
	// recovery brings sealing keys back; hooks are it for the flows. nil: none.
	recovery *recovery.Service
	hooks    *recoveryHooks
	moves    *transfer.Service  // accounts go to new phones; nil: attestation alone
	people   *operator.Service  // who may come to the console; nil: there is none
	webhook  *webhook.Deliverer // nil: nobody is told
	sealer   *audit.Sealer      // nil: nothing is sealed
	wake     chan struct{}      // a revocation list is to be applied
}

// storePath is where the store of an app lies. Ids and names of files are checked
// to be safe here.
func storePath(cfg *config.Config, id account.AppID) string {
	file := string(id) + ".db"
	for i := range cfg.Apps {
		if cfg.Apps[i].ID == string(id) {
			file = cfg.Apps[i].StoreFile()
		}
	}
	return filepath.Join(cfg.DataDir, file)
}

func (s *Server) openApps(l *loaded, m *metrics) error {
	verifier, err := attest.NewVerifier(&attest.Options{})
	if err != nil {
		return fmt.Errorf("server: %w", err)
	}
	for _, c := range s.cfg.Apps {
		a := &app{id: account.AppID(c.ID), name: c.Name, wake: make(chan struct{}, 1)}
		a.store, err = sqlite.Open(context.Background(), &sqlite.Options{Path: storePath(s.cfg, a.id), App: a.id, Logger: s.log})
		if err != nil {
			return fmt.Errorf("server: app %s: %w", a.id, err)
		}
		s.apps = append(s.apps, a)
		if a.sealer, err = s.newSealer(a, l); err != nil {
			return err
		}
		key, err := hashKey(l.roots[c.ID], a.id)
		if err != nil {
			return fmt.Errorf("server: app %s: %w", a.id, err)
		}
		a.attest, err = registry.New(&registry.Options{
			App: a.id, Policy: s.policy.Load, Status: s.statusList, Verifier: verifier,
			Update: func(ctx context.Context, fn func(registry.Tx) error) error {
				return a.store.Update(ctx, func(tx *sqlite.Tx) error { return fn(tx) })
			},
			View: func(ctx context.Context, fn func(registry.Tx) error) error {
				return a.store.View(ctx, func(tx *sqlite.Tx) error { return fn(tx) })
			},
			Now: s.now, Logger: s.log, HashKey: key, Observe: m.verdict,
			Exchange: s.exchange,
			Exchanged: func(r registry.ExchangeResult) {
				s.feed.refresh.WithLabelValues(string(a.id), string(r)).Inc()
			},
			EvidenceRetention:               s.cfg.Attest.EvidenceRetention.Duration,
			DangerousStoreDeviceIdentifiers: s.cfg.Attest.DangerousStoreDeviceIdentifiers,
		})
		if err != nil {
			return fmt.Errorf("server: app %s: %w", a.id, err)
		}
		if err := a.attest.AdoptPolicy(context.Background(), l.policy); err != nil {
			return fmt.Errorf("server: app %s: record policy: %w", a.id, err)
		}
		if la, ok := l.accounts[c.ID]; ok {
			if a.moves, err = s.newMoves(a, &c, l, m); err != nil {
				return fmt.Errorf("server: app %s: %w", a.id, err)
			}
			if a.flows, err = s.newFlows(a, l, la, m); err != nil {
				return err
			}
			if c.WebhookURL != "" {
				if a.webhook, err = s.newWebhook(a, l, c.WebhookURL); err != nil {
					return err
				}
			}
		}
	}
	m.registry.MustRegister(newKeyCounts(s.apps, s.log, s.now), newRelayBytes(s.apps, s.log))
	return nil
}

// healthy reads from the store of a.
func (a *app) healthy(ctx context.Context) error {
	return a.store.View(ctx, func(tx *sqlite.Tx) error {
		_, err := tx.Challenge(ctx, [sha256.Size]byte{})
		if errors.Is(err, registry.ErrChallengeUnknown) {
			return nil
		}
		return err
	})
}
