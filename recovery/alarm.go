package recovery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/event"
)

// alarms are the events about what a vault did not execute. Stale is the store's
// delay, which heals; the others are paused until an operator acts.
func alarms() []struct {
	err   error
	kind  string
	level slog.Level
} {
	return []struct {
		err   error
		kind  string
		level slog.Level
	}{
		{ErrStale, "recovery.stale", slog.LevelWarn},
		{ErrAmnesia, "recovery.amnesia", slog.LevelError},
		{ErrFuture, "recovery.future", slog.LevelError},
		{errBadRecord, "recovery.bad_record", slog.LevelError},
		{errRefused, "recovery.refused", slog.LevelError},
	}
}

// alarmed tells operators of err, if they must know, and gives it back. It never
// fails a call: the call has failed already.
func (s *Service) alarmed(ctx context.Context, j *job, err error) error {
	for _, a := range alarms() {
		if !errors.Is(err, a.err) {
			continue
		}
		s.log.Log(ctx, a.level, a.kind, "app", s.app, "vault", j.pool.id, "op", j.op.String(), "error", err)
		now := s.now()
		told := s.update(ctx, func(tx Tx) error {
			err := s.take(ctx, tx, alarmsAccount, now, a.kind, j.pool.id, string(j.account))
			if errors.Is(err, ErrRate) {
				return nil // told often enough
			}
			if err != nil {
				return err
			}
			return tx.AppendEvent(ctx, s.event(a.kind, j.account, map[string]any{"vault": j.pool.id, "op": j.op.String()}))
		})
		if told != nil {
			s.log.Error("recovery: an alarm could not be stored as an event", "kind", a.kind, "app", s.app, "error", told)
		}
		break
	}
	return err
}

// forged tells operators of an entry of the retry stream that is refused. That it
// becomes a dead letter says the rest.
func (s *Service) forged(ctx context.Context, r Record, err error) {
	s.log.Error("recovery.forged", "app", s.app, "vault", r.Vault, "account", r.Account, "error", err)
	if !errors.Is(err, errForged) {
		return
	}
	now := s.now()
	told := s.update(ctx, func(tx Tx) error {
		err := s.take(ctx, tx, alarmsAccount, now, "recovery.forged", r.Vault, string(r.Account))
		if errors.Is(err, ErrRate) {
			return nil // told often enough
		}
		if err != nil {
			return err
		}
		return tx.AppendEvent(ctx, s.event("recovery.forged", r.Account, map[string]any{"vault": r.Vault}))
	})
	if told != nil {
		s.log.Error("recovery: an alarm could not be stored as an event", "kind", "recovery.forged", "app", s.app, "error", told)
	}
}

// event makes an event; its body has neither names nor addresses.
func (s *Service) event(kind string, id account.ID, body map[string]any) event.Event {
	text, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Sprintf("recovery: event %s: %v", kind, err)) // texts and numbers always encode
	}
	return event.Event{Type: kind, Account: id, Body: text, At: s.now()}
}
