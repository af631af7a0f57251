package attest

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
)

// Mode says what becomes of a verdict that rejects. The zero Mode, like any
// text that is not ModeObserve, enforces.
type Mode string

// The modes of a rollout.
const (
	ModeEnforce Mode = "enforce" // a rejecting verdict denies
	ModeObserve Mode = "observe" // it is recorded, and who calls is let in
)

// The operations of a rollout.
const (
	OperationRegister = "register"
	OperationRequest  = "request"
)

// CountryUnknown stands in a rollout for whoever is in no known country.
const CountryUnknown = "ZZ"

// Subject is whom a verdict is about, as the stages of a rollout look at it.
type Subject struct {
	App       string
	Platform  string // "android" or "apple"; empty, or another text: only stages for any platform match
	Operation string // OperationRegister or OperationRequest

	// Country is the ISO 3166-1 code that the backend or a trusted edge gives,
	// and never the phone. In whatever case; what is not two letters, such as
	// the empty text, is CountryUnknown.
	Country string

	// The bucket is drawn by KeyID (base64url, as in Claims), else by Account,
	// else it is the last one, which only a stage for all phones holds.
	KeyID   string
	Account string
}

// Staged says which stage of the rollout decides, and its mode. The zero
// Staged, for which no stage matched, enforces.
type Staged struct {
	Name string // "rollout[1]", counted from 0; empty: no stage matched
	Mode Mode
}

// Stage returns what the rollout says of a verdict about s: the first stage
// that matches wins, and without one the verdict is enforced.
//
// A stage matches if app, platform, operation and country do, if the subject's
// bucket is below its percent, and if its codes are empty or hold the code of
// every finding of v that rejects. A stage with codes is about rejections, so
// it never matches a verdict that accepts. That changes no decision, and keeps
// the phones that are in order in the statistics of the stage that is theirs.
//
// A rollout decides what happens and never what is true: the verdict is the
// same in every mode. A verdict that rejects and names no reason, as the zero
// Verdict does, is enforced.
func (p *Policy) Stage(s Subject, v Verdict) Staged {
	if !v.Accept() && len(v.rejecting()) == 0 {
		return Staged{Mode: ModeEnforce}
	}
	for i := range p.file.Rollout {
		if stage := &p.file.Rollout[i]; stage.misfit(s, v) == "" {
			return Staged{stageName(i), Mode(stage.Mode)}
		}
	}
	return Staged{Mode: ModeEnforce}
}

func stageName(i int) string { return fmt.Sprintf("rollout[%d]", i) }

// misfit says why a stage does not match, or "".
func (r *Stage) misfit(s Subject, v Verdict) string {
	country := countryOf(s.Country)
	switch {
	case r.App != s.App:
		return fmt.Sprintf("is for app %s", r.App)
	case r.Platform != "any" && r.Platform != s.Platform:
		return fmt.Sprintf("is for platform %s", r.Platform)
	case r.Operation != "any" && r.Operation != s.Operation:
		return fmt.Sprintf("is for operation %s", r.Operation)
	case !slices.Contains(r.Countries, "*") && !slices.Contains(r.Countries, country):
		return fmt.Sprintf("is for %s, and not for %s", strings.Join(r.Countries, ", "), country)
	}
	if b := bucket(s, r.Salt); b >= r.Percent*100 {
		return fmt.Sprintf("is for %d %% of the keys, buckets below %d, and this is bucket %d", r.Percent, r.Percent*100, b)
	}
	if len(r.Codes) == 0 {
		return ""
	}
	if v.Accept() {
		return "is for rejections, and the verdict accepts"
	}
	for _, code := range v.rejecting() {
		if !slices.Contains(r.Codes, code) {
			return fmt.Sprintf("is for other findings: %s is not among its codes", code)
		}
	}
	return ""
}

// rejecting are the codes of the findings that reject.
func (v Verdict) rejecting() (codes []string) {
	for _, f := range v.Findings {
		if f.Effect != Warn && f.Effect != Note {
			codes = append(codes, f.Code)
		}
	}
	return codes
}

func countryOf(code string) string {
	if code = strings.ToUpper(code); isCountry.MatchString(code) {
		return code
	}
	return CountryUnknown
}

// buckets is into how many parts the keys of an app are divided.
const buckets = 10000

// bucket is the subject's place among the buckets, the same on every server
// and at every time. Another salt deals the keys anew.
func bucket(s Subject, salt string) int {
	id := s.KeyID
	if id == "" {
		id = s.Account
	}
	if id == "" {
		return buckets - 1
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{"staunch-rollout-1", s.App, salt, id}, "\x00")))
	n := uint64(0)
	for _, b := range sum[:8] { // big-endian
		n = n<<8 | uint64(b)
	}
	return int(n % buckets)
}
