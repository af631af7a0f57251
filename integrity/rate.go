package integrity

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// take takes one token of a bucket, in a transaction of its own before the work,
// so that a refusal gives nothing back. A store that is away refuses.
func (s *Service) take(ctx context.Context, kind, value string, l Limit) error {
	now := s.now()
	err := s.update(ctx, func(tx Tx) error { return s.takeIn(ctx, tx, kind, value, l, now) })
	return s.tellLimited(ctx, bucket{kind, value, l}, err, now)
}

// takeIn takes one token within a transaction: for what is only counted when
// the rest of it is committed.
func (s *Service) takeIn(ctx context.Context, tx Tx, kind, value string, l Limit, now time.Time) error {
	key := s.rateOf(kind, value)
	r, found, err := tx.Rate(ctx, key)
	if err != nil {
		return err
	}
	if !found {
		r = RateRow{Key: key, Tokens: l.burst(), At: now}
	}
	r, ok := l.refill(r, now)
	if !ok {
		return &RateLimited{RetryAt: l.next(r)}
	}
	r.Tokens--
	return tx.PutRate(ctx, r)
}

// rateOf is the name of a bucket.
//
//	HMAC-SHA256(rate key, L(kind) ‖ L(value))
func (s *Service) rateOf(kind, value string) (key [32]byte) {
	m := hmac.New(sha256.New, s.rateKey)
	for _, text := range [...]string{kind, value} {
		var n [4]byte
		binary.BigEndian.PutUint32(n[:], uint32(len(text)))
		m.Write(n[:])
		m.Write([]byte(text))
	}
	m.Sum(key[:0])
	return key
}

func (l Limit) burst() float64 {
	if l.Burst > 0 {
		return float64(l.Burst)
	}
	return float64(l.N)
}

// refill adds what has come in since r.At, and reports whether there is a token.
// A clock that went back adds nothing.
func (l Limit) refill(r RateRow, now time.Time) (RateRow, bool) {
	if d := now.Sub(r.At); d > 0 {
		r.Tokens = min(l.burst(), r.Tokens+float64(l.N)*float64(d)/float64(l.Per))
		r.At = now
	}
	return r, r.Tokens >= 1
}

// next is when there is a token again.
func (l Limit) next(r RateRow) time.Time {
	return r.At.Add(time.Duration((1 - r.Tokens) * float64(l.Per) / float64(l.N))).Add(time.Millisecond)
}
