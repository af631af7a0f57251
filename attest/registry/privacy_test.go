package registry_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/store/storetest"
)

const imei = "490154203237518"

func withTag(tag int, value string) attesttest.AndroidOption {
	return func(d *attesttest.AndroidDraft) { d.Description.HardwareEnforced.SetOctets(tag, []byte(value)) }
}

// bundles counts the stored evidence and how much of it can be replayed.
func (r *rig) bundles() (all, replayable int) {
	r.t.Helper()
	data := r.files()
	return bytes.Count(data, []byte(`"policy_digest":`)), bytes.Count(data, []byte(`"version":1,"evidence"`))
}

// TestIdentifiers: of evidence that holds identifiers of the device only the
// verdict is kept, and nothing of them but a keyed hash.
func TestIdentifiers(t *testing.T) {
	uniqueID := func(d *attesttest.AndroidDraft) { d.Description.UniqueID = []byte("unique-490154203") }
	wrongType := func(d *attesttest.AndroidDraft) {
		d.Description.HardwareEnforced.SetDER(714, []byte("\x30\x11\x04\x0f"+imei))
	}
	tests := []struct {
		name   string
		opt    attesttest.AndroidOption
		found  string // what must not be in the file; empty: nothing
		device bool   // the key gets a keyed hash
	}{
		{"none", func(*attesttest.AndroidDraft) {}, "", false},
		{"brand and model", func(d *attesttest.AndroidDraft) { withTag(710, "Sony")(d); withTag(717, "SOV37")(d) }, "", false},
		{"serial number", withTag(713, "R58M123456A"), "R58M123456A", true},
		{"IMEI", withTag(714, imei), imei, true},
		{"MEID", withTag(715, imei), imei, true},
		{"second IMEI", withTag(723, imei), imei, true},
		{"IMEI in the software list", func(d *attesttest.AndroidDraft) { d.Description.SoftwareEnforced.SetOctets(714, []byte(imei)) }, imei, true},
		{"unique id", uniqueID, "unique-490154203", false},
		{"IMEI of a wrong type", wrongType, imei, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			out := r.mustAllow(r.androidRegistration(tt.opt))
			k := r.key(out.KeyID)
			if (k.Device != nil) != tt.device {
				t.Errorf("keyed hash %x", k.Device)
			}
			all, replayable := r.bundles()
			if all != 1 || (replayable == 1) != (tt.found == "") {
				t.Errorf("%d pieces of evidence, %d with their bytes", all, replayable)
			}
			if data := r.files(); tt.found != "" && (bytes.Contains(data, []byte(tt.found)) || bytes.Contains(data, encoded(tt.found))) {
				t.Error("the identifier is in the store")
			}
			r.mustCheck()
		})
	}
	t.Run("on the operator's wish", func(t *testing.T) {
		r := newRig(t, func(o *registry.Options) { o.DangerousStoreDeviceIdentifiers = true })
		r.mustAllow(r.androidRegistration(withTag(714, imei)))
		if _, replayable := r.bundles(); replayable != 1 {
			t.Error("the evidence is not kept")
		}
	})
	t.Run("same device, other key", func(t *testing.T) {
		r := newRig(t)
		a, b := r.mustAllow(r.androidRegistration(withTag(714, imei))), r.mustAllow(r.androidRegistration(withTag(714, imei)))
		c := r.mustAllow(r.androidRegistration(withTag(714, "490154203237519")))
		d := r.mustAllow(r.androidRegistration(withTag(715, imei)))
		if !bytes.Equal(r.key(a.KeyID).Device, r.key(b.KeyID).Device) || bytes.Equal(r.key(a.KeyID).Device, r.key(c.KeyID).Device) {
			t.Error("the hash does not tell devices apart")
		}
		if len(r.key(d.KeyID).Device) != 32 {
			t.Errorf("hash of %d bytes", len(r.key(d.KeyID).Device))
		}
		other := newRig(t, func(o *registry.Options) { o.HashKey = bytes.Repeat([]byte{8}, 32) })
		if e := other.mustAllow(other.androidRegistration(withTag(714, imei))); bytes.Equal(other.key(e.KeyID).Device, r.key(a.KeyID).Device) {
			t.Error("the hash does not depend on the key")
		}
	})
}

// encoded is how a text would stand in the middle of base64.
func encoded(text string) []byte {
	full, err := json.Marshal([]byte(text))
	if err != nil || len(full) < 12 {
		return []byte(text)
	}
	return full[1:9]
}

// TestUnseenIdentifiers: what could not be read may hold identifiers, and is
// not stored.
func TestUnseenIdentifiers(t *testing.T) {
	clean := &attest.Claims{Platform: "android", Android: &attest.AndroidClaims{Description: &android.KeyDescription{}}}
	tests := []struct {
		name     string
		verdict  attest.Verdict
		possible bool
	}{
		{"claims", attest.Verdict{Claims: clean}, false},
		{"unverified claims", attest.Verdict{UnverifiedClaims: clean}, false},
		{"App Attest", attest.Verdict{Claims: &attest.Claims{Platform: "apple", Apple: &attest.AppleClaims{}}}, false},
		{"nothing was read", attest.Verdict{}, true},
		{"no description was read", attest.Verdict{UnverifiedClaims: &attest.Claims{Android: &attest.AndroidClaims{}}}, true},
		{"a second description", attest.Verdict{UnverifiedClaims: clean, Extended: true}, true},
	}
	for _, tt := range tests {
		if lasting, possible := registry.Identifiers(tt.verdict); possible != tt.possible || len(lasting) != 0 {
			t.Errorf("%s: %v, %v", tt.name, lasting, possible)
		}
	}
}

// TestEvidenceReplays: what is kept gives the same verdict again.
func TestEvidenceReplays(t *testing.T) {
	for name, make := range map[string]func(*rig) *registry.Registration{
		"android": func(r *rig) *registry.Registration { return r.androidRegistration() },
		"apple":   func(r *rig) *registry.Registration { return r.appleRegistration(applePhone(r.t).GenerateKey()) },
		"rejected": func(r *rig) *registry.Registration {
			in := r.androidRegistration()
			in.Challenge = r.challenge(alice)
			return in
		},
		"not the verifier's": func(r *rig) *registry.Registration {
			in := r.androidRegistration()
			in.Replaces = strings.Repeat("A", 43)
			return in
		},
	} {
		t.Run(name, func(t *testing.T) {
			var packed []byte
			r := newRig(t)
			update, view := storetest.Registry(keeper{r.store, &packed})
			o := *r.opts
			o.Update, o.View = update, view
			s, err := registry.New(&o)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Register(t.Context(), backend, make(r)); err != nil {
				t.Fatal(err)
			}
			b, err := attest.ParseBundle(packed)
			if err != nil {
				t.Fatal(err)
			}
			if replay, err := o.Verifier.Replay(b); err != nil || !replay.Equal {
				t.Errorf("replay: %+v, %v", replay, err)
			}
		})
	}
}

// TestNoRetention: without a retention no evidence is kept.
func TestNoRetention(t *testing.T) {
	r := newRig(t, func(o *registry.Options) { o.EvidenceRetention = 0 })
	if out := r.mustAllow(r.androidRegistration()); out.Evidence != "" || r.key(out.KeyID).Evidence != "" {
		t.Errorf("evidence %q", out.Evidence)
	}
	if all, _ := r.bundles(); all != 0 {
		t.Errorf("%d pieces of evidence", all)
	}
}

// TestHashKeyIsRedacted walks everything that prints.
func TestHashKeyIsRedacted(t *testing.T) {
	secret := "a-secret-of-more-than-32-characters"
	key := registry.HashKey(secret)
	o := registry.Options{HashKey: key}
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "key", key, "options", slog.AnyValue(struct{ HashKey registry.HashKey }{key}))
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "key", key)
	text, err := json.Marshal(map[string]any{"key": key, "in": struct{ K registry.HashKey }{key}})
	if err != nil {
		t.Fatal(err)
	}
	all := fmt.Sprintf("%v %+v %#v %s %q %x %X %v %+v %#v", key, key, key, key, key, key, key, o.HashKey, []any{key}, struct{ K registry.HashKey }{key}) +
		logged.String() + string(text) + fmt.Sprint(errors.New(key.String()))
	if !strings.Contains(all, "[redacted]") || strings.Contains(all, secret) || strings.Contains(all, fmt.Sprintf("%x", secret)) || strings.Contains(all, string(encoded(secret))) {
		t.Errorf("printed: %s", all)
	}
}

func TestOptions(t *testing.T) {
	tests := []struct {
		name   string
		change func(*registry.Options)
		ok     bool
	}{
		{"good", func(*registry.Options) {}, true},
		{"no View, Now, Logger and Status", func(o *registry.Options) { o.View, o.Now, o.Logger, o.Status = nil, nil, nil, nil }, true},
		{"no app", func(o *registry.Options) { o.App = "" }, false},
		{"not an app", func(o *registry.Options) { o.App = "Demo" }, false},
		{"no policy", func(o *registry.Options) { o.Policy = nil }, false},
		{"no verifier", func(o *registry.Options) { o.Verifier = nil }, false},
		{"no store", func(o *registry.Options) { o.Update = nil }, false},
		{"no hash key", func(o *registry.Options) { o.HashKey = nil }, false},
		{"short hash key", func(o *registry.Options) { o.HashKey = o.HashKey[:31] }, false},
		{"negative retention", func(o *registry.Options) { o.EvidenceRetention = -time.Second }, false},
	}
	r := newRig(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := *r.opts
			o.Update, o.View = storetest.Registry(r.store)
			tt.change(&o)
			s, err := registry.New(&o)
			if (err == nil) != tt.ok {
				t.Fatalf("New: %v", err)
			}
			if err != nil {
				return
			}
			if _, err := s.CreateChallenge(t.Context(), account.Caller{Kind: account.Backend, App: "demo"}, &registry.ChallengeRequest{App: "demo", Purpose: registry.PurposeRegister}); err != nil {
				t.Error(err)
			}
		})
	}
}
