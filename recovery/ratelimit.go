package recovery

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// How often what is free for the vaults may be asked, and what is not. The vaults
// count attempts; these keep one caller from keeping them busy.
const (
	evaluationsAccount = 120  // an hour, of one account at one vault
	evaluationsNetwork = 600  // an hour, from one network
	callsEach          = 600  // an hour: all that is free, of one device or ticket at one vault
	callsNetwork       = 1800 // an hour: the same, of tickets, from one network
	sessionsAccount    = 120  // an hour
	liveNetwork        = 60   // an hour: evidence for a nonce, from one network
	alarmsAccount      = 6    // an hour: events of one kind about one account
)

// take takes one token of a bucket of perHour tokens, in the transaction before
// the work.
func (s *Service) take(ctx context.Context, tx Tx, perHour int, now time.Time, name ...string) error {
	key := s.bucket(name)
	r, found, err := tx.RecoveryRate(ctx, key)
	if err != nil {
		return err
	}
	most := float64(perHour)
	if !found {
		r = RateRow{Key: key, Tokens: most, At: now}
	}
	if d := now.Sub(r.At); d > 0 { // a clock that went back adds nothing
		r.Tokens, r.At = min(most, r.Tokens+most*d.Hours()), now
	}
	if r.Tokens < 1 {
		return &RateError{RetryAt: r.At.Add(time.Duration((1 - r.Tokens) / most * float64(time.Hour))).Add(time.Millisecond)}
	}
	r.Tokens--
	return tx.PutRecoveryRate(ctx, r)
}

// bucket is the name of a bucket.
//
//	HMAC-SHA256(rate key, L("recovery") ‖ L(part) of every part)
func (s *Service) bucket(name []string) (key [32]byte) {
	m := hmac.New(sha256.New, s.rateKey)
	for _, part := range append([]string{"recovery"}, name...) {
		var n [4]byte
		binary.BigEndian.PutUint32(n[:], uint32(len(part)))
		m.Write(n[:])
		m.Write([]byte(part))
	}
	m.Sum(key[:0])
	return key
}
