package registry_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/registry"
)

// TestExpectations: what the verifier is told.
func TestExpectations(t *testing.T) {
	var got attest.Expect
	var at time.Time
	stop := errors.New("stop")
	r := newRig(t, func(o *registry.Options) {
		o.TestingOnlyVerify(func(_ attest.Evidence, want attest.Expect, _ *attest.Policy, now time.Time) (attest.Verdict, error) {
			got, at = want, now
			return attest.Verdict{}, stop
		})
	})
	key := applePhone(t).GenerateKey()
	in := r.appleRegistration(key)
	in.ClientData = []byte{} // empty and absent are one
	if _, err := r.Register(t.Context(), backend, in); !errors.Is(err, stop) || errors.Is(err, registry.ErrMalformed) {
		t.Fatal(err)
	}
	if got.App != "demo" || !bytes.Equal(got.Challenge, in.Challenge) || !bytes.Equal(got.KeyID, key.ID()) || got.Status == nil || !at.Equal(noon) {
		t.Errorf("expectations %+v at %v", got, at)
	}
	if got.ClientData != nil || got.ClientDataHash != nil || got.AppID != "" || got.PublicKey != nil || got.Counter != 0 {
		t.Errorf("expectations that nobody gave: %+v", got)
	}
	// Nobody counts the uses of an exception that has a cap, so none is left.
	if got.UsesLeft == nil || got.UsesLeft("any") != 0 {
		t.Error("exceptions with a cap are in force without being counted")
	}
	if r.used(in.Challenge) {
		t.Error("an error has used the challenge up")
	}
}

// TestAcceptedWithoutKey: an accepted verdict that names no key is a fault of
// the program, and registers nothing.
func TestAcceptedWithoutKey(t *testing.T) {
	good := attest.Claims{Platform: "android", KeyID: strings.Repeat("A", 43), KeySPKI: []byte{1}, Android: &attest.AndroidClaims{Description: &android.KeyDescription{}}}
	chain := make([]attest.Certificate, 3)
	tests := []struct {
		name   string
		change func(*attest.Verdict, *attest.Claims)
		ok     bool
	}{
		{"good", func(*attest.Verdict, *attest.Claims) {}, true},
		{"no claims", func(v *attest.Verdict, _ *attest.Claims) { v.Claims = nil }, false},
		{"no key id", func(_ *attest.Verdict, c *attest.Claims) { c.KeyID = "" }, false},
		{"not a key id", func(_ *attest.Verdict, c *attest.Claims) { c.KeyID = "x" }, false},
		{"no key", func(_ *attest.Verdict, c *attest.Claims) { c.KeySPKI = nil }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			claims := good
			v := attest.Verdict{Format: attest.FormatAndroidChain, Tier: attest.TierAffirming, Claims: &claims, Chain: chain, At: noon}
			tt.change(&v, &claims)
			r := newRig(t, func(o *registry.Options) {
				o.TestingOnlyVerify(func(attest.Evidence, attest.Expect, *attest.Policy, time.Time) (attest.Verdict, error) { return v, nil })
			})
			in := r.androidRegistration()
			out, err := r.Register(t.Context(), backend, in)
			if (err == nil) != tt.ok || r.used(in.Challenge) != tt.ok || r.rows("attest_key") == 1 != tt.ok {
				t.Errorf("%+v, %v", out, err)
			}
		})
	}
}

// TestSerials: those of the issuers are stored with the key, and not the leaf's,
// which is 1 on every phone.
func TestSerials(t *testing.T) {
	r := newRig(t)
	out := r.mustAllow(r.androidRegistration())
	for _, c := range out.Verdict.Chain[1:] {
		if r.rows("attest_serial WHERE serial = '"+c.Serial+"' AND key_id = '"+out.KeyID+"'") != 1 {
			t.Errorf("serial %s is not stored", c.Serial)
		}
	}
	if n := r.rows("attest_serial WHERE serial = '" + out.Verdict.Chain[0].Serial + "'"); n != 0 {
		t.Error("the leaf's serial is stored")
	}
	r.mustAllow(r.appleRegistration(applePhone(t).GenerateKey()))
	if n := r.rows("attest_serial"); n != len(out.Verdict.Chain)-1 {
		t.Errorf("%d serials", n)
	}
}

// TestLogsMissingList: an operator hears of it.
func TestLogsMissingList(t *testing.T) {
	var log bytes.Buffer
	r := newRig(t, func(o *registry.Options) {
		o.Status, o.Logger = nil, slog.New(slog.NewTextHandler(&log, nil))
	})
	r.register(r.appleRegistration(applePhone(t).GenerateKey()))
	if log.Len() > 0 {
		t.Errorf("of an iPhone: %s", log.String())
	}
	r.register(r.androidRegistration())
	if !strings.Contains(log.String(), "no revocation list") {
		t.Errorf("logged %q", log.String())
	}
}
