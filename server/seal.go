package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/store/sqlite"
)

// sealEvery is how often the audit record of an app is sealed (accounts, "Audit").
const sealEvery = time.Minute

// sealAtEnd bounds the last seal of a stopping server.
const sealAtEnd = 10 * time.Second

// newSealer makes what seals the record of a; nil: it has no key.
func (s *Server) newSealer(a *app, l *loaded) (*audit.Sealer, error) {
	key, ok := l.auditKeys[string(a.id)]
	if !ok {
		return nil, nil
	}
	sealer, err := audit.NewSealer(&audit.SealerOptions{
		Key: key, Now: s.now,
		Update: func(ctx context.Context, fn func(audit.SealTx) error) error {
			return a.store.Update(ctx, func(tx *sqlite.Tx) error { return fn(tx) })
		},
	})
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	return sealer, nil
}

// keepSealed seals the record of a at once, for what an earlier server has left,
// and then once a minute. When ctx ends it seals a last time: the stores are
// still open then, and no call runs any more.
func (s *Server) keepSealed(ctx context.Context, a *app) {
	if a.sealer == nil {
		return
	}
	t := time.NewTicker(s.sealEvery)
	defer t.Stop()
	for {
		s.seal(ctx, a)
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), sealAtEnd)
			defer cancel()
			s.seal(last, a)
			return
		case <-t.C:
		}
	}
}

// seal seals all that is not sealed yet.
func (s *Server) seal(ctx context.Context, a *app) {
	for ctx.Err() == nil {
		sealed, err := a.sealer.Seal(ctx)
		switch {
		case errors.Is(err, audit.ErrRewound):
			s.log.Error("the store was put back to an earlier state while the server ran; stop it, keep a copy, and find out who could write to it", "app", a.id, "error", err)
			return
		case err != nil:
			if ctx.Err() == nil {
				s.log.Error("the audit record is not sealed; it is tried again in a minute", "app", a.id, "error", err)
			}
			return
		case !sealed:
			return
		}
	}
}
