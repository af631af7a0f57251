package attest_test

import (
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
)

// TestExpectedApple: what the caller expects is judged beside what the policy
// allows: another app of the same policy, or another key, will not do.
func TestExpectedApple(t *testing.T) {
	phone := applePhone(t)
	key, other := phone.GenerateKey(), phone.GenerateKey()
	hash := sha256.Sum256(challenge())
	object := func(b []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	sandbox := func(r *attesttest.ReceiptDraft) { r.Environment = "sandbox" }
	attestation := object(key.Attest(testNow(), hash[:]))
	assertion := object(key.Assert(testNow(), hash[:]))
	receipt := object(key.Receipt(testNow(), 1))
	stranger := applePhone(t)
	stranger.BundleID = "com.example.stranger"
	strange := stranger.GenerateKey()
	foreign := attesttest.DemoTeamID + ".com.example.second" // of the same policy

	p, err := demoPolicy(t, func(f *attest.PolicyFile) {
		f.App[0].Apple.BundleIDs = append(f.App[0].Apple.BundleIDs, "com.example.second")
	})
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := attest.NewVerifier(nil)
	if err != nil {
		t.Fatal(err)
	}
	member := fmt.Sprintf("%q: %q", "challenge", "MzIgcmFuZG9tIGJ5dGVzIGZyb20gdGhlIHNlcnZlci4")
	clientData := []byte("{" + member + "}")
	twice := []byte("{" + member + ", " + member + "}")
	over := func(clientData []byte) []byte {
		hash := sha256.Sum256(clientData)
		return object(key.Attest(testNow(), hash[:]))
	}

	for _, tt := range []struct {
		name   string
		format attest.Format
		object []byte
		want   attest.Expect
		code   string // of the finding that rejects; empty: accepted
	}{
		{"attestation", attest.FormatAppleAppAttest, attestation, attest.Expect{Challenge: challenge(), AppID: phone.AppID(), PublicKey: key.PublicKey()}, ""},
		{"attestation, other app", attest.FormatAppleAppAttest, attestation, attest.Expect{Challenge: challenge(), AppID: foreign}, "apple.app_id_mismatch"},
		{"attestation of an app that the policy does not have", attest.FormatAppleAppAttest, object(strange.Attest(testNow(), hash[:])), attest.Expect{Challenge: challenge()}, "apple.app_id_mismatch"},
		{"attestation, other key id", attest.FormatAppleAppAttest, attestation, attest.Expect{Challenge: challenge(), KeyID: other.ID()}, "apple.key_id_mismatch"},
		{"attestation, other public key", attest.FormatAppleAppAttest, attestation, attest.Expect{Challenge: challenge(), PublicKey: other.PublicKey()}, "apple.key_id_mismatch"},
		{"client data", attest.FormatAppleAppAttest, over(clientData), attest.Expect{Challenge: challenge(), ClientData: clientData}, ""},
		{"client data, other challenge", attest.FormatAppleAppAttest, over(clientData), attest.Expect{Challenge: []byte("another"), ClientData: clientData}, "common.challenge_mismatch"},
		{"client data, challenge twice", attest.FormatAppleAppAttest, over(twice), attest.Expect{Challenge: challenge(), ClientData: twice}, "common.challenge_mismatch"},
		{"client data that are none", attest.FormatAppleAppAttest, over([]byte("challenge")), attest.Expect{Challenge: challenge(), ClientData: []byte("challenge")}, "common.challenge_mismatch"},
		{"assertion", attest.FormatAppleAssertion, assertion, attest.Expect{Challenge: challenge(), PublicKey: key.PublicKey(), KeyID: key.ID(), AppID: phone.AppID()}, ""},
		{"assertion, other key id", attest.FormatAppleAssertion, assertion, attest.Expect{Challenge: challenge(), PublicKey: key.PublicKey(), KeyID: other.ID()}, "apple.key_id_mismatch"},
		{"assertion, other app", attest.FormatAppleAssertion, assertion, attest.Expect{Challenge: challenge(), PublicKey: key.PublicKey(), AppID: foreign}, "apple.app_id_mismatch"},
		{"receipt", attest.FormatAppleReceipt, receipt, attest.Expect{PublicKey: key.PublicKey(), KeyID: key.ID(), AppID: phone.AppID()}, ""},
		{"receipt, other app", attest.FormatAppleReceipt, receipt, attest.Expect{AppID: foreign}, "apple.receipt_app"},
		{"receipt, other key id", attest.FormatAppleReceipt, receipt, attest.Expect{KeyID: other.ID()}, "apple.receipt_key"},
		{"receipt, other public key", attest.FormatAppleReceipt, receipt, attest.Expect{PublicKey: other.PublicKey()}, "apple.receipt_key"},
		{"receipt, other environment", attest.FormatAppleReceipt, object(key.Receipt(testNow(), 1, sandbox)), attest.Expect{}, "apple.environment"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := verifier.Verify(attest.Evidence{Format: tt.format, Object: tt.object}, tt.want, p, testNow())
			if err != nil {
				t.Fatal(err)
			}
			if v.Accept() != (tt.code == "") || tt.code != "" && !v.Has(tt.code) {
				t.Errorf("accept %t, want %q in %v", v.Accept(), tt.code, v.Findings)
			}
		})
	}
}
