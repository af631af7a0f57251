package registry

import (
	"math/rand/v2"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
)

// Receipt is what is kept of the App Attest receipt of a key, and when Apple
// may be asked for the next one.
type Receipt struct {
	Key         string
	Account     account.ID
	Team        string // whose credentials the exchange takes
	Environment string // "production" or "development": which of Apple's servers
	CMS         []byte // verified before it was stored
	CreatedAt   time.Time
	NotBefore   time.Time // field 19: not to be exchanged earlier; zero: it does not say
	ExpiresAt   time.Time // field 21
	Metric      *uint32   // risk metric; nil: unknown
	MetricAt    time.Time // when it was learned
	State       ReceiptState
	NextAt      time.Time // of the next exchange; zero unless scheduled
	LeaseUntil  time.Time // somebody is at it until then; zero: nobody
	Failures    int       // exchanges without an answer, in a row
	Result      ExchangeResult
}

// ReceiptState says whether a receipt is to be exchanged. The zero state is none.
type ReceiptState string

// The states.
const (
	ReceiptScheduled ReceiptState = "scheduled"
	ReceiptParked    ReceiptState = "parked"  // its key has not been used for a while; its next use wakes it
	ReceiptStopped   ReceiptState = "stopped" // Apple calls it bad, or its key signs no more
)

// ExchangeResult is what became of an exchange. The zero result is none yet.
type ExchangeResult string

// The results, by Apple's answer.
const (
	ExchangeNew            ExchangeResult = "new"             // 200
	ExchangeTooEarly       ExchangeResult = "too_early"       // 304
	ExchangeNoData         ExchangeResult = "no_data"         // 404
	ExchangeBadReceipt     ExchangeResult = "bad_receipt"     // 400
	ExchangeBadCredentials ExchangeResult = "bad_credentials" // 401
	ExchangeLater          ExchangeResult = "later"           // 429, 5xx, none
	ExchangeInvalid        ExchangeResult = "invalid"         // 200, with a receipt that does not verify
)

// Exchanged is Apple's answer to a receipt. Its receipt is verified by who
// asked for the exchange.
type Exchanged struct {
	Result     ExchangeResult
	Receipt    []byte        // ExchangeNew: CMS
	RetryAfter time.Duration // ExchangeLater: Apple's wish; 0: none
	Detail     string        // for an operator
}

// The times of the schedule.
const (
	firstExchange  = 15 * time.Minute    // after a registration, at most
	nextExchange   = 6 * time.Hour       // after field 19, at most
	unknownWait    = 24 * time.Hour      // nothing says when
	noDataWait     = 7 * 24 * time.Hour  // Apple has forgotten the device
	unusedFor      = 30 * 24 * time.Hour // a key that is parked
	leaseTime      = 2 * time.Minute
	firstBackOff   = time.Minute
	longestBackOff = 6 * time.Hour
	receiptSkew    = 5 * time.Minute // how old a new receipt may be, and how far ahead
)

// within is a random time of at most d, so that keys that were registered
// together are not exchanged together.
func within(d time.Duration) time.Duration { return rand.N(d).Truncate(time.Microsecond) }

// firstReceipt is the row for a key that was registered at now with a receipt
// in its attestation, or nil if there was none that can be believed.
func firstReceipt(k Key, v attest.Verdict, now time.Time) *Receipt {
	if v.Claims == nil || v.Claims.Apple == nil || v.Has("apple.receipt_app") || v.Has("apple.receipt_key") || v.Has("apple.receipt_expired") {
		return nil
	}
	c := v.Claims.Apple
	team, _, ok := strings.Cut(k.AppID, ".")
	if !ok || c.Receipt == nil || c.Receipt.Type != "ATTEST" || c.Receipt.CreationTime == nil {
		return nil
	}
	return &Receipt{
		Key: k.ID, Account: k.Account, Team: team, Environment: c.Environment, CMS: c.Receipt.CMS,
		CreatedAt: micro(*c.Receipt.CreationTime), NotBefore: microOrZero(c.Receipt.NotBefore), ExpiresAt: microOrZero(c.Receipt.ExpirationTime),
		State: ReceiptScheduled, NextAt: now.Add(within(firstExchange)),
	}
}

// rest reports whether k is a key whose receipt is not exchanged now, and in
// which state the receipt is then.
func (r Receipt) rest(k Key, now time.Time) (Receipt, bool) {
	used := k.RegisteredAt
	if k.LastUsed.After(used) {
		used = k.LastUsed
	}
	switch {
	case k.State == StateRevoked || k.State == StateSuperseded:
		r.State = ReceiptStopped
	case now.Sub(used) > unusedFor:
		r.State = ReceiptParked
	default:
		return r, false
	}
	r.NextAt, r.LeaseUntil = time.Time{}, time.Time{}
	return r, true
}

// answered is what becomes of r by an answer. fresh is the receipt in an
// ExchangeNew, verified.
func (r Receipt) answered(x Exchanged, fresh *Receipt, now time.Time) Receipt {
	r.LeaseUntil, r.Result = time.Time{}, x.Result
	switch x.Result {
	case ExchangeNew:
		r.CMS, r.CreatedAt, r.NotBefore, r.ExpiresAt = fresh.CMS, fresh.CreatedAt, fresh.NotBefore, fresh.ExpiresAt
		r.Metric, r.MetricAt, r.Failures = fresh.Metric, now, 0
		r.NextAt = later(r.NotBefore, now).Add(within(nextExchange))
	case ExchangeTooEarly:
		r.Failures, r.NextAt = 0, later(r.NotBefore, now)
	case ExchangeNoData: // Apple keeps 30 days
		r.Metric, r.MetricAt, r.Failures = nil, time.Time{}, 0
		r.NextAt = now.Add(noDataWait)
	case ExchangeBadReceipt:
		r.State, r.NextAt = ReceiptStopped, time.Time{}
	case ExchangeBadCredentials: // says nothing of the receipt: due as it was
	default:
		r.Failures++
		r.NextAt = now.Add(backOff(r.Failures))
		if x.RetryAfter > 0 {
			r.NextAt = now.Add(x.RetryAfter)
		}
	}
	return r
}

// later is when a receipt says that it may be exchanged, if that is to come,
// else a day from now.
func later(notBefore, now time.Time) time.Time {
	if notBefore.After(now) {
		return notBefore
	}
	return now.Add(unknownWait)
}

// backOff is the wait after that many failures in a row: twice the one before,
// of which between half and all.
func backOff(failures int) time.Duration {
	d := firstBackOff
	for range failures - 1 {
		if d *= 2; d >= longestBackOff {
			d = longestBackOff
			break
		}
	}
	return d/2 + within(d/2)
}

// micro is t in the precision that the store keeps.
func micro(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

func microOrZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return micro(*t)
}
