package registry

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
)

// useMemory is for how many days the uses of exceptions are kept.
const useMemory = 40

// dayOf is the number of whole days since 1970 in UTC: that of a cap.
func dayOf(t time.Time) int64 { return hoursOf(t) / 24 }

// exceptionUses gives how often the exceptions with a cap were used today. The
// store is an app's own, so an exception for two apps has the cap in each.
func exceptionUses(ctx context.Context, tx Tx, p *attest.Policy, now time.Time) (map[string]int, error) {
	caps := p.Caps()
	if len(caps) == 0 {
		return nil, nil
	}
	return tx.ExceptionUses(ctx, slices.Sorted(maps.Keys(caps)), dayOf(now))
}

// usesLeft is what the verifier asks of an exception with a cap.
func usesLeft(p *attest.Policy, used map[string]int) func(string) int {
	caps := p.Caps()
	return func(id string) int { return max(0, caps[id]-used[id]) }
}

// capped judges the caps anew, in the transaction that uses them. If an
// exception that the verdict rests on was spent since it was verified, it is
// verified again with what is left, and that verdict is given. This happens
// once a day and exception at most in each call that was on its way just then,
// so it may happen inside the transaction.
func (a *Attempt) capped(ctx context.Context, tx Tx) (*Attempt, error) {
	if len(a.verdict.Exceptions) == 0 {
		return a, nil
	}
	used, err := exceptionUses(ctx, tx, a.policy, a.now)
	if err != nil {
		return nil, err
	}
	caps := a.policy.Caps()
	if !slices.ContainsFunc(a.verdict.Exceptions, func(id string) bool { return caps[id] > 0 && used[id] >= caps[id] }) {
		return a, nil
	}
	again := *a // a stays as it is, for the transaction may run twice
	again.want.UsesLeft = usesLeft(a.policy, used)
	if again.verdict, err = a.s.verify(again.ev, again.want, a.policy, a.now); err != nil {
		return nil, verifyError(err)
	}
	return &again, again.prepare()
}

// countUses counts the exceptions that an accepted registration rests on.
func (a *Attempt) countUses(ctx context.Context, tx Tx) error {
	for _, id := range a.verdict.Exceptions {
		u := ExceptionUse{Exception: id, Day: dayOf(a.now)}
		user := a.in.Account
		if a.in.ForNobody { // each counts by itself
			user = account.ID(a.verdict.Claims.KeyID)
		}
		u.Account = a.s.hashKey.user(user, id, u.Day)
		if err := tx.AddExceptionUse(ctx, u); err != nil {
			return err
		}
	}
	return nil
}

// user is the hash that stands for an account among those that use an exception
// on a day. It is another one for each exception and day, so that nobody can be
// followed.
//
//	HMAC-SHA-256(key, "staunch/attest/exception/v1" ‖ 0x00 ‖ U64(day) ‖ L(exception) ‖ L(account)), the first 16 bytes
func (k HashKey) user(id account.ID, exception string, day int64) []byte {
	m := hmac.New(sha256.New, k)
	m.Write([]byte("staunch/attest/exception/v1\x00"))
	m.Write(binary.BigEndian.AppendUint64(nil, uint64(day)))
	for _, text := range []string{exception, string(id)} {
		m.Write(binary.BigEndian.AppendUint32(nil, uint32(len(text))))
		m.Write([]byte(text))
	}
	return m.Sum(nil)[:16]
}
