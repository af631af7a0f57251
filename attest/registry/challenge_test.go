package registry_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/store/storetest"
)

func TestCreateChallenge(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	seen := map[string]bool{}
	for _, in := range []registry.ChallengeRequest{
		{App: "demo", Account: alice, Purpose: registry.PurposeRegister},
		{App: "demo", Account: alice, Purpose: registry.PurposeRequest},
		{App: "demo", Purpose: registry.PurposeRegister},
	} {
		c, err := r.CreateChallenge(ctx, backend, &in)
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Challenge) != 32 || seen[string(c.Challenge)] || !c.ServerTime.Equal(noon) || !c.ExpiresAt.Equal(noon.Add(5*time.Minute)) {
			t.Errorf("challenge %+v", c)
		}
		seen[string(c.Challenge)] = true
		err = r.store.View(ctx, func(tx storetest.Tx) error {
			stored, err := tx.Challenge(ctx, sha256.Sum256(c.Challenge))
			if stored.Account != in.Account || stored.Purpose != in.Purpose || !stored.Expires.Equal(c.ExpiresAt) || !stored.Used.IsZero() {
				t.Errorf("stored %+v", stored)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	for name, in := range map[string]registry.ChallengeRequest{
		"no purpose":      {App: "demo", Account: alice},
		"unknown purpose": {App: "demo", Account: alice, Purpose: "pay"},
		"not an account":  {App: "demo", Account: "alice", Purpose: registry.PurposeRegister},
	} {
		if _, err := r.CreateChallenge(ctx, backend, &in); !errors.Is(err, registry.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := r.CreateChallenge(ctx, backend, &registry.ChallengeRequest{App: "other", Purpose: registry.PurposeRegister}); !errors.Is(err, registry.ErrAppUnknown) {
		t.Errorf("another app: %v", err)
	}
}

// TestAppNotInPolicy: an app that the policy in force does not name has no service.
func TestAppNotInPolicy(t *testing.T) {
	genuine, err := attest.Genuine(attest.ProfileGoogle)
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]*attest.Policy{"none": nil, "zero": {}, "another": genuine} {
		r := newRig(t, func(o *registry.Options) { o.Policy = func() *attest.Policy { return p } })
		_, err := r.CreateChallenge(t.Context(), backend, &registry.ChallengeRequest{App: "demo", Purpose: registry.PurposeRegister})
		if !errors.Is(err, registry.ErrAppUnknown) {
			t.Errorf("%s: CreateChallenge: %v", name, err)
		}
		in := &registry.Registration{App: "demo", Account: alice, Challenge: make([]byte, 32), CertificateChain: [][]byte{{1}}}
		if _, err := r.Register(t.Context(), backend, in); !errors.Is(err, registry.ErrAppUnknown) {
			t.Errorf("%s: Register: %v", name, err)
		}
	}
}

// TestOneAppAService: a service answers for its app only, though the policy
// names others too.
func TestOneAppAService(t *testing.T) {
	var f attest.PolicyFile
	if err := config.Decode([]byte(attesttest.DemoPolicy()), &f); err != nil {
		t.Fatal(err)
	}
	other := f.App[0]
	other.ID = "other"
	f.App = append(f.App, other)
	p, err := attest.NewPolicy(&f)
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, func(o *registry.Options) { o.Policy = func() *attest.Policy { return p } })
	r.mustAllow(r.androidRegistration())
	caller := account.Caller{Kind: account.Backend, App: "other"}
	_, err = r.CreateChallenge(t.Context(), caller, &registry.ChallengeRequest{App: "other", Purpose: registry.PurposeRegister})
	if !errors.Is(err, registry.ErrAppUnknown) {
		t.Errorf("CreateChallenge: %v", err)
	}
	in := r.androidRegistration()
	in.App = "other"
	if _, err := r.Register(t.Context(), caller, in); !errors.Is(err, registry.ErrAppUnknown) {
		t.Errorf("Register: %v", err)
	}
}

// TestChallengeRules: what a challenge is good for, and how long.
func TestChallengeRules(t *testing.T) {
	tests := []struct {
		name   string
		change func(*rig, *registry.Registration)
		code   string // empty: accepted
	}{
		{"good", func(*rig, *registry.Registration) {}, ""},
		{"at the last microsecond", func(r *rig, _ *registry.Registration) { r.advance(5*time.Minute - time.Microsecond) }, ""},
		{"at its end", func(r *rig, _ *registry.Registration) { r.advance(5 * time.Minute) }, "common.challenge_expired"},
		{"a day later", func(r *rig, _ *registry.Registration) { r.advance(24 * time.Hour) }, "common.challenge_expired"},
		{"never issued", func(_ *rig, in *registry.Registration) { in.Challenge = make([]byte, 32) }, "common.challenge_unknown"},
		{"of another account", func(_ *rig, in *registry.Registration) { in.Account = bob }, "common.challenge_unknown"},
		{"of no account", func(r *rig, in *registry.Registration) { in.Challenge = r.challenge("") }, "common.challenge_unknown"},
		{"of another purpose", func(r *rig, in *registry.Registration) {
			c, err := r.CreateChallenge(r.t.Context(), backend, &registry.ChallengeRequest{App: "demo", Account: alice, Purpose: registry.PurposeRequest})
			if err != nil {
				r.t.Fatal(err)
			}
			in.Challenge = c.Challenge
		}, "common.challenge_unknown"},
		{"used", func(r *rig, in *registry.Registration) { r.mustAllow(in) }, "common.challenge_used"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			in := r.androidRegistration()
			tt.change(r, in)
			if tt.code == "" {
				r.mustAllow(in)
				return
			}
			out := r.mustDeny(in, tt.code, registry.AdviceNewChallenge)
			if out.Verdict.Tier != attest.TierNone || out.Verdict.Claims != nil || out.Evidence != "" {
				t.Errorf("tier %s, claims %v, evidence %q", out.Verdict.Tier, out.Verdict.Claims, out.Evidence)
			}
			r.mustCheck()
		})
	}
}

// TestChallengeOfAnotherApp: a store has the challenges of its app only, and a
// service refuses another's however it came there.
func TestChallengeOfAnotherApp(t *testing.T) {
	r := newRig(t)
	in := r.androidRegistration()
	update, view := storetest.Registry(r.store)
	o := *r.opts
	o.Update = update
	o.View = func(ctx context.Context, fn func(registry.Tx) error) error {
		return view(ctx, func(tx registry.Tx) error { return fn(foreign{tx}) })
	}
	s, err := registry.New(&o)
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.Register(t.Context(), backend, in)
	if err != nil || out.Decision != registry.Deny || !out.Verdict.Has("common.challenge_unknown") {
		t.Errorf("%+v, %v", out, err)
	}
}

// foreign says that challenges are another app's.
type foreign struct{ registry.Tx }

func (tx foreign) Challenge(ctx context.Context, hash [32]byte) (registry.Challenge, error) {
	c, err := tx.Tx.Challenge(ctx, hash)
	c.App = "other"
	return c, err
}

// TestConcurrentUse: of many that come with one challenge, one gets a key, even
// if all of them have been verified before the first one commits.
func TestConcurrentUse(t *testing.T) {
	const n = 8
	verifier, err := attest.NewVerifier(nil)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Add(n)
	r := newRig(t, func(o *registry.Options) {
		o.TestingOnlyVerify(func(ev attest.Evidence, want attest.Expect, p *attest.Policy, now time.Time) (attest.Verdict, error) {
			v, err := verifier.Verify(ev, want, p, now)
			all.Done()
			all.Wait() // until everybody stands here
			return v, err
		})
	})
	c := r.challenge(alice)
	phone := androidPhone(t)
	ins := make([]*registry.Registration, n)
	for i := range ins {
		key, err := phone.GenerateKey(noon, c)
		if err != nil {
			t.Fatal(err)
		}
		ins[i] = &registry.Registration{App: "demo", Account: alice, Challenge: c, CertificateChain: key.Chain()}
	}
	var won, used atomic.Int32
	var wg sync.WaitGroup
	for _, in := range ins {
		wg.Go(func() {
			out, err := r.Register(context.WithoutCancel(t.Context()), backend, in)
			switch {
			case err != nil:
				t.Error(err)
			case out.Decision == registry.Allow:
				won.Add(1)
			case out.Verdict.Has("common.challenge_used") && out.Verdict.Tier == attest.TierNone && out.Verdict.Claims == nil && out.Evidence == "":
				used.Add(1)
			default:
				t.Errorf("%+v", out.Verdict.Findings)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 || used.Load() != n-1 {
		t.Errorf("%d won and %d came too late, want 1 and %d", won.Load(), used.Load(), n-1)
	}
	r.mustCheck()
}

// TestLostRaceOutsideTheLookup: the compare-and-set alone decides, even if the
// look-up in the same transaction still saw the challenge open.
func TestLostRaceOutsideTheLookup(t *testing.T) {
	r := newRig(t)
	in := r.androidRegistration()
	update, view := storetest.Registry(r.store)
	o := *r.opts
	o.View = view
	o.Update = func(ctx context.Context, fn func(registry.Tx) error) error {
		return update(ctx, func(tx registry.Tx) error { return fn(loser{tx}) })
	}
	s, err := registry.New(&o)
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.Register(t.Context(), backend, in)
	if err != nil || out.Decision != registry.Deny || !out.Verdict.Has("common.challenge_used") || out.Verdict.Tier != attest.TierNone {
		t.Errorf("%+v, %v", out, err)
	}
}

type loser struct{ registry.Tx }

func (loser) UseChallenge(context.Context, [32]byte, time.Time) (bool, error) { return false, nil }

// TestSweep: challenges go a day after their end, evidence after its retention,
// and not before.
func TestSweep(t *testing.T) {
	r := newRig(t)
	in := r.androidRegistration()
	r.mustAllow(in)
	err := r.store.Update(t.Context(), func(tx storetest.Tx) error {
		for i := range 1201 { // more than two transactions of the sweep
			c := registry.Challenge{Hash: [32]byte{1, byte(i >> 8), byte(i)}, App: "demo", Purpose: registry.PurposeRegister, Issued: noon, Expires: noon.Add(5 * time.Minute)}
			if err := tx.AddChallenge(t.Context(), c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	count := func() (challenges int) {
		t.Helper()
		err := r.store.Update(t.Context(), func(tx storetest.Tx) (err error) {
			challenges, err = tx.DeleteChallenges(t.Context(), noon.Add(time.Hour*24*365), 10000)
			if err == nil {
				err = errUndo
			}
			return err
		})
		if !errors.Is(err, errUndo) {
			t.Fatal(err)
		}
		return challenges
	}
	evidence := func() (n int) {
		t.Helper()
		err := r.store.Update(t.Context(), func(tx storetest.Tx) (err error) {
			n, err = tx.DeleteEvidence(t.Context(), noon.Add(time.Hour*24*365), 10000)
			if err == nil {
				err = errUndo
			}
			return err
		})
		if !errors.Is(err, errUndo) {
			t.Fatal(err)
		}
		return n
	}
	sweep := func() {
		t.Helper()
		if err := r.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	r.advance(24*time.Hour + 5*time.Minute)
	sweep()
	if n := count(); n != 1202 {
		t.Errorf("%d challenges on the last microsecond of their memory", n)
	}
	r.mustDeny(in, "common.challenge_used", registry.AdviceNewChallenge)
	r.advance(time.Microsecond)
	sweep()
	if n := count(); n != 0 {
		t.Errorf("%d challenges after it", n)
	}
	r.mustDeny(in, "common.challenge_unknown", registry.AdviceNewChallenge)
	if n := evidence(); n != 1 {
		t.Errorf("%d pieces of evidence within their retention", n)
	}
	r.advance(29 * 24 * time.Hour)
	sweep()
	if n := evidence(); n != 0 {
		t.Errorf("%d pieces of evidence after it", n)
	}
	r.mustCheck()
}

var errUndo = errors.New("undo")

// TestChallengeIsNotStored: the file holds its hash only.
func TestChallengeIsNotStored(t *testing.T) {
	r := newRig(t)
	c := r.challenge(alice)
	if data := r.files(); bytes.Contains(data, c) {
		t.Error("the challenge itself is in the store")
	} else if sum := sha256.Sum256(c); !bytes.Contains(data, sum[:]) {
		t.Error("its hash is not: the test looks at the wrong place")
	}
}

// TestClockJumps: a clock that goes back keeps an open challenge open and a used
// one used; one that goes ahead ends it, and when it comes back the challenge is
// open again, for nobody has used it.
func TestClockJumps(t *testing.T) {
	r := newRig(t)
	first, second := r.androidRegistration(), r.androidRegistration()
	late := r.androidRegistration()
	r.advance(-time.Minute)
	r.mustAllow(first)
	r.advance(-24 * time.Hour)
	r.mustDeny(first, "common.challenge_used", registry.AdviceNewChallenge)
	r.advance(24*time.Hour + time.Minute + 5*time.Minute)
	r.mustDeny(late, "common.challenge_expired", registry.AdviceNewChallenge)
	if r.used(late.Challenge) {
		t.Error("a challenge that had expired is used up")
	}
	r.advance(-time.Minute)
	r.mustAllow(second)
	r.mustCheck()
}
