package registry_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/store/storetest"
)

// together asks about each message at the same time as about all others.
func (r *rig) together(messages []*request.Message) []*registry.RequestVerdict {
	r.t.Helper()
	verdicts := make([]*registry.RequestVerdict, len(messages))
	begin := make(chan struct{})
	var wg sync.WaitGroup
	for i, m := range messages {
		wg.Go(func() {
			<-begin
			v, err := r.VerifyRequest(context.Background(), backend, &registry.RequestCheck{App: "demo", Message: m})
			if err != nil {
				r.t.Error(err)
				return
			}
			verdicts[i] = v
		})
	}
	close(begin)
	wg.Wait()
	return verdicts
}

// TestConcurrentRequests: of many uses of one nonce, counter or challenge at the same
// time, one passes.
func TestConcurrentRequests(t *testing.T) {
	r := newRig(t, withPolicy(t, remitRoute...))
	android, apple := r.androidKey(), r.appleKey()
	other := r.androidKey()
	plain := func(key signer) func() []*http.Request {
		return func() []*http.Request {
			req := otherPath(r, key)
			var all []*http.Request
			for range 24 {
				all = append(all, req)
			}
			return all
		}
	}
	for _, tt := range []struct {
		name string
		make func() []*http.Request
	}{
		{"nonce", plain(android)},
		{"counter", plain(apple)},
		{"challenge, by one key", func() (all []*http.Request) {
			nonce := r.requestChallenge("", registry.PurposeRequest)
			for range 24 {
				all = append(all, r.sign(apple, serverNonce(nonce)))
			}
			return all
		}},
		{"challenge, by several keys", func() (all []*http.Request) {
			nonce := r.requestChallenge("", registry.PurposeRequest)
			for _, key := range []signer{android, apple, other} {
				all = append(all, r.sign(key, serverNonce(nonce)))
			}
			return all
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for range 5 {
				var messages []*request.Message
				for _, req := range tt.make() {
					messages = append(messages, message(t, req))
				}
				passed := 0
				for _, v := range r.together(messages) {
					if v != nil && v.Decision == registry.Allow {
						passed++
					}
				}
				if passed != 1 {
					t.Errorf("%d of %d passed", passed, len(messages))
				}
			}
		})
	}
	r.mustCheck()
}

// otherPath is a request for which the policy has no route.
func otherPath(r *rig, key signer) *http.Request {
	r.t.Helper()
	req := remit()
	req.URL.Path = "/v1/balance"
	if err := key.SignRequest(r.clock(), req); err != nil {
		r.t.Fatal(err)
	}
	return req
}

func serverNonce(nonce string) attesttest.RequestOption {
	return func(d *attesttest.RequestDraft) { d.Nonce, d.Fields = nonce, []string{"idempotency-key"} }
}

// TestConcurrentCounters: requests of an Apple key that were signed one after
// the other and arrive in any order. Without a window those that are overtaken
// are lost; with one, none is. What passed passes never again.
func TestConcurrentCounters(t *testing.T) {
	for _, tt := range []struct {
		name   string
		window string
		all    bool
	}{{"strict", "0", false}, {"window", "64", true}} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, withPolicy(t, `counter_window = 0`, `counter_window = `+tt.window))
			key := r.appleKey()
			var messages []*request.Message
			for range 40 {
				messages = append(messages, message(t, r.sign(key)))
			}
			passed, highest := 0, uint32(0)
			for _, v := range r.together(messages) {
				if v.Decision == registry.Allow {
					passed++
					highest = max(highest, r.key(v.Key.ID).Counter)
				}
			}
			if highest != 40 || passed == 0 || tt.all && passed != 40 {
				t.Errorf("%d passed; counter %d", passed, highest)
			}
			for _, v := range r.together(messages) {
				if v.Decision == registry.Allow {
					t.Error("passed twice")
				}
			}
			r.mustCheck()
		})
	}
}

// TestGroup: requests of many keys in one transaction, good ones and bad ones,
// each get the answer that is theirs.
func TestGroup(t *testing.T) {
	r := newRig(t, withPolicy(t))
	keys := r.softKeys(30)
	r.change(keys[7].id, func(k *registry.Key) { k.State = registry.StateRevoked })
	var messages []*request.Message
	for i, k := range keys {
		m := k.message(t, noon)
		if i%10 == 3 {
			m.Query = "?altered=1"
		}
		messages = append(messages, m, m)
	}
	verdicts := r.together(messages)
	for i, k := range keys {
		var passed []*registry.RequestVerdict
		for _, v := range verdicts[2*i : 2*i+2] {
			if v.Decision == registry.Allow {
				passed = append(passed, v)
			}
		}
		switch {
		case i == 7 || i%10 == 3:
			if len(passed) > 0 {
				t.Errorf("key %d: %+v", i, passed[0])
			}
		case len(passed) != 1 || passed[0].Key.ID != k.id:
			t.Errorf("key %d: %d passed", i, len(passed))
		}
	}
}

// TestRevokedBetween: a key is revoked after it was found and before the guard
// commits. The guard sees it.
func TestRevokedBetween(t *testing.T) {
	r := newRig(t, withPolicy(t))
	key := r.androidKey()
	r.mustPass(r.check(r.sign(key)))
	between := &hooked{Store: r.store}
	service := r.service(between)
	between.before = func() {
		if _, err := r.RevokeKey(context.Background(), backend, "demo", key.ID(), "lost"); err != nil {
			t.Error(err)
		}
	}
	v, err := service.VerifyRequest(t.Context(), backend, &registry.RequestCheck{App: "demo", Message: message(t, r.sign(key))})
	if err != nil {
		t.Fatal(err)
	}
	r.mustRefuse(v, "common.key_revoked")
}

// TestKeyChangesBetween: the app id of an Apple key, under which its assertion
// is verified, changes in between. It is judged again; and if that goes on, the
// answer is an error.
func TestKeyChangesBetween(t *testing.T) {
	r := newRig(t, withPolicy(t))
	key := r.appleKey()
	id := r.check(r.sign(key)).Key.ID
	between := &hooked{Store: r.store}
	service := r.service(between)
	n := 0
	change := func() {
		n++
		r.change(id, func(k *registry.Key) { k.AppID += "x" })
	}
	ask := func() (*registry.RequestVerdict, error) {
		return service.VerifyRequest(t.Context(), backend, &registry.RequestCheck{App: "demo", Message: message(t, r.sign(key))})
	}
	between.before = func() {
		if n == 0 {
			change()
		}
	}
	v, err := ask()
	if err != nil {
		t.Fatal(err)
	}
	r.mustRefuse(v, "apple.app_id_mismatch")
	between.before = change
	if v, err := ask(); err == nil {
		t.Errorf("a key that changes all the time: %+v", v)
	}
}

// hooked does something before each transaction that writes.
type hooked struct {
	storetest.Store
	before func()
}

func (h *hooked) Update(ctx context.Context, fn func(storetest.Tx) error) error {
	if h.before != nil {
		h.before()
	}
	return h.Store.Update(ctx, fn)
}

// twice runs every transaction two times, the first for nothing.
type twice struct{ storetest.Store }

var errTwice = errors.New("once more")

func (s twice) Update(ctx context.Context, fn func(storetest.Tx) error) error {
	err := s.Store.Update(ctx, func(tx storetest.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		return errTwice
	})
	if !errors.Is(err, errTwice) {
		return err
	}
	return s.Store.Update(ctx, fn)
}

// TestTransactionsRunTwice: nothing of the first run is left in the answer.
func TestTransactionsRunTwice(t *testing.T) {
	r := newRig(t, withPolicy(t, remitRoute...))
	service := r.service(twice{r.store})
	for _, key := range []signer{r.androidKey(), r.appleKey()} {
		m := message(t, r.sign(key, serverNonce(r.requestChallenge(alice, registry.PurposeRequest))))
		for i, want := range []registry.Decision{registry.Allow, registry.Deny} {
			v, err := service.VerifyRequest(t.Context(), backend, &registry.RequestCheck{App: "demo", Message: m})
			if err != nil || v.Decision != want {
				t.Errorf("ask %d: %+v, %v", i, v, err)
			}
		}
	}
	r.mustCheck()
}

// TestNonceOfAnotherKey: nonces are a key's own, so that nobody can use up those
// of others.
func TestNonceOfAnotherKey(t *testing.T) {
	r := newRig(t, withPolicy(t))
	same := func(d *attesttest.RequestDraft) { d.Nonce = "k2v3Yw9tJmQ4s6t7u8v9wA" }
	one, other := r.androidKey(), r.androidKey()
	r.mustPass(r.check(r.sign(one, same)))
	r.mustPass(r.check(r.sign(other, same)))
	r.mustRefuse(r.check(r.sign(other, same, func(d *attesttest.RequestDraft) { d.Created = noon.Add(-time.Second) })), "common.request_replay")
}

// TestKeyUnderAnotherId: a record whose public key is not that of its id is
// damaged. No request is judged by it.
func TestKeyUnderAnotherId(t *testing.T) {
	for _, platform := range []string{"android", "apple"} {
		r := newRig(t, withPolicy(t))
		keys := r.softKeys(2)
		r.change(keys[0].id, func(k *registry.Key) { k.SPKI, k.Platform = keys[1].spki, platform })
		m := softKey{keys[1].PrivateKey, keys[0].id, nil}.message(t, noon)
		if v, err := r.VerifyRequest(t.Context(), backend, &registry.RequestCheck{App: "demo", Message: m}); err == nil || v != nil || errors.Is(err, registry.ErrKeyUnknown) {
			t.Errorf("%s: %+v, %v", platform, v, err)
		}
	}
}
