package server

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/staunchid/staunch/blob"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/store/sqlite"
	"github.com/staunchid/staunch/transfer"
)

// blobsDir is where the ciphertext of all apps lies, in data_dir.
func blobsDir(cfg *config.Config) string { return filepath.Join(cfg.DataDir, "blobs") }

// openBlobs opens the folder of ciphertext, if there is an app whose accounts move.
func (s *Server) openBlobs() (err error) {
	for i := range s.cfg.Apps {
		if s.cfg.Apps[i].HasAccounts() {
			if s.blobs, err = blob.OpenFolder(&blob.FolderOptions{Dir: blobsDir(s.cfg)}); err != nil {
				return fmt.Errorf("server: data_dir: %w", err)
			}
			return nil
		}
	}
	return nil
}

// newMoves makes pillar transfer of one app. The flows are made over it.
func (s *Server) newMoves(a *app, c *config.App, l *loaded, m *metrics) (*transfer.Service, error) {
	rows, err := rowKey(l.roots[c.ID], a.id)
	if err != nil {
		return nil, err
	}
	return transfer.New(&transfer.Options{
		App: a.id, Update: overStore(a.store.Update, m.movedIn(a.id), func(tx *tellingTx) transfer.Tx { return tx }),
		View: func(ctx context.Context, fn func(transfer.Tx) error) error {
			return a.store.View(ctx, func(tx *sqlite.Tx) error { return fn(tx) })
		},
		Blobs:  s.blobs,
		Policy: movePolicy(c), Audience: c.ID + "@" + c.Hosts[0], RowKey: rows,
		Now: s.now, Logger: s.log,
	})
}

// movePolicy is what the configuration says of an app's moves, in the words of
// package transfer.
func movePolicy(c *config.App) transfer.Policy {
	m := c.Moves()
	hold := func(h config.MoveHold) time.Duration {
		if h.None() {
			return transfer.NoHold
		}
		return h.Duration.Duration
	}
	return transfer.Policy{
		HoldNone: hold(m.HoldNone), HoldLAN: hold(m.HoldLAN), HoldNear: hold(m.HoldNear), HoldRisk: hold(m.HoldRisk),
		OfferTTL: m.OfferTTL.Duration, ClaimTTL: m.ClaimTTL.Duration, IdleTTL: m.IdleTTL.Duration, MaxAge: m.MaxAge.Duration, SealTTL: m.SealTTL.Duration,
		RecallWindow: m.RecallWindow.Duration, Window: int64(m.Window), MaxBytes: int64(m.MaxBytes), RelaySpace: int64(m.RelaySpace),
		KeepEnvelopes: m.KeepEnvelopes.Duration, KeepPlaces: m.KeepPlaces.Duration, ShortWaits: c.DangerousShortWaits,
	}
}

// sweepMovesEvery is how often what time has done to moves is stored, and what
// nobody will fetch is deleted. Times are judged when they matter; this is late only
// for the disk.
const sweepMovesEvery = time.Minute

// keepMoves sweeps the moves of an app until ctx ends.
func (s *Server) keepMoves(ctx context.Context, a *app) {
	if a.moves == nil {
		return
	}
	t := time.NewTicker(sweepMovesEvery)
	defer t.Stop()
	for {
		if err := a.moves.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("sweep of moves failed; it is tried again each minute", "app", a.id, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}
