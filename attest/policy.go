package attest

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/appattest"
)

// The profiles of the Android rules.
const (
	ProfileGoogle = "google" // what Google's reference verifier accepts
	ProfileStrict = "strict" // with the path rules of RFC 5280 on top
)

// Policy is a checked policy. The zero Policy accepts nothing.
type Policy struct {
	name      string
	canonical []byte // JSON; its SHA-256 is the digest
	digest    string

	genuine *appPolicy // the built-in policy; nil for one from a file
	file    PolicyFile
	apps    []appPolicy

	androidRoots android.Roots
	appleRoots   appattest.Roots
	revocation   revocation
	exceptions   []exception
	request      RequestPolicy
	routes       []route
}

// revocation is RevocationFile, parsed. The built-in policy judges no age.
type revocation struct {
	maxAge, warnAge time.Duration
	suspended       Effect
}

// appPolicy is AppFile, parsed: the demands as appraisal asks for them.
type appPolicy struct {
	id                string
	challengeLifetime time.Duration
	maxKeyAge         time.Duration // 0: never too old
	android           *androidApp
	apple             *appleApp
}

type androidApp struct {
	profile      string
	minLevel     android.SecurityLevel
	boot         string
	bootKeys     map[string]bool // hex
	minOSVersion uint64          // mmnnpp; 0: none
	floors       [3]*android.PatchLevel
	patchMaxAge  time.Duration // 0: none
	rpIDHashes   map[[sha256.Size]byte]bool
	packages     []packagePolicy
}

type packagePolicy struct {
	name           string
	signers        map[string]bool // hex
	minVersionCode uint64
	sharedUID      bool
}

type appleApp struct {
	macOS           bool
	appIDs          []string // "TEAM.bundle"
	environments    map[appattest.Environment]bool
	raw             bool
	categories      map[uint32]bool
	missingCategory Effect
	bundleVersions  map[string]bool
	receipt         Effect
}

// Name is the policy's name; "genuine" is the built-in one.
func (p *Policy) Name() string { return p.name }

// Digest is "sha256:" and hex over the canonical JSON of the checked policy:
// comments and layout of the file do not change it.
func (p *Policy) Digest() string { return p.digest }

// TrustsExtraRoots reports whether the policy trusts keys besides the
// vendors'. A server for real phones refuses it.
func (p *Policy) TrustsExtraRoots() bool {
	return len(p.file.Android.DangerousExtraRoots)+len(p.file.Apple.DangerousExtraRoots) > 0
}

// seal sets canonical JSON and digest.
func (p *Policy) seal(canonical any) error {
	text, err := json.Marshal(canonical)
	if err != nil {
		return fmt.Errorf("attest: encode policy: %w", err)
	}
	p.setCanonical(text)
	return nil
}

func (p *Policy) setCanonical(text []byte) {
	sum := sha256.Sum256(text)
	p.canonical, p.digest = text, "sha256:"+hex.EncodeToString(sum[:])
}

// genuineFile is the canonical form of the built-in policy.
type genuineFile struct {
	Genuine bool   `json:"genuine"`
	Profile string `json:"profile"`
}

// Genuine is the built-in policy of the command line: is the chain genuine,
// the key in hardware and made there? It reports boot state, app, patch
// levels, environment and category, and judges none of them. The roots are
// the vendors' only.
func Genuine(profile string) (*Policy, error) {
	if profile != ProfileGoogle && profile != ProfileStrict {
		return nil, &PolicyError{Key: "profile", Reason: fmt.Sprintf("%q is neither %q nor %q", profile, ProfileGoogle, ProfileStrict)}
	}
	p := &Policy{
		name:         "genuine",
		genuine:      &appPolicy{android: &androidApp{profile: profile, boot: "verified"}, apple: &appleApp{missingCategory: Note, receipt: Note}},
		androidRoots: android.GoogleRoots(),
		appleRoots:   appattest.AppleRoots(),
		revocation:   revocation{suspended: Warn},
	}
	return p, p.seal(genuineFile{true, profile})
}

// WithProfile returns the policy with the profile of every app replaced.
func (p *Policy) WithProfile(profile string) (*Policy, error) {
	if p.genuine != nil {
		return Genuine(profile)
	}
	f := p.file
	f.App = append([]AppFile(nil), f.App...)
	for i := range f.App {
		if f.App[i].Android != nil {
			a := *f.App[i].Android
			a.Profile = profile
			f.App[i].Android = &a
		}
	}
	return NewPolicy(&f)
}

// Canonical is the JSON that Digest is over: what ParsePolicy reads.
func (p *Policy) Canonical() []byte { return bytes.Clone(p.canonical) }

// ParsePolicy reads what Canonical wrote, of this release or of one before it:
// policies are kept by digest, so that old verdicts can be explained. Digest
// and Canonical are those of the text, whatever this release would write.
func ParsePolicy(canonical []byte) (*Policy, error) {
	p, err := decodePolicy(canonical)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer // space between members does not count
	if err := json.Compact(&text, canonical); err != nil {
		return nil, fmt.Errorf("%w: policy: %w", ErrMalformed, err)
	}
	p.setCanonical(text.Bytes())
	return p, nil
}

func decodePolicy(canonical []byte) (*Policy, error) {
	var g genuineFile
	if err := strictJSON(canonical, &g); err == nil && g.Genuine {
		return Genuine(g.Profile)
	}
	var f PolicyFile
	if err := strictJSON(canonical, &f); err != nil {
		return nil, fmt.Errorf("%w: policy: %w", ErrMalformed, err)
	}
	return NewPolicy(&f)
}

// rootsOf adds the extra roots of a file to the vendors'.
func rootsOf(f *PolicyFile) (android.Roots, appattest.Roots, error) {
	androidRoots, appleRoots := android.GoogleRoots(), appattest.AppleRoots()
	for i, text := range f.Android.DangerousExtraRoots {
		more, err := android.ParseRoots(text)
		if err != nil {
			return android.Roots{}, appattest.Roots{}, policyError(err.Error(), "android.dangerous_extra_roots[%d]", i)
		}
		androidRoots = androidRoots.And(more)
	}
	for i, text := range f.Apple.DangerousExtraRoots {
		chain, err := android.ParseChain([]byte(text)) // PEM is PEM
		if err != nil {
			return android.Roots{}, appattest.Roots{}, policyError("no certificate in PEM", "apple.dangerous_extra_roots[%d]", i)
		}
		for _, raw := range chain {
			c, err := x509.ParseCertificate(raw)
			if err != nil {
				return android.Roots{}, appattest.Roots{}, policyError(err.Error(), "apple.dangerous_extra_roots[%d]", i)
			}
			appleRoots.Attestation = append(appleRoots.Attestation, c)
			appleRoots.Receipt = append(appleRoots.Receipt, c)
		}
	}
	return androidRoots, appleRoots, nil
}
