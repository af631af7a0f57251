package registry

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/request"
)

// Nonces that are too old to matter are deleted by the transactions that add
// new ones, once a second, so that there are never many of them.
const (
	cleanEvery  = time.Second
	cleanGroups = 2000 // at most, at a time
)

// commitRequests is the guard's transaction: all of the group, or nothing. It
// runs once at a time.
func (s *Service) commitRequests(ctx context.Context, group []*ask) error {
	var out []outcomeOf
	err := s.update(ctx, func(tx Tx) (err error) { // may run twice: everything is made anew
		out, err = (&settlement{s: s, tx: tx, asks: group}).run(ctx)
		return err
	})
	if err != nil {
		return err
	}
	for i, a := range group {
		a.out = out[i]
	}
	return nil
}

// settlement is one run of that transaction. It asks the store for the group
// as a whole, and then decides about each ask in order, so that what the first
// has used up the second finds used.
type settlement struct {
	s    *Service
	tx   Tx
	asks []*ask

	keys   map[string]*heldKey
	floor  time.Time         // of nonces
	nonces map[[32]byte]bool // that are new, and not used up yet
}

// heldKey is the standing of a key as it is in the store, with the uses of this
// group.
type heldKey struct {
	KeyStanding
	was   uint32 // the counter in the store
	moved bool
	woken time.Time // the first use of a day; zero: it is not
}

// used notes a request with a good signature: once a day the day.
func (k *heldKey) used(now time.Time) {
	if day := now.Truncate(24 * time.Hour); day.After(k.LastUsed) {
		k.LastUsed, k.moved, k.woken = day, true, now
	}
}

func (t *settlement) run(ctx context.Context) ([]outcomeOf, error) {
	if err := t.load(ctx); err != nil {
		return nil, err
	}
	out := make([]outcomeOf, len(t.asks))
	counted := make([]outcome, 0, len(t.asks))
	for i, a := range t.asks {
		d, err := t.settle(ctx, a)
		if err != nil {
			return nil, err
		}
		if d == nil {
			out[i].again = true
			continue
		}
		if err := d.record(ctx, t.tx); err != nil {
			return nil, err
		}
		out[i].verdict = d.answer()
		counted = append(counted, d.outcome())
	}
	if err := t.store(ctx); err != nil {
		return nil, err
	}
	return out, t.s.count(ctx, t.tx, counted...)
}

// load reads the keys of the group, and puts its nonces into the store.
func (t *settlement) load(ctx context.Context) error {
	var ids []string
	for _, a := range t.asks {
		if a.good {
			ids = append(ids, a.key.id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	standings, err := t.tx.KeyStandings(ctx, slices.Compact(ids))
	if err != nil {
		return err
	}
	t.keys = make(map[string]*heldKey, len(standings))
	for _, k := range standings {
		t.keys[k.ID] = &heldKey{KeyStanding: k, was: k.Counter}
	}
	return t.addNonces(ctx)
}

// addNonces stores the nonces of Android's requests. Which of them are new is
// the check: what was there has been used.
func (t *settlement) addNonces(ctx context.Context) (err error) {
	var hashes [][32]byte
	var newest time.Time
	t.nonces = make(map[[32]byte]bool, len(t.asks))
	for _, a := range t.asks {
		if !a.good || a.key.platform == platformApple || t.keys[a.key.id] == nil || t.nonces[a.nonce] {
			continue
		}
		t.nonces[a.nonce] = true
		hashes = append(hashes, a.nonce)
		if a.created.After(newest) {
			newest = a.created
		}
	}
	if len(hashes) == 0 {
		return nil
	}
	if t.floor, err = t.tx.NonceFloor(ctx); err != nil {
		return err
	}
	fresh, err := t.tx.AddNonces(ctx, hashes, newest)
	if err != nil {
		return err
	}
	for i, ok := range fresh {
		if !ok {
			delete(t.nonces, hashes[i])
		}
	}
	return t.clean(ctx)
}

// clean deletes nonces of requests that would be too old for every ask of the
// group: made before now - max_age, and future_skew for good measure.
func (t *settlement) clean(ctx context.Context) error {
	now := t.asks[0].now
	if !t.s.requests.cleans(now) {
		return nil
	}
	oldest := now
	for _, a := range t.asks {
		if made := a.now.Add(-a.rules.request.MaxAge - a.rules.request.FutureSkew); made.Before(oldest) {
			oldest = made
		}
	}
	_, err := t.tx.DeleteNonces(ctx, oldest, cleanGroups)
	return err
}

// cleans reports whether it is time to delete nonces, and makes it the caller's
// turn. Should his transaction be rolled back, it is somebody's a second later.
func (r *requests) cleans(now time.Time) bool {
	last := r.cleaned.Load()
	if since := now.Sub(time.UnixMicro(last)); 0 <= since && since < cleanEvery {
		return false
	}
	return r.cleaned.CompareAndSwap(last, now.UnixMicro())
}

// settle decides about one request; nil: it must be judged again.
func (t *settlement) settle(ctx context.Context, a *ask) (*decided, error) {
	if !a.good {
		return a.decide(nil, nil), nil
	}
	k := t.keys[a.key.id]
	if k == nil {
		return a.decide(nil, unknownKey()), nil
	}
	if k.State == StatePending { // unknown outside its own flow
		return a.decide(&k.KeyStanding, unknownKey()), nil
	}
	if k.AppID != a.key.appID {
		return nil, nil
	}
	findings := a.appraise(&k.KeyStanding)
	if f := t.replay(a, k); f != nil {
		findings = append(findings, *f)
	}
	if a.route.ServerNonce {
		f, err := t.useChallenge(ctx, a, k)
		if err != nil {
			return nil, err
		}
		if f != nil {
			findings = append(findings, *f)
		}
	}
	k.used(a.now)
	return a.decide(&k.KeyStanding, findings), nil
}

func unknownKey() []attest.Finding {
	return []attest.Finding{*finding(keyUnknown, "no key of this app has this id")}
}

// replay uses up nonce or counter, and says what is wrong with it.
func (t *settlement) replay(a *ask, k *heldKey) *attest.Finding {
	if a.key.platform == platformApple {
		c, ok := counter{k.Counter, k.Window}.next(a.counter, a.rules.app.CounterWindow)
		if !ok && !a.verdict.Has(counterReplay) {
			return finding(counterReplay, "the counter is not greater than the stored one, or was seen")
		}
		k.Counter, k.Window, k.moved = c.high, c.seen, k.moved || ok
		return nil
	}
	switch {
	case !t.floor.IsZero() && !a.created.After(t.floor):
		return finding(request.CodeClock, "the nonces of this time were deleted: the policy's max_age has grown, or the clock was set back")
	case !t.nonces[a.nonce]:
		return finding(requestReplay, "this nonce of this key was used before")
	}
	delete(t.nonces, a.nonce)
	return nil
}

// useChallenge uses up the challenge that is the nonce of a request on a route
// with server_nonce. It is one of this app, for the account of the key or for
// nobody's.
func (t *settlement) useChallenge(ctx context.Context, a *ask, k *heldKey) (*attest.Finding, error) {
	wrong := func(detail string) (*attest.Finding, error) {
		return finding(request.CodeNonce, a.route.Name+" demands a nonce of the server: "+detail), nil
	}
	c, err := t.tx.Challenge(ctx, a.challenge)
	if errors.Is(err, ErrChallengeUnknown) {
		return wrong("this one was never issued, or has long expired")
	}
	if err != nil {
		return nil, err
	}
	if c.Account == "" {
		c.Account = k.Account
	}
	if f := c.judge(t.s.id, k.Account, PurposeRequest, a.now); f != nil {
		return wrong(f.Detail)
	}
	won, err := t.tx.UseChallenge(ctx, a.challenge, a.now)
	if err != nil {
		return nil, err
	}
	if !won {
		return wrong("already consumed")
	}
	return nil, nil
}

// store writes what the group has changed of its keys.
func (t *settlement) store(ctx context.Context) error {
	var moves []KeyMove
	for _, k := range t.keys {
		if k.moved {
			moves = append(moves, KeyMove{ID: k.ID, OldCounter: k.was, Counter: k.Counter, Window: k.Window, LastUsed: k.LastUsed})
		}
	}
	if len(moves) == 0 {
		return nil
	}
	slices.SortFunc(moves, func(a, b KeyMove) int { return strings.Compare(a.ID, b.ID) })
	if err := t.tx.MoveKeys(ctx, moves); err != nil {
		return err
	}
	return t.wake(ctx)
}

// wake puts the receipts of keys that have not been used for long back on
// their schedule: once a day a key, as far as anybody notes its use.
func (t *settlement) wake(ctx context.Context) error {
	var ids []string
	var now time.Time
	for id, k := range t.keys {
		if k.AppID != "" && !k.woken.IsZero() { // Apple's
			ids, now = append(ids, id), k.woken
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return t.tx.WakeReceipts(ctx, ids, now)
}
