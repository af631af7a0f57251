package attest_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"testing"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
)

// clientData is a WebAuthn-like object that names the challenge.
func clientData() []byte {
	return fmt.Appendf(nil, `{"type":"webauthn.create","challenge":%q,"origin":"https://demo.example.com"}`, base64.RawURLEncoding.EncodeToString(challenge()))
}

func sum(b []byte) []byte { s := sha256.Sum256(b); return s[:] }

// registration is an android-key object that is bound to a hash.
func registration(t testing.TB, hash []byte, opts ...attesttest.AndroidOption) attest.Evidence {
	t.Helper()
	_, object, err := androidPhone(t).Register(testNow(), attesttest.DemoRPID, hash, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return attest.Evidence{Format: attest.FormatAndroidKey, Object: object}
}

// attestation is an App Attest attestation bound to a hash, with its key.
func attestation(t testing.TB, hash []byte, opts ...attesttest.AppleOption) (attest.Evidence, *attesttest.AppleKey) {
	t.Helper()
	key := applePhone(t).GenerateKey()
	object, err := key.Attest(testNow(), hash, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return attest.Evidence{Format: attest.FormatAppleAppAttest, Object: object}, key
}

func assertion(t testing.TB, key *attesttest.AppleKey, hash []byte, opts ...attesttest.AppleOption) attest.Evidence {
	t.Helper()
	object, err := key.Assert(testNow(), hash, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return attest.Evidence{Format: attest.FormatAppleAssertion, Object: object}
}

// TestExpectCheck: what goes with what (section 11). Everything else cannot be
// told.
func TestExpectCheck(t *testing.T) {
	formats := map[string]attest.Evidence{
		"chain": evidence(t, attesttest.RKP), "key": registration(t, sum(challenge())),
	}
	var key *attesttest.AppleKey
	formats["attestation"], key = attestation(t, sum(challenge()))
	formats["assertion"] = assertion(t, key, sum(challenge()))
	receipt, err := key.Receipt(testNow(), 1)
	if err != nil {
		t.Fatal(err)
	}
	formats["receipt"] = attest.Evidence{Format: attest.FormatAppleReceipt, Object: receipt}
	hash, public := sum(challenge()), key.PublicKey()
	for _, c := range []struct {
		name  string
		want  attest.Expect
		taken string // formats; the others refuse
	}{
		{"nothing", attest.Expect{}, "chain key receipt"},
		{"a challenge", attest.Expect{Challenge: challenge()}, "chain key attestation"},
		{"a challenge of 128 octets", attest.Expect{Challenge: make([]byte, 128)}, "chain key attestation"},
		{"a challenge of 129 octets", attest.Expect{Challenge: make([]byte, 129)}, ""},
		{"an empty challenge", attest.Expect{Challenge: []byte{}}, ""},
		{"client data", attest.Expect{ClientData: []byte("x")}, "key attestation"},
		{"client data and a challenge", attest.Expect{ClientData: clientData(), Challenge: challenge()}, "key attestation"},
		{"client data and its hash", attest.Expect{ClientData: []byte("x"), ClientDataHash: sum([]byte("x"))}, ""},
		{"a hash", attest.Expect{ClientDataHash: hash}, "key attestation"},
		{"a hash of 31 octets", attest.Expect{ClientDataHash: hash[:31]}, "attestation"},
		{"a hash of 128 octets", attest.Expect{ClientDataHash: make([]byte, 128)}, "attestation"},
		{"a hash of 129 octets", attest.Expect{ClientDataHash: make([]byte, 129)}, ""},
		{"an empty hash", attest.Expect{ClientDataHash: []byte{}}, ""},
		{"a hash and a challenge", attest.Expect{ClientDataHash: hash, Challenge: challenge()}, ""},
		{"an app id", attest.Expect{AppID: "T.b"}, "receipt"},
		{"an app id and a challenge", attest.Expect{AppID: "T.b", Challenge: challenge()}, "attestation"},
		{"a key id", attest.Expect{KeyID: key.ID()}, "receipt"},
		{"a public key", attest.Expect{PublicKey: public}, "receipt"},
		{"a public key and a challenge", attest.Expect{PublicKey: public, Challenge: challenge()}, "attestation assertion"},
		{"a point and a challenge", attest.Expect{PublicKey: key.Point(), Challenge: challenge()}, "attestation assertion"},
		{"no key that can be read", attest.Expect{PublicKey: []byte{1}, Challenge: challenge()}, "attestation"},
		{"a counter", attest.Expect{Counter: 7}, "chain key receipt"},
	} {
		for name, ev := range formats {
			_, err := newVerifier(t).Verify(ev, c.want, policyOf(t), testNow())
			taken := bytes.Contains([]byte(" "+c.taken+" "), []byte(" "+name+" "))
			if (err == nil) != taken || err != nil && !malformed(err) {
				t.Errorf("%s with %s: %v", name, c.name, err)
			}
		}
	}
	for _, f := range []attest.Format{"", "auto", "tpm"} {
		if _, err := newVerifier(t).Verify(attest.Evidence{Format: f}, attest.Expect{}, policyOf(t), testNow()); !unsupported(err) {
			t.Errorf("format %q: %v", f, err)
		}
	}
}

// TestBinding: one rule for the client data hash (section 4), and what a
// challenge beside client data means.
func TestBinding(t *testing.T) {
	raw := onApple(func(a *attest.AppleAppFile) { a.ClientData = "raw" })
	hashed := func(*attest.PolicyFile) {}
	object := func(member string) []byte { return []byte(`{` + member + `}`) }
	url, std := base64.RawURLEncoding.EncodeToString(challenge()), base64.StdEncoding.EncodeToString(challenge())
	for _, c := range []struct {
		name  string
		bound []byte // hash that the phone was given
		want  attest.Expect
		edit  func(*attest.PolicyFile)
		code  map[attest.Format]string // of the mismatch; nil: accepted
	}{
		{"the hash of the challenge", sum(challenge()), attest.Expect{Challenge: challenge()}, hashed, nil},
		{"another challenge", sum(challenge()), attest.Expect{Challenge: []byte("x")}, hashed, mismatch("common.challenge_mismatch", "apple.nonce_mismatch")},
		{"a given hash", sum([]byte("x")), attest.Expect{ClientDataHash: sum([]byte("x"))}, hashed, nil},
		{"client data", sum([]byte("x")), attest.Expect{ClientData: []byte("x")}, hashed, nil},
		{"other client data", sum([]byte("x")), attest.Expect{ClientData: []byte("y")}, hashed, mismatch("common.challenge_mismatch", "apple.nonce_mismatch")},
		{"client data with the challenge", sum(clientData()), attest.Expect{ClientData: clientData(), Challenge: challenge()}, hashed, nil},
		{"in base64", sum(object(`"challenge":"` + std + `"`)), attest.Expect{ClientData: object(`"challenge":"` + std + `"`), Challenge: challenge()}, hashed, nil},
		{"in base64url", sum(object(`"challenge":"` + url + `"`)), attest.Expect{ClientData: object(`"challenge":"` + url + `"`), Challenge: challenge()}, hashed, nil},
		{"with another challenge", sum(object(`"challenge":"AAAA"`)), attest.Expect{ClientData: object(`"challenge":"AAAA"`), Challenge: challenge()}, hashed, mismatch("common.challenge_mismatch", "common.challenge_mismatch")},
		{"with the challenge twice", sum(object(`"challenge":"` + url + `","challenge":"` + url + `"`)),
			attest.Expect{ClientData: object(`"challenge":"` + url + `","challenge":"` + url + `"`), Challenge: challenge()}, hashed, mismatch("common.challenge_mismatch", "common.challenge_mismatch")},
		{"in another member", sum(object(`"Challenge":"` + url + `"`)), attest.Expect{ClientData: object(`"Challenge":"` + url + `"`), Challenge: challenge()}, hashed, mismatch("common.challenge_mismatch", "common.challenge_mismatch")},
		{"deeper", sum(object(`"x":{"challenge":"` + url + `"}`)), attest.Expect{ClientData: object(`"x":{"challenge":"` + url + `"}`), Challenge: challenge()}, hashed, mismatch("common.challenge_mismatch", "common.challenge_mismatch")},
		{"null", sum(object(`"challenge":null`)), attest.Expect{ClientData: object(`"challenge":null`), Challenge: challenge()}, hashed, mismatch("common.challenge_mismatch", "common.challenge_mismatch")},
		{"a number", sum(object(`"challenge":1`)), attest.Expect{ClientData: object(`"challenge":1`), Challenge: challenge()}, hashed, mismatch("common.challenge_mismatch", "common.challenge_mismatch")},
		{"client data that is no object", sum([]byte(`"` + url + `"`)), attest.Expect{ClientData: []byte(`"` + url + `"`), Challenge: challenge()}, hashed, mismatch("common.challenge_mismatch", "common.challenge_mismatch")},
		{"something behind the object", sum(append(clientData(), 'x')), attest.Expect{ClientData: append(clientData(), 'x'), Challenge: challenge()}, hashed, mismatch("common.challenge_mismatch", "common.challenge_mismatch")},
		{"raw: the challenge itself", challenge(), attest.Expect{Challenge: challenge()}, raw, mismatch("common.challenge_mismatch", "")},
		{"raw, and the app hashes", sum(challenge()), attest.Expect{Challenge: challenge()}, raw, mismatch("", "apple.nonce_mismatch")},
		{"hashed, and the app does not", challenge(), attest.Expect{Challenge: challenge()}, hashed, mismatch("common.challenge_mismatch", "apple.nonce_mismatch")},
	} {
		p := policyOf(t, c.edit)
		android := c.want
		android.Status = status(t, nil)
		key, _ := attestation(t, c.bound)
		for _, ev := range []attest.Evidence{registration(t, c.bound), key} {
			want := c.want
			if ev.Format == attest.FormatAndroidKey {
				want = android
			}
			v := judge(t, ev, want, p)
			code := c.code[ev.Format]
			if v.Accept() != (code == "") || code != "" && (v.Tier != attest.TierNone || !v.Has(code)) {
				t.Errorf("%s, %s: %v, want %q", ev.Format, c.name, all(v), code)
			}
		}
		_, k := attestation(t, sum(nil))
		want := c.want
		want.PublicKey = k.PublicKey()
		v := judge(t, assertion(t, k, c.bound), want, p)
		code := c.code[attest.FormatAppleAppAttest]
		if code == "apple.nonce_mismatch" {
			code = "apple.assertion_signature"
		}
		if v.Accept() != (code == "") || code != "" && !v.Has(code) {
			t.Errorf("assertion, %s: %v, want %q", c.name, all(v), code)
		}
	}
	none := attest.Expect{Status: status(t, nil)}
	for _, ev := range []attest.Evidence{evidence(t, attesttest.RKP), registration(t, sum(challenge()))} {
		if v := judge(t, ev, none, policyOf(t)); !v.Accept() || !v.Has("common.challenge_not_checked") {
			t.Errorf("%s, nothing to compare with: %v", ev.Format, all(v))
		}
	}
}

// mismatch are the codes of android-key and of Apple's objects.
func mismatch(android, apple string) map[attest.Format]string {
	return map[attest.Format]string{attest.FormatAndroidKey: android, attest.FormatAppleAppAttest: apple}
}

// TestExpectations: what is given is judged, whatever the policy.
func TestExpectations(t *testing.T) {
	ev, key := attestation(t, sum(challenge()))
	_, other := attestation(t, sum(challenge()))
	asserted := assertion(t, key, sum(challenge()))
	receipt, err := key.Receipt(testNow(), 1)
	if err != nil {
		t.Fatal(err)
	}
	stored := attest.Evidence{Format: attest.FormatAppleReceipt, Object: receipt}
	appID := attesttest.DemoTeamID + "." + attesttest.DemoBundleID
	for _, c := range []struct {
		name string
		ev   attest.Evidence
		want attest.Expect
		code string
	}{
		{"key id", ev, attest.Expect{Challenge: challenge(), KeyID: key.ID(), AppID: appID}, ""},
		{"another key id", ev, attest.Expect{Challenge: challenge(), KeyID: other.ID()}, "apple.key_id_mismatch"},
		{"public key", ev, attest.Expect{Challenge: challenge(), PublicKey: key.PublicKey()}, ""},
		{"another public key", ev, attest.Expect{Challenge: challenge(), PublicKey: other.PublicKey()}, "apple.key_id_mismatch"},
		{"another app id", ev, attest.Expect{Challenge: challenge(), AppID: appID + "x"}, "apple.app_id_mismatch"},
		{"assertion", asserted, attest.Expect{Challenge: challenge(), PublicKey: key.PublicKey(), KeyID: key.ID(), AppID: appID}, ""},
		{"assertion, the point", asserted, attest.Expect{Challenge: challenge(), PublicKey: key.Point()}, ""},
		{"assertion, another key", asserted, attest.Expect{Challenge: challenge(), PublicKey: other.PublicKey()}, "apple.assertion_signature"},
		{"assertion, another key id", asserted, attest.Expect{Challenge: challenge(), PublicKey: key.PublicKey(), KeyID: other.ID()}, "apple.key_id_mismatch"},
		{"assertion, another app id", asserted, attest.Expect{Challenge: challenge(), PublicKey: key.PublicKey(), AppID: "x"}, "apple.app_id_mismatch"},
		{"assertion, counter equal", asserted, attest.Expect{Challenge: challenge(), PublicKey: key.PublicKey(), Counter: 1}, "apple.counter_replay"},
		{"assertion, counter lower", asserted, attest.Expect{Challenge: challenge(), PublicKey: key.PublicKey(), Counter: 2}, "apple.counter_replay"},
		{"receipt", stored, attest.Expect{PublicKey: key.PublicKey(), KeyID: key.ID(), AppID: appID}, ""},
		{"receipt, another key", stored, attest.Expect{PublicKey: other.PublicKey()}, "apple.receipt_key"},
		{"receipt, another key id", stored, attest.Expect{KeyID: other.ID()}, "apple.receipt_key"},
		{"receipt, another app", stored, attest.Expect{AppID: "x"}, "apple.receipt_app"},
	} {
		v := judge(t, c.ev, c.want, policyOf(t))
		if v.Accept() != (c.code == "") || c.code != "" && !v.Has(c.code) {
			t.Errorf("%s: %v, want %q", c.name, all(v), c.code)
		}
	}
}

// TestWebAuthnPolicy: rp_ids is judged if it is set.
func TestWebAuthnPolicy(t *testing.T) {
	ev, want := registration(t, sum(challenge())), expecting(t)
	for _, c := range []struct {
		ids  []string
		want string
	}{
		{nil, ""}, {[]string{attesttest.DemoRPID}, ""}, {[]string{"other.example.com", attesttest.DemoRPID}, ""},
		{[]string{"other.example.com"}, "android.rp_id:reject"}, {[]string{"DEMO.example.com"}, "android.rp_id:reject"},
	} {
		p := policyOf(t, onAndroid(func(a *attest.AndroidAppFile) { a.RPIDs = c.ids }))
		if v := judge(t, ev, want, p); !same(found(v), c.want) {
			t.Errorf("%q: %v", c.ids, all(v))
		}
		if v := judge(t, evidence(t, attesttest.RKP), want, p); !v.Accept() {
			t.Errorf("a bare chain has no relying party: %v", all(v))
		}
	}
}
