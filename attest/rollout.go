package attest

import (
	"crypto/sha256"
	"slices"
	"strconv"
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

// Subject is whom a verdict is about, as the stages of a rollout look at it.
type Subject struct {
	App       string
	Platform  string // "android" or "apple"; empty, or another text: only stages for any platform match
	Operation string // OperationRegister or OperationRequest

	// Country is what the backend or a trusted edge gives, and never the phone.
	// The stages look at it as the function Country reads it.
	Country string

	// The bucket is drawn by KeyID (base64url, as in Claims), else by Account,
	// else it is the last one, which only a stage for all phones holds.
	KeyID   string
	Account string
}

// Staged says which stage of the rollout decides, and its mode. The zero
// Staged, for which no stage matched, enforces.
type Staged struct {
	Name string // the stage's, or without one its place, "rollout[1]", counted from 0; empty: no stage matched
	Mode Mode
}

// Stage returns what the rollout says of a verdict about s: the first stage
// that matches wins, and without one the verdict is enforced.
//
// A stage matches if app, platform, operation and country do, if the subject's
// bucket is below its percent, and if its codes are empty or about the findings
// of v that reject. For a stage that enforces, one of them with a code of its is
// enough: else a second defect would be the way past it. A stage that observes
// lets in what it names and nothing else: all of their codes must be its.
//
// A stage with codes is about rejections, so it never matches a verdict that
// accepts. That changes no decision, and keeps the phones that are in order in
// the statistics of the stage that is theirs.
//
// A rollout decides what happens and never what is true: the verdict is the
// same in every mode. A verdict that rejects and names no reason, as the zero
// Verdict does, is enforced.
func (p *Policy) Stage(s Subject, v Verdict) Staged {
	c := newStaging(s, v)
	if c.groundless() {
		return Staged{Mode: ModeEnforce}
	}
	for i := range p.file.Rollout {
		if stage := &p.file.Rollout[i]; stage.misfit(c) == fits {
			name := stage.Name
			if name == "" {
				name = stageName(i)
			}
			return Staged{name, Mode(stage.Mode)}
		}
	}
	return Staged{Mode: ModeEnforce}
}

// stageName is the place of a stage in the file, which another line before it
// changes.
func stageName(i int) string { return "rollout[" + strconv.Itoa(i) + "]" }

// staging is a subject and what stages look at in its verdict.
type staging struct {
	Subject
	accept    bool
	rejecting []string // codes
}

func newStaging(s Subject, v Verdict) *staging {
	s.Country = Country(s.Country)
	return &staging{s, v.Accept(), v.rejecting()}
}

// groundless: rejected, and nothing says why.
func (c *staging) groundless() bool { return !c.accept && len(c.rejecting) == 0 }

// unfit is what of a stage does not match.
type unfit int

const (
	fits unfit = iota
	byApp
	byPlatform
	byOperation
	byCountry
	byPercent
	byAcceptance // its codes are for rejections
	byCode
)

// misfit says what of the stage does not match.
func (r *Stage) misfit(c *staging) unfit {
	switch {
	case r.App != c.App:
		return byApp
	case r.Platform != "any" && r.Platform != c.Platform:
		return byPlatform
	case r.Operation != "any" && r.Operation != c.Operation:
		return byOperation
	case !slices.Contains(r.Countries, "*") && !slices.Contains(r.Countries, c.Country):
		return byCountry
	case r.Percent < 100 && bucket(c.Subject, r.Salt) >= r.Percent*buckets/100:
		return byPercent
	case len(r.Codes) > 0 && c.accept:
		return byAcceptance
	case len(r.Codes) > 0 && !r.names(c.rejecting):
		return byCode
	}
	return fits
}

// names reports whether the stage's codes are about a verdict that is rejected
// for these: one is enough to enforce, and all must be there to observe.
func (r *Stage) names(rejecting []string) bool {
	if Mode(r.Mode) == ModeObserve {
		return holdsAll(r.Codes, rejecting)
	}
	return slices.ContainsFunc(rejecting, func(code string) bool { return slices.Contains(r.Codes, code) })
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
