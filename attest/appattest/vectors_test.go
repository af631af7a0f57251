package appattest_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/appattest"
)

// vector is a file of real App Attest evidence.
type vector struct {
	Name             string    `json:"name"`
	TeamID           string    `json:"team_id"`
	BundleID         string    `json:"bundle_id"`
	Environment      string    `json:"environment"`
	KeyID            []byte    `json:"key_id"`
	Attestation      []byte    `json:"attestation"`
	ClientData       []byte    `json:"client_data"`
	ClientDataHashIs string    `json:"client_data_hash_is"`
	VerifyAt         time.Time `json:"verify_at"`
	LeafNotBefore    time.Time `json:"leaf_not_before"`
	LeafNotAfter     time.Time `json:"leaf_not_after"`
	ReceiptCreation  time.Time `json:"receipt_creation_time"`
	Assertions       []struct {
		Assertion       []byte `json:"assertion"`
		ClientData      []byte `json:"client_data"`
		PreviousCounter uint32 `json:"previous_counter"`
		ExpectCounter   uint32 `json:"expect_counter"`
		Expected        string `json:"expected"`
	} `json:"assertions"`
	Receipts []struct {
		Receipt    []byte `json:"receipt"`
		Properties struct {
			Type           string `json:"type"`
			Environment    string `json:"environment"`
			CreationTime   string `json:"creationTime"`
			NotBefore      string `json:"notBefore"`
			ExpirationTime string `json:"expirationTime"`
			RiskMetric     string `json:"riskMetric"`
		} `json:"properties"`
	} `json:"receipts"`
}

// vectorDir returns the folder of attestation vectors, or skips the test.
func vectorDir(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("STAUNCH_VECTORS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "vectors")
	}
	dir = filepath.Join(dir, "attestation")
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("attestation vectors not found at " + dir)
		}
		t.Skip("attestation vectors not found at " + dir)
	}
	return dir
}

// vectors returns all real App Attest evidence.
func vectors(t testing.TB) []vector {
	t.Helper()
	dir := vectorDir(t)
	var all []vector
	for _, pattern := range []string{"a-sit-plus-warden/appattest_*.json", "veehaitch-devicecheck-appattest/appattest_*.json"} {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(names) == 0 {
			t.Fatalf("no files match %s: %v", pattern, err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var v vector
			if err := json.Unmarshal(data, &v); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			all = append(all, v)
		}
	}
	return all
}

func (v *vector) rpIDHash() [32]byte { return sha256.Sum256([]byte(v.TeamID + "." + v.BundleID)) }

func (v *vector) expect() *appattest.Expect {
	hash := v.ClientData
	if v.ClientDataHashIs == "sha256" {
		sum := sha256.Sum256(v.ClientData)
		hash = sum[:]
	}
	return &appattest.Expect{ClientDataHash: hash, KeyID: v.KeyID, Roots: appattest.AppleRoots()}
}

// code returns the code of a Failure, "malformed", "unsupported" or "".
func code(t testing.TB, err error) string {
	t.Helper()
	var failure *appattest.Failure
	switch {
	case err == nil:
		return ""
	case errors.As(err, &failure):
		return failure.Code
	case errors.Is(err, appattest.ErrMalformed):
		return "malformed"
	case errors.Is(err, appattest.ErrUnsupported):
		return "unsupported"
	}
	t.Fatalf("error %v is neither a Failure nor one of the two sentinels", err)
	return ""
}

func TestVectorAttestations(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			att, err := appattest.VerifyAttestation(v.Attestation, v.expect(), v.VerifyAt)
			if err != nil {
				t.Fatal(err)
			}
			if want := v.rpIDHash(); string(att.RPIDHash) != string(want[:]) {
				t.Errorf("RPIDHash %x, want %x", att.RPIDHash, want)
			}
			if string(att.Environment) != v.Environment {
				t.Errorf("Environment %q, want %q", att.Environment, v.Environment)
			}
			if string(att.KeyID) != string(v.KeyID) || att.Counter != 0 || att.Flags != 0x40 || att.Extensions != nil {
				t.Errorf("KeyID %x, Counter %d, Flags %#x, Extensions %v", att.KeyID, att.Counter, att.Flags, att.Extensions)
			}
			if len(att.Chain) != 2 || !att.Chain[0].NotBefore.Equal(v.LeafNotBefore) || !att.Chain[0].NotAfter.Equal(v.LeafNotAfter) {
				t.Errorf("Chain %v", att.Chain)
			}
			for at, want := range map[time.Time]string{
				v.LeafNotBefore:                   "",
				v.LeafNotBefore.Add(-time.Second): "cert_time",
				v.LeafNotAfter:                    "",
				v.LeafNotAfter.Add(time.Second):   "cert_time",
			} {
				if _, err := appattest.VerifyAttestation(v.Attestation, v.expect(), at); code(t, err) != want {
					t.Errorf("at %s: %v, want %q", at, err, want)
				}
			}
			raw := v.expect()
			raw.ClientDataHash = v.ClientData
			if _, err := appattest.VerifyAttestation(v.Attestation, raw, v.VerifyAt); code(t, err) != "nonce_mismatch" {
				t.Errorf("with the raw client data: %v", err)
			}
			receipt, err := appattest.VerifyReceipt(att.Receipt, appattest.AppleRoots())
			if err != nil {
				t.Fatalf("embedded receipt: %v", err)
			}
			if receipt.Type != "ATTEST" || receipt.AppID != v.TeamID+"."+v.BundleID || string(receipt.KeySPKI) != string(att.KeySPKI) ||
				string(receipt.KeyID) != string(att.KeyID) || !receipt.CreationTime.Equal(v.ReceiptCreation) || receipt.RiskMetric != nil {
				t.Errorf("embedded receipt: %+v", receipt)
			}
		})
	}
}

func TestVectorOSVersion(t *testing.T) {
	want := map[string][3]string{
		"ios-14.2":                  {"14.2", "", ""},
		"ios-14.3":                  {"14.3", "", ""},
		"iphone_11":                 {"16.2", "", ""},
		"iphone_15":                 {"17.3.1", "21D61", ""},
		"ios_26_0_1_two_assertions": {"26.0.1", "23A355", "iphoneos"},
	}
	for _, v := range vectors(t) {
		att, err := appattest.VerifyAttestation(v.Attestation, v.expect(), v.VerifyAt)
		if err != nil {
			t.Fatal(err)
		}
		if got := [3]string{att.OSVersion, att.OSBuild, att.Platform}; got != want[v.Name] {
			t.Errorf("%s: %q, want %q", v.Name, got, want[v.Name])
		}
	}
}

func TestVectorAssertions(t *testing.T) {
	for _, v := range vectors(t) {
		att, err := appattest.VerifyAttestation(v.Attestation, v.expect(), v.VerifyAt)
		if err != nil {
			t.Fatal(err)
		}
		for i, a := range v.Assertions {
			t.Run(v.Name+"/"+strconv.Itoa(i), func(t *testing.T) {
				hash := sha256.Sum256(a.ClientData)
				for name, key := range map[string][]byte{"spki": att.KeySPKI, "point": att.KeyPoint} {
					got, err := appattest.VerifyAssertion(a.Assertion, key, hash[:])
					if err != nil {
						t.Fatalf("%s: %v", name, err)
					}
					if got.Counter != a.ExpectCounter || string(got.RPIDHash) != string(att.RPIDHash) || got.Flags != 0x40 || got.Extensions != nil ||
						string(got.KeySPKI) != string(att.KeySPKI) || string(got.KeyID) != string(v.KeyID) {
						t.Errorf("%s: %+v", name, got)
					}
					if accept := got.Counter > a.PreviousCounter; accept != (a.Expected == "ACCEPT") {
						t.Errorf("counter %d after %d: expected %s", got.Counter, a.PreviousCounter, a.Expected)
					}
				}
				hash[0] ^= 1
				if _, err := appattest.VerifyAssertion(a.Assertion, att.KeySPKI, hash[:]); code(t, err) != "assertion_signature" {
					t.Errorf("other client data: %v", err)
				}
			})
		}
	}
}

func TestVectorReceipts(t *testing.T) {
	var metrics []string
	for _, v := range vectors(t) {
		for i, r := range v.Receipts {
			t.Run(v.Name+"/"+strconv.Itoa(i), func(t *testing.T) {
				got, err := appattest.VerifyReceipt(r.Receipt, appattest.AppleRoots())
				if err != nil {
					t.Fatal(err)
				}
				p := r.Properties
				metric := ""
				if got.RiskMetric != nil {
					metric = strconv.FormatUint(uint64(*got.RiskMetric), 10)
				}
				metrics = append(metrics, metric)
				for _, c := range []struct{ field, got, want string }{
					{"type", got.Type, p.Type},
					{"app id", got.AppID, v.TeamID + "." + v.BundleID},
					{"environment", string(got.Environment), strings.ReplaceAll(p.Environment, "sandbox", "development")},
					{"creation time", stamp(got.CreationTime), p.CreationTime},
					{"not before", stamp(got.NotBefore), p.NotBefore},
					{"expiration time", stamp(got.Expiration), p.ExpirationTime},
					{"risk metric", metric, p.RiskMetric},
					{"key id", base64.StdEncoding.EncodeToString(got.KeyID), base64.StdEncoding.EncodeToString(v.KeyID)},
				} {
					if c.got != c.want {
						t.Errorf("%s: %q, want %q", c.field, c.got, c.want)
					}
				}
				if len(got.Chain) != 3 {
					t.Errorf("chain of %d certificates", len(got.Chain))
				}
			})
		}
	}
	if got := strings.Join(metrics, ","); got != ",2,3,3,1,,3" {
		t.Errorf("risk metrics %s", got)
	}
}

// stamp writes a time as receipts do; the zero time is empty.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format("2006-01-02T15:04:05.000Z")
}

func TestVectorsOfOtherFormats(t *testing.T) {
	dir := vectorDir(t)
	var goWebauthn struct {
		Response struct {
			AttestationObject string `json:"attestationObject"`
		} `json:"response"`
	}
	readJSON(t, filepath.Join(dir, "go-webauthn", "apple_anonymous.json"), &goWebauthn)
	object, err := base64.RawURLEncoding.DecodeString(goWebauthn.Response.AttestationObject)
	if err != nil {
		t.Fatal(err)
	}
	var w3c struct {
		Registration struct {
			AttestationObject string `json:"attestationObject"`
		} `json:"registration"`
	}
	readJSON(t, filepath.Join(dir, "w3c-webauthn", "apple_ES256.json"), &w3c)
	spec, err := hex.DecodeString(w3c.Registration.AttestationObject)
	if err != nil {
		t.Fatal(err)
	}
	want := &appattest.Expect{ClientDataHash: make([]byte, 32), Roots: appattest.AppleRoots()}
	for name, object := range map[string][]byte{"go-webauthn": object, "W3C": spec} {
		if att, err := appattest.VerifyAttestation(object, want, time.Now()); !errors.Is(err, appattest.ErrUnsupported) || att != nil {
			t.Errorf("%s: %v, %v", name, att, err)
		}
	}
}

func readJSON(t testing.TB, name string, v any) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}
