package attest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/appattest"
)

// PolicyError says which key of a policy file is wrong, and why.
type PolicyError struct {
	Key    string // path, elements counted from 0: "app[0].android.min_level"
	Reason string
}

func (e *PolicyError) Error() string { return "attest: policy: " + e.Key + ": " + e.Reason }

func policyError(reason, key string, args ...any) error {
	return &PolicyError{Key: fmt.Sprintf(key, args...), Reason: reason}
}

// maxExceptionLife bounds an exception: one that lasts is a rule, and belongs
// into the profile.
const maxExceptionLife = 400 * 24 * time.Hour

// NewPolicy checks f, the file as it was decoded with all required keys, and
// returns the policy that it describes, or a *PolicyError.
func NewPolicy(f *PolicyFile) (*Policy, error) {
	p := &Policy{name: f.Name, file: f.filledIn()}
	f = &p.file
	c := &policyChecker{}
	c.head(f)
	p.revocation = c.revocation(f.Android.Revocation)
	p.request, p.routes = c.requests(f.Request), c.routes(f.Route)
	c.risk(f.Risk)
	c.rollout(f)
	for i := range f.App {
		p.apps = append(p.apps, c.app(&f.App[i], f.Request, fmt.Sprintf("app[%d]", i)))
	}
	c.apps(f)
	for i := range f.Exception {
		p.exceptions = append(p.exceptions, c.exception(f, &f.Exception[i], fmt.Sprintf("exception[%d]", i)))
	}
	if c.err != nil {
		return nil, c.err
	}
	var err error
	if p.androidRoots, p.appleRoots, err = rootsOf(f); err != nil {
		return nil, err
	}
	return p, p.seal(&p.file)
}

// policyChecker keeps the first error, so that a check is one line.
type policyChecker struct{ err error }

func (c *policyChecker) fail(key, format string, args ...any) {
	if c.err == nil {
		c.err = &PolicyError{Key: key, Reason: fmt.Sprintf(format, args...)}
	}
}

func (c *policyChecker) oneOf(key, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		c.fail(key, "%q is none of %s", value, strings.Join(allowed, ", "))
	}
}

func (c *policyChecker) some(key string, n int) {
	if n == 0 {
		c.fail(key, "empty; an empty list accepts nothing")
	}
}

// duration reads a positive duration, or 0 for the word none.
func (c *policyChecker) duration(key, value, none string) time.Duration {
	if none != "" && value == none {
		return 0
	}
	d, err := time.ParseDuration(value)
	if days, isDays := strings.CutSuffix(value, "d"); isDays {
		var n uint64
		n, err = strconv.ParseUint(days, 10, 16)
		d = time.Duration(n) * 24 * time.Hour
	}
	if err != nil || d <= 0 {
		c.fail(key, `%q is no positive duration; write it as "90s", "15m", "72h" or "30d"`, value)
	}
	return d
}

// hex reads lower- or upper-case hex of n bytes; n = 0: of any length.
func (c *policyChecker) hex(key, value string, n int) string {
	b, err := hex.DecodeString(value)
	if err != nil || len(b) == 0 || n > 0 && len(b) != n {
		want := "hex"
		if n > 0 {
			want = fmt.Sprintf("%d bytes in hex", n)
		}
		c.fail(key, "%q is not %s", value, want)
	}
	return strings.ToLower(value)
}

func (c *policyChecker) hexSet(key string, values []string, n int) map[string]bool {
	set := make(map[string]bool, len(values))
	for i, v := range values {
		set[c.hex(fmt.Sprintf("%s[%d]", key, i), v, n)] = true
	}
	return set
}

func (c *policyChecker) head(f *PolicyFile) {
	if f.Version != 1 {
		c.fail("version", "%d is not 1, the only version there is", f.Version)
	}
	if strings.TrimSpace(f.Name) == "" || len(f.Name) > 100 {
		c.fail("name", "must have 1 to 100 characters")
	}
	if f.Name == "genuine" {
		c.fail("name", `"genuine" is the name of the built-in policy`)
	}
}

func (c *policyChecker) revocation(f *RevocationFile) (r revocation) {
	const key = "android.revocation"
	if f == nil {
		c.fail(key, "missing; the key is required")
		return r
	}
	r.maxAge = c.duration(key+".max_age", f.MaxAge, "")
	r.warnAge = c.duration(key+".warn_age", f.WarnAge, "")
	if r.warnAge > r.maxAge {
		c.fail(key+".warn_age", "%s is above max_age, %s", f.WarnAge, f.MaxAge)
	}
	c.oneOf(key+".suspended", f.Suspended, "warn", "reject")
	r.suspended = Effect(f.Suspended)
	return r
}

// isAppID is the form of an app's id, which also names its store.
var isAppID = regexp.MustCompile(`^[a-z][a-z0-9-]{1,30}$`)

func (c *policyChecker) apps(f *PolicyFile) {
	if len(f.App) == 0 {
		c.fail("app", "no [[app]]; such a policy accepts nothing")
	}
	seen := map[string]bool{}
	for i, a := range f.App {
		if seen[a.ID] {
			c.fail(fmt.Sprintf("app[%d].id", i), "%q occurs twice", a.ID)
		}
		seen[a.ID] = true
	}
}

func (c *policyChecker) app(f *AppFile, requests *RequestPolicyFile, key string) appPolicy {
	a := appPolicy{id: f.ID}
	if !isAppID.MatchString(f.ID) {
		c.fail(key+".id", "%q is no id: a lower-case letter, then 1 to 30 of a-z, 0-9 and -", f.ID)
	}
	a.challengeLifetime = c.duration(key+".challenge_lifetime", f.ChallengeLifetime, "")
	if c.err == nil && (a.challengeLifetime < 30*time.Second || a.challengeLifetime > time.Hour) {
		c.fail(key+".challenge_lifetime", "%s is not within 30s and 1h", f.ChallengeLifetime)
	}
	a.maxKeyAge = c.duration(key+".max_key_age", f.MaxKeyAge, "never")
	for i, name := range f.RequestAlgorithms { // RFC 9421, Section 6.2.2
		c.oneOf(fmt.Sprintf("%s.request_algorithms[%d]", key, i), name,
			"ecdsa-p256-sha256", "ecdsa-p384-sha384", "ed25519", "rsa-pss-sha512", "rsa-v1_5-sha256")
	}
	if f.Android != nil && len(f.RequestAlgorithms) == 0 && requests != nil && len(requests.Authorities) > 0 {
		c.fail(key+".request_algorithms", "empty; an empty list accepts no request of an Android phone, and request.authorities is there for requests")
	}
	if f.Android != nil {
		a.android = c.android(f.Android, key+".android")
	}
	if f.Apple != nil {
		a.apple = c.apple(f.Apple, key+".apple")
	}
	return a
}

func (c *policyChecker) android(f *AndroidAppFile, key string) *androidApp {
	a := &androidApp{profile: f.Profile, boot: f.Boot}
	c.oneOf(key+".profile", f.Profile, ProfileStrict, ProfileGoogle)
	c.oneOf(key+".min_level", f.MinLevel, "tee", "strongbox")
	a.minLevel = android.TrustedEnvironment
	if f.MinLevel == "strongbox" {
		a.minLevel = android.StrongBox
	}
	c.oneOf(key+".boot", f.Boot, "verified", "listed", "dangerous_any")
	a.bootKeys = c.hexSet(key+".boot_keys", f.BootKeys, 32)
	if f.Boot == "listed" {
		c.some(key+".boot_keys", len(f.BootKeys))
	}
	a.minOSVersion = c.osVersion(key+".min_os_version", f.MinOSVersion)
	c.patchFloor(f.PatchFloor, a, key+".patch_floor")
	a.rpIDHashes = make(map[[sha256.Size]byte]bool)
	for _, id := range f.RPIDs {
		a.rpIDHashes[sha256.Sum256([]byte(id))] = true
	}
	c.some(key+".packages", len(f.Packages))
	for i, p := range f.Packages {
		at := fmt.Sprintf("%s.packages[%d]", key, i)
		if p.Name == "" {
			c.fail(at+".name", "empty")
		}
		c.some(at+".signers", len(p.Signers))
		a.packages = append(a.packages, packagePolicy{p.Name, c.hexSet(at+".signers", p.Signers, sha256.Size), p.MinVersionCode, p.SharedUID})
	}
	return a
}

func (c *policyChecker) patchFloor(f *PatchFloorFile, a *androidApp, key string) {
	if f == nil {
		c.fail(key, "missing; the key is required")
		return
	}
	a.patchMaxAge = c.duration(key+".max_age", f.MaxAge, "none")
	for i, floor := range [...]struct{ name, value, layout string }{
		{"os", f.OS, "2006-01"}, {"vendor", f.Vendor, "2006-01-02"}, {"boot", f.Boot, "2006-01-02"},
	} {
		if floor.value == "none" {
			continue
		}
		t, err := time.Parse(floor.layout, floor.value)
		if err != nil {
			c.fail(key+"."+floor.name, `%q is no date such as %s, nor "none"`, floor.value, floor.layout)
		}
		level := android.PatchLevel{Year: t.Year(), Month: int(t.Month())}
		if floor.layout == "2006-01-02" {
			level.Day = t.Day()
		}
		a.floors[i] = &level
	}
}

// osVersion reads "14", "12.1" or "12.1.2" as mmnnpp, tag 705.
func (c *policyChecker) osVersion(key, value string) (version uint64) {
	if value == "none" {
		return 0
	}
	parts := strings.Split(value, ".")
	for i := range 3 {
		var n uint64
		if i < len(parts) {
			var err error
			if n, err = strconv.ParseUint(parts[i], 10, 8); err != nil || n > 99 || len(parts) > 3 {
				c.fail(key, `%q is no version such as "14" or "12.1", nor "none"`, value)
			}
		}
		version = version*100 + n
	}
	return version
}

func (c *policyChecker) apple(f *AppleAppFile, key string) *appleApp {
	a := &appleApp{macOS: f.Platform == "macos", raw: f.ClientData == "raw", missingCategory: f.MissingCategory, receipt: f.Receipt}
	c.oneOf(key+".platform", f.Platform, "ios", "macos")
	c.oneOf(key+".client_data", f.ClientData, "hashed", "raw")
	c.oneOf(key+".missing_category", string(f.MissingCategory), "note", "warn", "reject")
	c.oneOf(key+".receipt", string(f.Receipt), "note", "warn", "reject")
	if f.TeamID == "" || strings.Contains(f.TeamID, ".") {
		c.fail(key+".team_id", "%q is no team id", f.TeamID)
	}
	c.some(key+".bundle_ids", len(f.BundleIDs))
	for i, id := range f.BundleIDs {
		if id == "" {
			c.fail(fmt.Sprintf("%s.bundle_ids[%d]", key, i), "empty")
		}
		a.appIDs = append(a.appIDs, f.TeamID+"."+id)
	}
	c.some(key+".environments", len(f.Environments))
	a.environments = make(map[appattest.Environment]bool)
	for i, e := range f.Environments {
		c.oneOf(fmt.Sprintf("%s.environments[%d]", key, i), e, string(appattest.Production), string(appattest.Development))
		a.environments[appattest.Environment(e)] = true
	}
	c.some(key+".categories", len(f.Categories))
	a.categories = make(map[uint32]bool)
	for _, category := range f.Categories {
		a.categories[category] = true
	}
	a.bundleVersions = make(map[string]bool)
	for _, v := range f.BundleVersions {
		a.bundleVersions[v] = true
	}
	if f.CounterWindow < 0 || f.CounterWindow > 64 {
		c.fail(key+".counter_window", "%d is not within 0 and 64", f.CounterWindow)
	}
	return a
}
