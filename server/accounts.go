package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/store/sqlite"
)

// newFlows makes what an app does with accounts, over its own store and with keys
// of its own root secret.
func (s *Server) newFlows(a *app, l *loaded, la *loadedAccounts, m *metrics) (*integrity.Service, error) {
	root := l.roots[string(a.id)]
	rows, err1 := rowKey(root, a.id)
	rates, err2 := rateKey(root, a.id)
	fakes, err3 := fakeKey(root, a.id)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	o := &integrity.Options{
		App: a.id, Name: a.name, Passkey: la.rp, Attest: a.attest,
		Update: overStore(a.store.Update, m.movedIn(a.id), func(tx *tellingTx) integrity.Tx { return tx }),
		View: func(ctx context.Context, fn func(integrity.Tx) error) error {
			return a.store.View(ctx, func(tx *sqlite.Tx) error { return fn(tx) })
		},
		Peek: func(ctx context.Context, fn func(integrity.Tx) error) error {
			return a.store.Peek(ctx, func(tx *sqlite.Tx) error { return fn(tx) })
		},
		Moves: a.moves, RowKey: rows, RateKey: rates, FakeKey: fakes,
		Policy: la.policy, Backend: la.backend, Now: s.now, Logger: s.log,
	}
	if s.cfg.RecoveryOn() {
		a.hooks = &recoveryHooks{}
		o.Recovery = a.hooks
	}
	flows, err := integrity.New(o)
	if err != nil {
		return nil, fmt.Errorf("server: app %s: %w", a.id, err)
	}
	return flows, nil
}

// How the clock of accounts runs.
const (
	tickEvery = time.Second
	tickMost  = 100 // transactions at once, so that calls get their turn
)

// keepTime ends the holds of an app's accounts and opens what waits, each second.
// More servers than one may do that.
func (s *Server) keepTime(ctx context.Context, a *app) {
	if a.flows == nil {
		return
	}
	t := time.NewTicker(tickEvery)
	defer t.Stop()
	failing := false
	for {
		err := tickAll(ctx, a)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !failing: // once, not each second
			s.log.Error("holds and waits do not end; it is tried again each second", "app", a.id, "error", err)
		case err == nil && failing:
			s.log.Info("holds and waits end again", "app", a.id)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// tickAll does what is due, as far as it fits into one turn.
func tickAll(ctx context.Context, a *app) error {
	for range tickMost {
		if more, err := a.flows.Tick(ctx); err != nil || !more {
			return err
		}
	}
	return nil
}
