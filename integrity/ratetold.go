package integrity

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/event"
	"github.com/staunchid/staunch/transfer"
)

// tellLimited writes to the feed that somebody has found a bucket empty: once for
// as long as it takes to fill, however often he tries. err is what he was refused
// with, and comes back as it is, whatever becomes of the telling.
func (s *Service) tellLimited(ctx context.Context, b bucket, err error, now time.Time) error {
	if !errors.Is(err, ErrRateLimited) {
		return err
	}
	l := Limit{N: 1, Per: time.Duration(b.limit.burst() * float64(b.limit.Per) / float64(b.limit.N))}
	told := func(tx Tx) (bool, error) {
		r, found, err := tx.Rate(ctx, s.rateOf("told "+b.kind, b.value))
		if err != nil || !found {
			return false, err
		}
		_, ok := l.refill(r, now)
		return !ok, nil
	}
	already := false
	failed := s.view(ctx, func(tx Tx) (err error) {
		already, err = told(tx)
		return err
	})
	if failed == nil && !already {
		failed = s.update(ctx, func(tx Tx) error {
			switch err := s.takeIn(ctx, tx, "told "+b.kind, b.value, l, now); {
			case errors.Is(err, ErrRateLimited): // another call was faster
				return nil
			case err != nil:
				return err
			}
			e, err := b.event(now)
			if err != nil {
				return err
			}
			return tx.AppendEvent(ctx, e)
		})
	}
	if failed != nil {
		s.log.ErrorContext(ctx, "integrity: the feed is not told of a rate limit", "bucket", b.kind, "error", failed)
	}
	return err
}

// event is what the feed is told: the bucket, and whose it is, which is a device,
// an account, a network or the two last ones, or a move, of which one of the phones may
// be named.
func (b bucket) event(now time.Time) (event.Event, error) {
	body, e := map[string]any{"reason": b.kind}, event.Event{Type: "rate.limited", At: now}
	for _, word := range strings.Fields(b.value) {
		switch {
		case account.DeviceID(word).Validate() == nil:
			body["device"] = word
		case account.ID(word).Validate() == nil:
			e.Account = account.ID(word)
		case account.TransferID(word).Validate() == nil:
			body["transfer"] = word
		case word == string(transfer.Sender) || word == string(transfer.Receiver):
			body["party"] = word
		default:
			body["network"] = word
		}
	}
	var err error
	e.Body, err = json.Marshal(body)
	return e, err
}
