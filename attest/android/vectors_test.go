package android_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/android"
	folder "github.com/staunchid/staunch/internal/vectors"
)

// vectorDir finds the recorded evidence of real phones, which is third-party
// data and not part of this repository.
func vectorDir(t testing.TB) string {
	t.Helper()
	return folder.Dir(t, "attestation")
}

// vector is an entry of a folder's vectors.json.
type vector struct {
	File           string `json:"file"`
	VerifyAt       string `json:"verify_at"`
	Want           string `json:"google_rules_at_verify_at"`
	WantLater      string `json:"google_rules_at_2026-11-21"`
	SPKI           []byte `json:"public_key_spki_b64"`
	Provisioning   string `json:"rkp_provisioning_info_hex"`
	KeyDescription struct {
		AttestationVersion       string            `json:"attestationVersion"`
		AttestationSecurityLevel string            `json:"attestationSecurityLevel"`
		KeyMintVersion           string            `json:"keyMintVersion"`
		KeyMintSecurityLevel     string            `json:"keyMintSecurityLevel"`
		Hardware                 []uint32          `json:"hardwareEnforcedTags"`
		Software                 []uint32          `json:"softwareEnforcedTags"`
		Fields                   map[string]string `json:"fields"`
		NonDER                   []string          `json:"nonDER"`
	} `json:"key_description"`
	Expected string `json:"expected_key_description"`

	dir string
}

func (v *vector) chain(t testing.TB) [][]byte {
	t.Helper()
	chain, err := android.ParseChain(readFile(t, filepath.Join(v.dir, v.File)))
	if err != nil {
		t.Fatal(err)
	}
	return chain
}

func (v *vector) at(t testing.TB) time.Time {
	t.Helper()
	if v.VerifyAt == "" {
		return time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	}
	at, err := time.Parse(time.RFC3339Nano, v.VerifyAt)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// vectors returns every recorded chain.
func vectors(t testing.TB) []vector {
	t.Helper()
	lists, err := filepath.Glob(filepath.Join(vectorDir(t), "*", "vectors.json"))
	if err != nil || len(lists) == 0 {
		t.Fatal("no vectors.json in ", vectorDir(t), err)
	}
	var all []vector
	for _, list := range lists {
		var some []vector
		if err := json.Unmarshal(readFile(t, list), &some); err != nil {
			t.Fatal(list, err)
		}
		for _, v := range some {
			if strings.HasSuffix(v.File, ".pem") {
				v.dir = filepath.Dir(list)
				all = append(all, v)
			}
		}
	}
	return all
}

// options trust Google and compare nothing that only the service knows.
func options() *android.Options {
	return &android.Options{Roots: android.GoogleRoots(), DangerousNoStatus: true, DangerousAnyChallenge: true}
}

// wants translates the outcome that a vector states into provisioning or code.
var wants = map[string]string{
	"ACCEPT:factory":        "factory",
	"ACCEPT:rkp":            "rkp",
	"REJECT:expired":        android.CodeCertExpired,
	"REJECT:software-root":  android.CodeSoftwareRoot,
	"REJECT:untrusted-root": android.CodeRootUnknown,
	"REJECT:signature":      android.CodeSignature,
	"REJECT:chain-extended(KeyDescription below leaf)": android.CodeChainExtended,
	"PARTIAL (parse vector)":                           android.CodeChainLength,
}

func outcome(t testing.TB, chain [][]byte, opts *android.Options, now time.Time) (string, *android.Attestation) {
	t.Helper()
	a, err := android.Verify(chain, opts, now)
	var failure *android.Failure
	switch {
	case errors.As(err, &failure):
		return failure.Code, failure.Unverified
	case err != nil:
		t.Fatal(err)
	}
	return string(a.Provisioning), a
}

func TestVectors(t *testing.T) {
	cache := android.NewCache()
	for _, v := range vectors(t) {
		t.Run(v.File, func(t *testing.T) {
			chain, at := v.chain(t), v.at(t)
			for _, when := range []struct {
				now  time.Time
				want string
			}{{at, v.Want}, {time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC), v.WantLater}} {
				if when.want == "" {
					continue
				}
				want, ok := wants[when.want]
				if !ok {
					t.Fatalf("unknown expectation %q", when.want)
				}
				cached := options()
				cached.Cache = cache
				for _, opts := range []*android.Options{options(), cached, cached} {
					if got, _ := outcome(t, chain, opts, when.now); got != want {
						t.Errorf("at %s: got %s, want %s", when.now, got, want)
					}
				}
			}
			_, a := outcome(t, chain, options(), at)
			if a.Description == nil {
				if v.KeyDescription.AttestationVersion != "" {
					t.Fatal("no KeyDescription")
				}
				return
			}
			compareDescription(t, &v, a)
		})
	}
}

// compareDescription holds a description against the summary in vectors.json.
func compareDescription(t *testing.T, v *vector, a *android.Attestation) {
	t.Helper()
	if v.SPKI != nil && string(v.SPKI) != string(a.Leaf().SPKI) {
		t.Errorf("SPKI is %s", base64.StdEncoding.EncodeToString(a.Leaf().SPKI))
	}
	d, want := a.Description, v.KeyDescription
	got := map[string]string{
		"attestationVersion": want.AttestationVersion, "attestationSecurityLevel": want.AttestationSecurityLevel,
		"keyMintVersion": want.KeyMintVersion, "keyMintSecurityLevel": want.KeyMintSecurityLevel,
	}
	for name, value := range map[string]uint64{
		"attestationVersion": d.AttestationVersion, "attestationSecurityLevel": uint64(d.AttestationSecurityLevel),
		"keyMintVersion": d.KeyMintVersion, "keyMintSecurityLevel": uint64(d.KeyMintSecurityLevel),
	} {
		if n, err := json.Number(got[name]).Int64(); err != nil || uint64(n) != value {
			t.Errorf("%s is %d, want %s", name, value, got[name])
		}
	}
	for list, tags := range map[*android.AuthorizationList][]uint32{&d.HardwareEnforced: want.Hardware, &d.SoftwareEnforced: want.Software} {
		ordered := slices.IsSorted(tags)
		slices.Sort(tags)
		if !ordered && !slices.Contains(d.Encodings, "tags out of order") {
			t.Errorf("tags out of order are not noted: %q", d.Encodings)
		}
		if got := presentTags(t, list); !slices.Equal(got, tags) {
			t.Errorf("tags %v, want %v", got, tags)
		}
	}
	if len(want.NonDER) > 0 && len(d.Encodings) == 0 {
		t.Errorf("encodings %q, want %q", d.Encodings, want.NonDER)
	}
}

// presentTags lists a list's tags through its JSON, which is how people see them.
func presentTags(t *testing.T, l *android.AuthorizationList) (tags []uint32) {
	t.Helper()
	text, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		t.Fatal(err)
	}
	for name := range members {
		if number, ok := android.TagNumber(name); ok {
			tags = append(tags, number)
		}
	}
	for _, u := range l.Unknown {
		tags = append(tags, u.Tag)
	}
	slices.Sort(tags)
	return tags
}
