package server

import (
	"context"
	"crypto/ed25519"
	"fmt"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/store/sqlite"
	"github.com/staunchid/staunch/webhook"
)

// newWebhook makes what tells an app's backend of alerts and events. The key by
// which the backend verifies them is in the log: it is no secret.
func (s *Server) newWebhook(a *app, l *loaded, url string) (*webhook.Deliverer, error) {
	key, err := webhookKey(l.roots[string(a.id)], a.id)
	if err != nil {
		return nil, err
	}
	d, err := webhook.New(&webhook.Options{
		App: a.id, URL: url, Key: key, Alert: a.flows.AlertForBackend, Now: s.now, Logger: s.log,
		Update: func(ctx context.Context, fn func(webhook.Tx) error) error {
			return a.store.Update(ctx, func(tx *sqlite.Tx) error { return fn(tx) })
		},
		View: func(ctx context.Context, fn func(webhook.Tx) error) error {
			return a.store.View(ctx, func(tx *sqlite.Tx) error { return fn(tx) })
		},
	})
	if err != nil {
		return nil, fmt.Errorf("server: app %s: %w", a.id, err)
	}
	s.log.Info("events are delivered by webhook", "app", a.id, "public_key", webhook.PublicKey(key.Public().(ed25519.PublicKey)))
	return d, nil
}

// deliver sends what is in an app's outbox until ctx ends.
func (s *Server) deliver(ctx context.Context, a *app) {
	if a.webhook == nil {
		return
	}
	if err := a.webhook.Run(ctx); err != nil {
		s.log.Error("delivery by webhook has ended", "app", a.id, "error", err)
	}
}

// WebhookKey gives the public key by which an app's backend verifies what is
// delivered to it, as Standard Webhooks writes it. It follows from the app's root
// secret, and stays the same.
func WebhookKey(cfg *config.Config, app string) (string, error) {
	for i, a := range cfg.Apps {
		if a.ID != app {
			continue
		}
		root, err := (&loaded{}).readSecret(cfg, fmt.Sprintf("app[%d].root_secret_file", i), a.RootSecretFile)
		if err != nil {
			return "", fmt.Errorf("server: %w", err)
		}
		key, err := webhookKey(rootSecret{func() []byte { return root }}, account.AppID(app))
		if err != nil {
			return "", err
		}
		return webhook.PublicKey(key.Public().(ed25519.PublicKey)), nil
	}
	return "", fmt.Errorf("server: the configuration has no app %q", app)
}
