package android_test

import (
	"crypto/elliptic"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/attesttest"
)

func p256() elliptic.Curve { return elliptic.P256() }

// The pinned keys of A.1.
const (
	googleRSA   = "feb2ea7551ee316ed4bb443c8293b884dbfdea40b603ee3e4f4a897e4580fbae"
	googleP384  = "3ee44512a1af2beb39c889490c60ea3f82e43f5d5a5532f5ab9419f676cd07ec"
	softwareEC  = "d5100c7942ef2e8310dc30ef82729680cf48d690735c3f68179a33c7c370f286"
	softwareRSA = "f2c4746f545946c100e72297f8f946344d7052f03a2f694221f9c893b0e6f711"
)

func TestGoogleRootsArePinned(t *testing.T) {
	if got := android.GoogleRoots().Keys(); !slices.Equal(got, []string{googleRSA, googleP384}) {
		t.Errorf("pinned: %v", got)
	}
	a, b := android.GoogleRoots(), android.GoogleRoots()
	a.Forget()
	if len(b.Keys()) != 2 || len(android.GoogleRoots().Keys()) != 2 {
		t.Error("roots are shared between callers")
	}
	for _, text := range []string{softwareEC, softwareRSA, googleRSA} {
		key, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := android.IsSoftwareRoot([32]byte(key)); got != (text != googleRSA) {
			t.Errorf("%s is a software root: %v", text, got)
		}
	}
}

// rootVector reads a root certificate of the recorded ones.
func rootVector(t *testing.T, name string) (text string, raw []byte) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(vectorDir(t), "roots", name))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(b)
	if block == nil {
		t.Fatal("no PEM in ", name)
	}
	return string(b), block.Bytes
}

// TestReissuedRoots: four certificates of one key are one anchor, and a chain
// ends well in any of them.
func TestReissuedRoots(t *testing.T) {
	chain, err := android.ParseChain(readFile(t, filepath.Join(vectorDir(t), "android-keyattestation", "blueline_sdk28_TEE_EC_NONE.pem")))
	if err != nil {
		t.Fatal(err)
	}
	good, err := android.Verify(chain, options(), testNow())
	if err != nil || good.Provisioning != android.Factory {
		t.Fatal(err)
	}
	chain = chain[:good.Root:good.Root]
	for name, want := range map[string]string{
		"google_root_0.pem": googleRSA, "google_root_1.pem": googleRSA, "google_root_2.pem": googleRSA, "google_root_3.pem": googleRSA,
		"google_root_4.pem": googleP384,
	} {
		text, raw := rootVector(t, name)
		roots, err := android.ParseRoots(text)
		if err != nil || !slices.Equal(roots.Keys(), []string{want}) {
			t.Errorf("%s: %v, %v", name, roots.Keys(), err)
		}
		if want != googleRSA {
			continue
		}
		ends := append(chain, raw)
		for _, roots := range []android.Roots{roots, android.GoogleRoots()} {
			o := options()
			o.Roots = roots
			if a, err := android.Verify(ends, o, testNow()); err != nil || slices.Contains(found(t, a), "root_missing@3") {
				t.Errorf("a chain that ends in %s: %v", name, err)
			}
		}
	}
	for _, name := range []string{"aosp_software_root_0.pem", "aosp_software_root_1.pem"} {
		_, raw := rootVector(t, name)
		if _, err := android.Verify(append(chain[:2:2], raw), options(), testNow()); code(t, err) != android.CodeSoftwareRoot || position(err) != 2 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRoots: step 3, each way to end a chain.
func TestRoots(t *testing.T) {
	omit := func(c *attesttest.Certificate) { c.Omit = true }
	renamed := func(c *attesttest.Certificate) {
		c.DER, c.Subject = nil, attesttest.Name("CN", "renamed")
	}
	stranger := lookAlike(t)
	for _, c := range []struct {
		name string
		kind attesttest.Provisioning
		opts []attesttest.AndroidOption
		want string
		at   int
	}{
		{"another name for the pinned key: the name counts as it stands", attesttest.Factory, []attesttest.AndroidOption{at(3, renamed)}, "", -1},
		{"subject and serial of the pinned one, another key", attesttest.Factory, []attesttest.AndroidOption{at(3, lookAlike(t))}, android.CodeRootUnknown, 3},
		{"the same under rkp", attesttest.RKP, []attesttest.AndroidOption{at(4, lookAlike(t))}, android.CodeRootUnknown, 4},
		{"not self-issued, of nobody", attesttest.Factory, []attesttest.AndroidOption{at(3, func(c *attesttest.Certificate) {
			stranger(c)
			c.Subject, c.Issuer = attesttest.Name("CN", "x"), attesttest.Name("CN", "y")
		})}, android.CodeRootUnknown, 3},
		{"omitted, and renamed in the issuer", attesttest.Factory, []attesttest.AndroidOption{at(3, renamed), at(3, omit)}, android.CodeRootUnknown, 2},
		{"omitted, signed by a look-alike", attesttest.Factory, []attesttest.AndroidOption{at(3, lookAlike(t)), at(3, omit)}, android.CodeRootUnknown, 2},
		{"omitted twice", attesttest.RKP, []attesttest.AndroidOption{at(4, omit), at(3, omit)}, android.CodeRootUnknown, 2},
		{"the root twice", attesttest.Factory, []attesttest.AndroidOption{func(d *attesttest.AndroidDraft) { d.Chain = append(d.Chain, d.Chain[3]) }}, android.CodeChainLength, -1},
		{"a self-issued certificate under the pinned key's name", attesttest.Factory, []attesttest.AndroidOption{at(2, func(c *attesttest.Certificate) {
			c.Subject = attesttest.Name("CN", "self")
			c.Issuer = c.Subject
		}), at(3, omit)}, android.CodeRootUnknown, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := android.Verify(attested(t, c.kind, c.opts...), trusting(t), testNow())
			if code(t, err) != c.want || position(err) != c.at {
				t.Errorf("%v, want %q at %d", err, c.want, c.at)
			}
		})
	}
	if _, err := android.Verify(attested(t, attesttest.RKP), options(), testNow()); code(t, err) != android.CodeRootUnknown {
		t.Errorf("Google's roots trust a test root: %v", err)
	}
	both := options()
	both.Roots = android.GoogleRoots().And(testRoots(t))
	if _, err := android.Verify(attested(t, attesttest.RKP), both, testNow()); err != nil {
		t.Errorf("with the test roots beside Google's: %v", err)
	}
}

func TestParseRoots(t *testing.T) {
	texts, _ := attesttest.TestRootsPEM()
	if roots, err := android.ParseRoots("# a comment\n" + strings.Join(texts, "\n\n")); err != nil || len(roots.Keys()) != 2 {
		t.Errorf("two: %v, %v", roots.Keys(), err)
	}
	for name, text := range map[string]string{
		"nothing":       "",
		"no PEM":        "roots",
		"a key":         string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{1}})),
		"no DER":        string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{1}})),
		"second is bad": texts[0] + string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{1}})),
	} {
		if roots, err := android.ParseRoots(text); !errors.Is(err, android.ErrMalformed) || len(roots.Keys()) != 0 {
			t.Errorf("%s: %v, %v", name, roots.Keys(), err)
		}
	}
}
