package attesttest_test

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/appattest"
	"github.com/staunchid/staunch/attest/attesttest"
)

// finalCodes are raised by the verifiers of the formats and end verification.
// Of the codes with two outcomes, issuer_name and cert_expired, it depends on
// the row whether a policy sees them.
func finalCode(d attesttest.Deviation) bool {
	switch d.Code {
	case "android.issuer_name", "android.cert_expired":
		return d.Check == "" && d.Effects.Google == attest.Reject
	}
	return slices.Contains(strings.Fields(`common.challenge_mismatch android.chain_length android.chain_extended
		android.software_root android.root_unknown android.signature android.signature_algorithm android.kd_missing
		android.kd_malformed android.cert_not_yet_valid android.revoked
		android.webauthn_auth_data android.webauthn_signature android.webauthn_key
		apple.chain_length apple.root_unknown apple.signature apple.ca_constraints apple.nonce_missing apple.nonce_mismatch
		apple.auth_data apple.trailing_data apple.extension_malformed apple.key_id_mismatch apple.credential_id_mismatch
		apple.cose_key_mismatch apple.cert_time apple.counter_not_zero apple.aaguid_unknown apple.assertion_signature
		apple.receipt_invalid`), d.Code)
}

// aboutClientData: the hash is right, and package attest compares the challenge
// inside the client data with the server's.
func aboutClientData(d attesttest.Deviation) bool {
	return d.Code == "common.challenge_mismatch" && d.Name != "webauthn-challenge-other"
}

// deviationCode reports whether android.Verify reports the code as a deviation.
func deviationCode(code string) bool {
	return slices.Contains(strings.Fields(`android.leaf_validity android.cert_expired android.ca_bit android.key_cert_sign
		android.path_length android.critical_extension android.cert_encoding android.issuer_name android.root_missing`), code)
}

func forFormat(t *testing.T, format attest.Format, run func(*testing.T, attesttest.Deviation, attesttest.Sample)) {
	now := testNow()
	for _, d := range attesttest.Deviations() {
		if d.Format != format {
			continue
		}
		t.Run(d.Name, func(t *testing.T) {
			s, err := d.Make(now)
			if err != nil {
				t.Fatal(err)
			}
			run(t, d, s)
		})
	}
}

// TestAndroidFormat compares the catalogue with the verifier of the formats
// alone: which rows fail for good, which are deviations, which pass.
func TestAndroidFormat(t *testing.T) {
	pems, _ := attesttest.TestRootsPEM()
	roots, err := android.ParseRoots(strings.Join(pems, ""))
	if err != nil {
		t.Fatal(err)
	}
	verify := func(t *testing.T, d attesttest.Deviation, s attesttest.Sample) {
		opts := &android.Options{Roots: roots, Challenge: s.Challenge, DangerousNoStatus: s.StatusList == nil, DangerousAnyChallenge: s.Challenge == nil}
		if s.StatusList != nil {
			if opts.Status, err = android.ParseStatusList(s.StatusList); err != nil {
				t.Fatal(err)
			}
		}
		var a *android.Attestation
		if s.Format == attest.FormatAndroidChain {
			a, err = android.Verify(s.Chain, opts, s.At)
		} else {
			hash := s.ClientDataHash
			if s.ClientData != nil {
				sum := sha256.Sum256(s.ClientData)
				hash = sum[:]
			}
			opts.DangerousAnyChallenge = hash == nil
			a, err = android.VerifyObject(s.Object, hash, opts, s.At)
		}
		var failure *android.Failure
		switch {
		case errors.As(err, &failure):
			code := "android." + failure.Code
			if strings.HasPrefix(failure.Code, "common.") || failure.Code == "challenge_mismatch" {
				code = "common.challenge_mismatch"
			}
			if code != d.Code || failure.Position != d.Position || !finalCode(d) {
				t.Errorf("%v; the catalogue says %q at %d", failure, d.Code, d.Position)
			}
			return
		case err != nil:
			t.Fatal(err)
		case finalCode(d) && !aboutClientData(d):
			t.Fatalf("verified; the catalogue says %s", d.Code)
		}
		found := false
		for _, v := range a.Deviations {
			code := "android." + string(v.Check)
			if code == d.Code && v.Position == d.Position {
				found = true
			} else if d.Name != "cert-dates-reversed" {
				t.Errorf("unexpected deviation %s at %d: %s", v.Check, v.Position, v.Detail)
			}
		}
		if deviationCode(d.Code) != found {
			t.Errorf("deviation %s at %d: found %v", d.Code, d.Position, found)
		}
	}
	forFormat(t, attest.FormatAndroidChain, verify)
	forFormat(t, attest.FormatAndroidKey, verify)
}

func appleRoots(t *testing.T) appattest.Roots {
	t.Helper()
	_, pems := attesttest.TestRootsPEM()
	var certs []*x509.Certificate
	for _, text := range pems {
		block, _ := pem.Decode([]byte(text))
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		certs = append(certs, c)
	}
	return appattest.Roots{Attestation: certs[:1], Receipt: certs[1:]}
}

// TestAppleFormat does the same for App Attest.
func TestAppleFormat(t *testing.T) {
	roots := appleRoots(t)
	judge := func(t *testing.T, d attesttest.Deviation, err error) {
		t.Helper()
		var failure *appattest.Failure
		switch {
		case errors.As(err, &failure):
			if "apple."+failure.Code != d.Code || failure.Position != d.Position || !finalCode(d) {
				t.Errorf("%v; the catalogue says %q at %d", failure, d.Code, d.Position)
			}
		case err != nil:
			t.Fatal(err)
		case finalCode(d) && !aboutClientData(d):
			t.Errorf("verified; the catalogue says %s", d.Code)
		}
	}
	forFormat(t, attest.FormatAppleAppAttest, func(t *testing.T, d attesttest.Deviation, s attesttest.Sample) {
		hash := sha256.Sum256(s.Challenge)
		if s.ClientData != nil {
			hash = sha256.Sum256(s.ClientData)
		}
		want := &appattest.Expect{ClientDataHash: hash[:], KeyID: s.KeyID, Roots: roots}
		if d.Name == "apple-raw-client-data" {
			want.ClientDataHash = s.Challenge
		}
		a, err := appattest.VerifyAttestation(s.Object, want, s.At)
		if d.Code != "apple.receipt_invalid" {
			judge(t, d, err)
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		_, err = appattest.VerifyReceipt(a.Receipt, roots)
		judge(t, d, err)
	})
	forFormat(t, attest.FormatAppleAssertion, func(t *testing.T, d attesttest.Deviation, s attesttest.Sample) {
		hash := sha256.Sum256(s.ClientData)
		_, err := appattest.VerifyAssertion(s.Object, s.PublicKey, hash[:])
		judge(t, d, err)
	})
	forFormat(t, attest.FormatAppleReceipt, func(t *testing.T, d attesttest.Deviation, s attesttest.Sample) {
		_, err := appattest.VerifyReceipt(s.Object, roots)
		judge(t, d, err)
	})
}
