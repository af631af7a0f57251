package integrity

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
)

// joinParams are the parameters of device.add and guest.approve.
type joinParams struct {
	Join   account.JoinID `json:"join"`
	Number string         `json:"number"` // as typed on the old device
}

// joinExecutor lets a join in: a guest's by guest.approve, any other by device.add.
func (s *Service) joinExecutor(action account.Action) executor {
	return executor{
		before: s.tryNumber, denied: s.denyJoin, bucket: "join", limit: s.policy.Limits.Join,
		text: func(ctx context.Context, tx Tx, a *actor, params json.RawMessage) (string, error) {
			return s.joinText(ctx, tx, a, action, params)
		},
		run: func(ctx context.Context, tx Tx, a *actor, d *deed, params json.RawMessage) (any, error) {
			return s.confirmJoin(ctx, tx, a, d, action, params)
		},
	}
}

// tryNumber compares the number that was typed with that of the join, before the
// approval is proposed, and in a transaction of its own: a wrong one counts even
// though nothing else comes of it. After three the join ends.
func (s *Service) tryNumber(ctx context.Context, c account.Caller, action account.Action, params json.RawMessage) error {
	p, err := parameters[joinParams](params)
	if err != nil {
		return err
	}
	now := s.now()
	wrong := false
	err = s.act(ctx, func(tx Tx) error {
		wrong = false
		a, err := s.load(ctx, tx, c, now)
		if err != nil {
			return err
		}
		if err := s.require(a, account.ApprovalPropose); err != nil {
			return err
		}
		j, err := s.offeredFor(ctx, tx, a, action, p.Join)
		if err != nil {
			return err
		}
		if wrong = p.Number != j.Number; !wrong {
			return nil
		}
		if j.Tries++; j.Tries >= joinTries {
			j.State = StateCancelled
		}
		if ok, err := tx.PutJoin(ctx, j, StateOpen); err != nil || !ok {
			return firstError(err, ErrJoinExpired)
		}
		return nil
	})
	if err == nil && wrong {
		return ErrJoinNumber
	}
	return err
}

// offeredFor is offered for an action: guests are let in by one, devices and
// browsers by the other.
func (s *Service) offeredFor(ctx context.Context, tx Tx, a *actor, action account.Action, id account.JoinID) (JoinRow, error) {
	j, err := s.offered(ctx, tx, a, id)
	if err == nil && (j.Kind == JoinGuest) != (action == account.ApproveGuest) {
		return JoinRow{}, ErrJoinUnknown
	}
	return j, err
}

// joinText is what the owner reads before he approves a join.
func (s *Service) joinText(ctx context.Context, tx Tx, a *actor, action account.Action, params json.RawMessage) (string, error) {
	p, err := parameters[joinParams](params)
	if err != nil {
		return "", err
	}
	j, err := s.offeredFor(ctx, tx, a, action, p.Join)
	if err != nil {
		return "", err
	}
	who, what := "a browser", "It"
	if j.Name != "" {
		who = inQuotes(j.Name)
	}
	switch {
	case j.Kind == JoinPhone && j.Platform == "ios":
		what = "The iPhone"
	case j.Kind == JoinPhone:
		what = "The Android phone"
	}
	if j.Place != "" {
		who += ", near " + j.Place + ","
	}
	end := fmt.Sprintf(" Say yes only if it is in front of you and shows the number %s.", j.Number)
	switch j.Kind {
	case JoinGuest:
		return fmt.Sprintf("Let %s into your account for the next %s? It can use the app and change nothing.%s", who, inWords(s.policy.Sessions.Guest), end), nil
	case JoinBrowser:
		return fmt.Sprintf("Add %s to your account? It gets a passkey of its own and can do what you can.%s", who, end), nil
	}
	return fmt.Sprintf("Add %s to your account? %s can do little for the first %s.%s", who, what, inWords(s.policy.Holds.Add), end), nil
}

// confirmJoin lets a join in, in the transaction of the confirmation: from now
// on its holder, and nobody else, can finish it.
func (s *Service) confirmJoin(ctx context.Context, tx Tx, a *actor, d *deed, action account.Action, params json.RawMessage) (any, error) {
	p, err := parameters[joinParams](params)
	if err != nil {
		return nil, err
	}
	j, err := s.offeredFor(ctx, tx, a, action, p.Join)
	if err != nil {
		return nil, err
	}
	if p.Number != j.Number {
		return nil, ErrJoinNumber
	}
	j.Account, j.By, j.State, j.ExpiresAt = a.Account, a.Device, StateConfirmed, a.now.Add(joinLife)
	if ok, err := tx.PutJoin(ctx, j, StateOpen); err != nil || !ok {
		return nil, firstError(err, ErrJoinExpired)
	}
	d.action, d.subject = "join.approved", string(j.ID)
	if j.Kind == JoinGuest { // of any other it is told when the device is in
		d.alert, d.data = string(account.ApproveGuest), map[string]any{"join": j.ID, "name": j.Name}
	}
	return map[string]any{"join": j.ID}, nil
}

// denyJoin ends a join to which the owner has said no.
func (s *Service) denyJoin(ctx context.Context, tx Tx, params json.RawMessage) error {
	p, err := parameters[joinParams](params)
	if err != nil {
		return err
	}
	j, found, err := tx.Join(ctx, p.Join)
	if err != nil || !found || j.State != StateOpen {
		return err
	}
	j.State = StateDenied
	_, err = tx.PutJoin(ctx, j, StateOpen)
	return err
}

// inWords says about how long something lasts, after "the first" or "the next".
func inWords(d time.Duration) string {
	for _, unit := range []struct {
		name string
		of   time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}} {
		n := int(d.Round(unit.of) / unit.of)
		switch {
		case n == 1 && unit.of == 24*time.Hour, d < unit.of:
			continue // 24 hours
		case n == 1:
			return unit.name
		}
		return fmt.Sprintf("%d %ss", n, unit.name)
	}
	return "a moment"
}
