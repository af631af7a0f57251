package storetest

import (
	"bytes"
	"encoding/base64"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/registry"
)

const alice account.ID = "a_aaaaaaaaaaaaaaaaaaaaaaaaaa"

func challenge(b byte) registry.Challenge {
	return registry.Challenge{
		Hash: [32]byte(bytes.Repeat([]byte{b}, 32)), App: App, Account: alice, Purpose: registry.PurposeRegister,
		Issued: noon().UTC(), Expires: noon().UTC().Add(time.Duration(b) * time.Minute),
	}
}

// key has no field at its zero value.
func key() registry.Key {
	return registry.Key{
		ID: base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)), App: App, Account: alice, Platform: "android",
		SPKI: []byte{1, 2}, Algorithm: "EC-P256", AppID: "TEAM.bundle", Tier: attest.TierAffirming, State: registry.StateActive,
		Counter: 4, Window: 5, Model: "Sony SOV37", OS: "16.0.0", Serials: []string{"a", "b"}, Device: bytes.Repeat([]byte{9}, 32),
		Batch: bytes.Repeat([]byte{8}, 32), Provisioning: "factory",
		PolicyDigest: "sha256:00", Evidence: "e_x", RegisteredAt: noon().UTC(), LastUsed: noon().UTC().Truncate(24 * time.Hour),
	}
}

func testChallenges(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	update(t, s, func(tx Tx) error {
		for b := byte(1); b <= 5; b++ {
			if err := tx.AddChallenge(ctx, challenge(b)); err != nil {
				return err
			}
		}
		return nil
	})
	view(t, s, func(tx Tx) error {
		c, err := tx.Challenge(ctx, challenge(1).Hash)
		if diff := cmp.Diff(challenge(1), c); diff != "" {
			t.Error(diff)
		}
		return err
	})
	foreign := challenge(8)
	foreign.App = "other"
	if err := s.Update(ctx, func(tx Tx) error { return tx.AddChallenge(ctx, foreign) }); err == nil {
		t.Error("stored a challenge of another app")
	}

	// Compare and set: of many, one.
	var won atomic.Int32
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			err := s.Update(ctx, func(tx Tx) error {
				ok, err := tx.UseChallenge(ctx, challenge(1).Hash, noon().Add(time.Duration(i)))
				if ok {
					won.Add(1)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of 16 have used one challenge", won.Load())
	}
	update(t, s, func(tx Tx) error {
		ok, err := tx.UseChallenge(ctx, challenge(9).Hash, noon())
		if ok {
			t.Error("used a challenge that is not there")
		}
		return err
	})
	view(t, s, func(tx Tx) error {
		c, err := tx.Challenge(ctx, challenge(1).Hash)
		if !c.Used.Equal(noon()) {
			t.Errorf("used at %v", c.Used)
		}
		return err
	})

	// Deleting: what expired before t, oldest first, no more than the limit.
	for _, want := range []int{2, 1, 0} {
		update(t, s, func(tx Tx) error {
			n, err := tx.DeleteChallenges(ctx, challenge(4).Expires, 2)
			if n != want {
				t.Errorf("deleted %d, want %d", n, want)
			}
			return err
		})
	}
	view(t, s, func(tx Tx) error {
		for b, there := range map[byte]bool{1: false, 2: false, 3: false, 4: true, 5: true} {
			if _, err := tx.Challenge(ctx, challenge(b).Hash); errors.Is(err, registry.ErrChallengeUnknown) == there {
				t.Errorf("challenge %d: %v", b, err)
			}
		}
		return nil
	})
}

func testKeys(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	least := registry.Key{ID: "least", App: App, Account: alice, SPKI: []byte{1}, State: registry.StateRevoked, RegisteredAt: noon().UTC()}
	most := key()
	most.Serials = []string{"b", "c"} // and no longer a
	most.Counter, most.Window = math.MaxUint32, math.MaxUint64
	for _, k := range []registry.Key{least, key(), most, least} { // most replaces key
		update(t, s, func(tx Tx) error { return tx.PutAttestedKey(ctx, k) })
		view(t, s, func(tx Tx) error {
			got, err := tx.AttestedKey(ctx, k.ID)
			if diff := cmp.Diff(k, got); diff != "" {
				t.Error(diff)
			}
			return err
		})
	}
	view(t, s, func(tx Tx) error {
		if _, err := tx.AttestedKey(ctx, "unknown"); !errors.Is(err, registry.ErrKeyUnknown) {
			t.Errorf("unknown key: %v", err)
		}
		return nil
	})

	for name, fn := range map[string]func(Tx) error{
		"a key of another app": func(tx Tx) error { k := key(); k.App = "other"; return tx.PutAttestedKey(ctx, k) },
		"a key of no state":    func(tx Tx) error { k := key(); k.State = ""; return tx.PutAttestedKey(ctx, k) },
		"a key without a time": func(tx Tx) error { k := key(); k.RegisteredAt = time.Time{}; return tx.PutAttestedKey(ctx, k) },
		"evidence without its retention": func(tx Tx) error {
			return tx.AddEvidence(ctx, registry.Evidence{ID: "e", At: noon(), Verdict: []byte("{}")})
		},
	} {
		if err := s.Update(ctx, fn); err == nil {
			t.Errorf("stored %s", name)
		}
	}
}

func testEvidence(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	evidence := func(i int) registry.Evidence {
		e := registry.Evidence{
			ID: string(rune('a' + i)), Account: alice, Key: "key", At: noon().UTC(), Until: noon().UTC().Add(time.Duration(i) * time.Hour),
			Verdict: []byte(`{"tier": "none"}`),
		}
		if i%2 == 0 {
			e.Bundle = []byte(`{"b": 1}`)
		}
		return e
	}
	update(t, s, func(tx Tx) error {
		for i := range 5 {
			if err := tx.AddEvidence(ctx, evidence(i)); err != nil {
				return err
			}
		}
		return nil
	})
	there := func(want ...bool) {
		t.Helper()
		view(t, s, func(tx Tx) error {
			for i, want := range want {
				e, found, err := tx.Evidence(ctx, evidence(i).ID)
				if err != nil || found != want {
					t.Errorf("evidence %d: %v, %v", i, found, err)
				}
				if diff := cmp.Diff(evidence(i), e); found && diff != "" {
					t.Error(diff)
				}
			}
			return nil
		})
	}
	there(true, true, true, true, true, false)
	if err := s.Update(ctx, func(tx Tx) error { return tx.AddEvidence(ctx, evidence(0)) }); err == nil {
		t.Error("evidence can be replaced")
	}
	for _, want := range []int{2, 1, 0} { // what is kept until before t, oldest first
		update(t, s, func(tx Tx) error {
			n, err := tx.DeleteEvidence(ctx, noon().Add(3*time.Hour), 2)
			if n != want {
				t.Errorf("deleted %d, want %d", n, want)
			}
			return err
		})
	}
	there(false, false, false, true, true)
}
