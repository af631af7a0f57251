package attest_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
)

// appleSample is the attestation of a good phone.
func appleSample(t *testing.T) attesttest.Sample {
	t.Helper()
	for _, d := range attesttest.Deviations() {
		if d.Name == "apple-ios27" {
			s, err := d.Make(testNow())
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
	}
	t.Fatal("no apple-ios27")
	return attesttest.Sample{}
}

// TestCBORNobodyReads: a key twice is refused also where nobody looks.
func TestCBORNobodyReads(t *testing.T) {
	object := appleSample(t).Object
	var members map[string]cbor.RawMessage
	if err := cbor.Unmarshal(object, &members); err != nil {
		t.Fatal(err)
	}
	for name, extra := range map[string][]byte{"good": {0xa1, 1, 1}, "twice": {0xa2, 1, 1, 1, 1}, "tag": {0xc1, 1}, "deep": append(bytes.Repeat([]byte{0x81}, 9), 1)} {
		members["x"] = extra
		b, err := cbor.Marshal(members)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := attest.Parse(b, attest.FormatAuto); (err == nil) != (name == "good") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestGivenIsJudged: a key id of another length, or nothing where something is
// named, is no expectation; and a public key is judged beside a key id.
func TestGivenIsJudged(t *testing.T) {
	sample := appleSample(t)
	text := func(members map[string]any) []byte {
		members["attestation"] = sample.Object
		members["challenge"] = base64.StdEncoding.EncodeToString(challenge())
		b, err := json.Marshal(members)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, members := range map[string]map[string]any{
		"an empty key id": {"key_id": ""}, "a short key id": {"key_id": "AAAA"}, "an empty app id": {"app_id": ""},
	} {
		ev, want, err := attest.Parse(text(members), attest.FormatAuto)
		if err == nil {
			_, err = newVerifier(t).Verify(ev, want, policyOf(t), testNow())
		}
		if !malformed(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ev, want, err := sample.Evidence()
	if err != nil || want.KeyID == nil {
		t.Fatal(err)
	}
	if v := judge(t, ev, want, policyOf(t)); !v.Accept() {
		t.Errorf("good: %v", v.Findings)
	}
	want.PublicKey = []byte{4}
	if v := judge(t, ev, want, policyOf(t)); v.Accept() || !v.Has("apple.key_id_mismatch") {
		t.Errorf("another public key beside the right key id: %v", v.Findings)
	}
}

// TestEveryMisfit: all that is wrong with an app is listed.
func TestEveryMisfit(t *testing.T) {
	p := androidPhone(t)
	p.App.Packages[0].Version = 1
	p.App.Signers = [][]byte{make([]byte, 32)}
	v := judge(t, evidenceOf(t, p), expecting(t), policyOf(t))
	if !v.Has("android.app_signer") || !v.Has("android.app_version") || v.Has("android.app_package") {
		t.Errorf("%v", v.Findings)
	}
}

// TestDetailIsBounded: what a stranger wrote does not fill a log.
func TestDetailIsBounded(t *testing.T) {
	p := androidPhone(t)
	p.App.Packages = []attesttest.Package{{Name: strings.Repeat("é", 4000)}}
	v := judge(t, evidenceOf(t, p), expecting(t), policyOf(t))
	for _, f := range v.Findings {
		if len(f.Detail) > 600 || !utf8.ValidString(f.Detail) {
			t.Errorf("%s: a detail of %d bytes", f.Code, len(f.Detail))
		}
	}
	if !v.Has("android.app_package") {
		t.Errorf("%v", v.Findings)
	}
}
