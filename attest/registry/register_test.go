package registry_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/registry"
)

func TestRegisterAndroid(t *testing.T) {
	r := newRig(t)
	out := r.mustAllow(r.androidRegistration())
	k := r.key(out.KeyID)
	want := registry.Key{
		ID: out.KeyID, App: "demo", Account: alice, Platform: "android", SPKI: k.SPKI, Algorithm: "EC-P256",
		Tier: attest.TierAffirming, State: registry.StateActive, Model: k.Model, OS: k.OS, Serials: k.Serials,
		Batch: k.Batch, Provisioning: "rkp", PolicyDigest: demoPolicy(t).Digest(), Evidence: out.Evidence, RegisteredAt: noon,
	}
	if batch := out.Verdict.Chain[1].SPKISHA256; hex.EncodeToString(k.Batch) != batch {
		t.Errorf("batch %x, want %s", k.Batch, batch)
	}
	if diff := cmp.Diff(want, k); diff != "" {
		t.Error(diff)
	}
	if id := sha256.Sum256(k.SPKI); base64.RawURLEncoding.EncodeToString(id[:]) != k.ID {
		t.Errorf("key id %s is not the SHA-256 of the key", k.ID)
	}
	if len(k.Serials) != len(out.Verdict.Chain)-1 || !slices.IsSorted(k.Serials) {
		t.Errorf("serials %v of %d certificates", k.Serials, len(out.Verdict.Chain))
	}
	if k.OS == "" || out.Verdict == nil || !strings.HasPrefix(out.Evidence, "e_") {
		t.Errorf("OS %q, verdict %v, evidence %q", k.OS, out.Verdict, out.Evidence)
	}
	r.mustCheck()
}

func TestRegisterAndroidKeyObject(t *testing.T) {
	r := newRig(t)
	c := r.challenge(alice)
	hash := sha256.Sum256(c)
	key, object, err := androidPhone(t).Register(noon, attesttest.DemoRPID, hash[:])
	if err != nil {
		t.Fatal(err)
	}
	out := r.mustAllow(&registry.Registration{App: "demo", Account: alice, Challenge: c, AttestationObject: object})
	if out.KeyID != key.ID() {
		t.Errorf("key id %s, want %s", out.KeyID, key.ID())
	}
}

func TestRegisterApple(t *testing.T) {
	r := newRig(t)
	phone := applePhone(t)
	key := phone.GenerateKey()
	out := r.mustAllow(r.appleRegistration(key))
	k := r.key(out.KeyID)
	if k.Platform != "apple" || k.AppID != phone.AppID() || k.ID != base64.RawURLEncoding.EncodeToString(key.ID()) ||
		k.Counter != 0 || !bytes.Equal(k.SPKI, key.PublicKey()) || k.Device != nil {
		t.Errorf("key %+v", k)
	}

	// With client data around the challenge.
	key = phone.GenerateKey()
	c := r.challenge(alice)
	clientData := []byte(`{"challenge":"` + base64.RawURLEncoding.EncodeToString(c) + `"}`)
	hash := sha256.Sum256(clientData)
	object, err := key.Attest(noon, hash[:])
	if err != nil {
		t.Fatal(err)
	}
	r.mustAllow(&registry.Registration{
		App: "demo", Account: alice, Challenge: c, AttestationObject: object, ClientData: clientData,
		KeyID: base64.RawURLEncoding.EncodeToString(key.ID()),
	})
	r.mustCheck()
}

// TestAppleReceipts: an ATTEST receipt is younger than five minutes at registration.
func TestAppleReceipts(t *testing.T) {
	for age, want := range map[time.Duration]bool{0: false, 4 * time.Minute: false, 6 * time.Minute: true} {
		r := newRig(t)
		in := r.appleRegistration(applePhone(t).GenerateKey(), func(d *attesttest.AppleDraft) {
			d.Receipt.CreationTime = noon.Add(-age).Format("2006-01-02T15:04:05.000Z")
		})
		if out := r.mustAllow(in); out.Verdict.Has("apple.receipt_stale") != want { // the demo policy warns
			t.Errorf("receipt of %v ago: %+v", age, out.Verdict.Findings)
		}
	}
}

// TestRegisterDenied: what is refused changes no key, uses the challenge up and
// is on record.
func TestRegisterDenied(t *testing.T) {
	unlocked := func(d *attesttest.AndroidDraft) {
		d.Description.HardwareEnforced.SetDER(704, attesttest.RootOfTrust{VerifiedBootKey: make([]byte, 32), VerifiedBootState: 2}.DER())
	}
	repackaged := func(d *attesttest.AndroidDraft) {
		app := attesttest.ApplicationID{Packages: []attesttest.Package{{Name: "com.evil.chat", Version: 1}}, Signers: [][]byte{make([]byte, 32)}}
		d.Description.SoftwareEnforced.SetDER(709, app.DER())
	}
	tests := []struct {
		name   string
		make   func(*rig) *registry.Registration
		code   string
		tier   attest.Tier
		advice registry.Advice
	}{
		{"unlocked phone", func(r *rig) *registry.Registration { return r.androidRegistration(unlocked) },
			"android.boot_unlocked", attest.TierContraindicated, registry.AdviceContact},
		{"repackaged app", func(r *rig) *registry.Registration { return r.androidRegistration(repackaged) },
			"android.app_package", attest.TierContraindicated, registry.AdviceContact},
		{"another challenge in the evidence", func(r *rig) *registry.Registration {
			in := r.androidRegistration()
			in.Challenge = r.challenge(alice)
			return in
		}, "common.challenge_mismatch", attest.TierNone, registry.AdviceNewChallenge},
		{"another key's id", func(r *rig) *registry.Registration {
			in := r.appleRegistration(applePhone(r.t).GenerateKey())
			in.KeyID = base64.RawURLEncoding.EncodeToString(make([]byte, 32))
			return in
		}, "apple.key_id_mismatch", attest.TierNone, registry.AdviceContact},
		{"revoked certificate", func(r *rig) *registry.Registration {
			return r.androidRegistration(func(d *attesttest.AndroidDraft) { d.Chain[1].Serial = []byte{0xba, 0xdb, 0xad} })
		}, "android.revoked", attest.TierNone, registry.AdviceContact},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			in := tt.make(r)
			out := r.mustDeny(in, tt.code, tt.advice)
			if out.Verdict.Tier != tt.tier || out.Evidence == "" && tt.tier != attest.TierNone {
				t.Errorf("tier %s, evidence %q", out.Verdict.Tier, out.Evidence)
			}
			entries, events := r.record()
			if len(entries) != 1 || len(events) != 1 {
				t.Fatalf("%d entries and %d events", len(entries), len(events))
			}
			if e := entries[0]; e.Account != alice || e.Action != "attest.register" || !strings.Contains(e.Reason, tt.code) || len(e.Object) != 0 || e.Actor.Kind != account.Backend {
				t.Errorf("entry %+v", e)
			}
			if e := events[0]; e.Type != "attest.register_denied" || !strings.Contains(string(e.Body), tt.code) {
				t.Errorf("event %+v", e)
			}
			r.mustDeny(in, "common.challenge_used", registry.AdviceNewChallenge)
			r.mustCheck()
		})
	}
}

// TestNoStatusList: without a revocation list nothing of Android is accepted.
func TestNoStatusList(t *testing.T) {
	for name, status := range map[string]func() *android.StatusList{"no function": nil, "no list": func() *android.StatusList { return nil }} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(o *registry.Options) { o.Status = status })
			r.mustDeny(r.androidRegistration(), "android.status_unavailable", registry.AdviceRetry)
			r.mustAllow(r.appleRegistration(applePhone(t).GenerateKey()))
		})
	}
}

// TestMalformed: what cannot be read or is out of range is an error, and the
// challenge stays open.
func TestMalformed(t *testing.T) {
	r := newRig(t)
	good := r.appleRegistration(applePhone(t).GenerateKey())
	chain := r.androidRegistration()
	tests := []struct {
		name   string
		change func(*registry.Registration)
		want   error
	}{
		{"no account", func(in *registry.Registration) { in.Account = "" }, registry.ErrMalformed},
		{"not an account", func(in *registry.Registration) { in.Account = "bob" }, registry.ErrMalformed},
		{"no challenge", func(in *registry.Registration) { in.Challenge = nil }, registry.ErrMalformed},
		{"short challenge", func(in *registry.Registration) { in.Challenge = in.Challenge[:31] }, registry.ErrMalformed},
		{"no evidence", func(in *registry.Registration) { in.AttestationObject = nil }, registry.ErrMalformed},
		{"both", func(in *registry.Registration) { in.CertificateChain = chain.CertificateChain }, registry.ErrMalformed},
		{"cut off", func(in *registry.Registration) { in.AttestationObject = in.AttestationObject[:100] }, registry.ErrMalformed},
		{"trailing byte", func(in *registry.Registration) { in.AttestationObject = append(bytes.Clone(in.AttestationObject), 0) }, registry.ErrMalformed},
		{"text", func(in *registry.Registration) { in.AttestationObject = []byte("attestation") }, registry.ErrMalformed},
		{"JSON", func(in *registry.Registration) {
			in.AttestationObject, _ = json.Marshal(map[string][]byte{"attestation": in.AttestationObject})
		}, registry.ErrMalformed},
		{"base64", func(in *registry.Registration) {
			in.AttestationObject = []byte(base64.StdEncoding.EncodeToString(in.AttestationObject))
		}, registry.ErrMalformed},
		{"no key id", func(in *registry.Registration) { in.KeyID = "" }, registry.ErrMalformed},
		{"key id too short", func(in *registry.Registration) { in.KeyID = in.KeyID[:42] }, registry.ErrMalformed},
		{"key id in base64", func(in *registry.Registration) { in.KeyID += "=" }, registry.ErrMalformed},
		{"key id with odd last bits", func(in *registry.Registration) { in.KeyID = strings.Repeat("A", 42) + "B" }, registry.ErrMalformed},
		{"replaces nothing", func(in *registry.Registration) { in.Replaces = "x" }, registry.ErrMalformed},
		{"chain: not a certificate", func(in *registry.Registration) {
			*in = *chain
			in.CertificateChain = [][]byte{{1}, {2}, {3}}
		}, registry.ErrMalformed},
		{"chain: client data", func(in *registry.Registration) { *in = *chain; in.ClientData = []byte("{}") }, registry.ErrMalformed},
		{"chain: key id", func(in *registry.Registration) { k := in.KeyID; *in = *chain; in.KeyID = k }, registry.ErrMalformed},
		{"object too large", func(in *registry.Registration) {
			in.AttestationObject = append(bytes.Clone(in.AttestationObject), make([]byte, 64<<10)...)
		}, registry.ErrTooLarge},
		{"chain too large", func(in *registry.Registration) {
			*in = *chain
			in.CertificateChain = [][]byte{make([]byte, 40<<10), make([]byte, 40<<10)}
		}, registry.ErrTooLarge},
		{"chain of nothing", func(in *registry.Registration) { *in = *chain; in.CertificateChain = make([][]byte, 10000) }, registry.ErrTooLarge},
		{"client data too large", func(in *registry.Registration) { in.ClientData = make([]byte, 9<<10) }, registry.ErrTooLarge},
		{"another app", func(in *registry.Registration) { in.App = "other" }, registry.ErrAppUnknown},
		{"no app", func(in *registry.Registration) { in.App = "" }, registry.ErrAppUnknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := *good
			tt.change(&in)
			out, err := r.Register(t.Context(), backend, &in)
			if !errors.Is(err, tt.want) || out != nil {
				t.Errorf("%+v, %v, want %v", out, err, tt.want)
			}
			if err != nil && !strings.Contains(err.Error(), "registry: ") {
				t.Errorf("error %q does not name its package", err)
			}
		})
	}
	assertion := *good
	assertion.AttestationObject = []byte("\xa2\x69signature\x41\x00\x71authenticatorData\x41\x00")
	if _, err := r.Register(t.Context(), backend, &assertion); err == nil || !strings.Contains(err.Error(), "attestationObject is apple-assertion") {
		t.Errorf("an assertion: %v", err) // it says what is wrong, not what an assertion would need
	}
	for text, change := range map[string]func(*registry.Registration){ // the errors name the fields of the API
		"certificateChain or attestationObject":           func(in *registry.Registration) { in.AttestationObject = nil },
		"certificateChain or attestationObject, not both": func(in *registry.Registration) { in.CertificateChain = chain.CertificateChain },
		"challenge has 3 bytes, want 32":                  func(in *registry.Registration) { in.Challenge = []byte("abc") },
	} {
		in := *good
		change(&in)
		if _, err := r.Register(t.Context(), backend, &in); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%v, want %q", err, text)
		}
	}
	if entries, events := r.record(); len(entries)+len(events) != 0 {
		t.Errorf("%d entries and %d events of what could not be judged", len(entries), len(events))
	}
	r.mustAllow(good)
	r.mustAllow(chain)
}

// TestCallers: who may do what.
func TestCallers(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	out := r.mustAllow(r.androidRegistration())
	callers := map[string]account.Caller{
		"zero":           {},
		"backend":        backend,
		"other backend":  {Kind: account.Backend, App: "other"},
		"anonymous":      {Kind: account.Anonymous, App: "demo"},
		"alice's phone":  {Kind: account.Phone, App: "demo", Account: alice, Name: out.KeyID},
		"bob's phone":    {Kind: account.Phone, App: "demo", Account: bob},
		"other phone":    {Kind: account.Phone, App: "other", Account: alice},
		"nobody's phone": {Kind: account.Phone, App: "demo"},
		"operator":       {Kind: account.Operator, App: "demo", Name: "olga"},
		"system":         {Kind: account.System, App: "demo"},
	}
	may := map[string]string{ // CreateChallenge, Register for alice, GetKey
		"backend": "crg", "anonymous": "r", "alice's phone": "cr", "operator": "g",
	}
	for name, caller := range callers {
		t.Run(name, func(t *testing.T) {
			_, err := r.CreateChallenge(ctx, caller, &registry.ChallengeRequest{App: "demo", Account: alice, Purpose: registry.PurposeRequest})
			mayOrNot(t, "CreateChallenge", err, strings.Contains(may[name], "c"))
			got, err := r.Register(ctx, caller, r.androidRegistration())
			mayOrNot(t, "Register", err, strings.Contains(may[name], "r"))
			if err == nil && (got.Verdict != nil || got.Evidence != "") != (caller.Kind == account.Backend) {
				t.Errorf("%s sees verdict %v, evidence %q", name, got.Verdict, got.Evidence)
			}
			_, err = r.GetKey(ctx, caller, "demo", out.KeyID)
			mayOrNot(t, "GetKey", err, strings.Contains(may[name], "g"))
		})
	}
}

func mayOrNot(t *testing.T, method string, err error, may bool) {
	t.Helper()
	if may && err != nil || !may && !errors.Is(err, registry.ErrNotAllowed) {
		t.Errorf("%s: %v", method, err)
	}
}

func TestGetKeyErrors(t *testing.T) {
	r := newRig(t)
	unknown := base64.RawURLEncoding.EncodeToString(make([]byte, 32))
	for _, tt := range []struct {
		app  account.AppID
		id   string
		want error
	}{{"demo", unknown, registry.ErrKeyUnknown}, {"demo", "short", registry.ErrMalformed}, {"demo", "", registry.ErrMalformed}, {"other", unknown, registry.ErrAppUnknown}} {
		if k, err := r.GetKey(t.Context(), backend, tt.app, tt.id); !errors.Is(err, tt.want) || k.ID != "" {
			t.Errorf("GetKey(%s, %q) = %v, %v", tt.app, tt.id, k, err)
		}
	}
}
