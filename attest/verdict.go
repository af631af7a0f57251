package attest

import (
	"encoding/json"
	"slices"
	"time"
)

// Tier is how far evidence may be believed.
type Tier string

// The tiers, worst first. The zero value, like any other text, accepts nothing.
const (
	TierNone            Tier = "none"            // a hard finding: nothing may be believed
	TierContraindicated Tier = "contraindicated" // genuine, but a finding rejects
	TierWarning         Tier = "warning"         // accepted, with a warning
	TierAffirming       Tier = "affirming"       // accepted
)

// Class says what a finding suggests.
type Class string

// The classes.
const (
	Abuse       Class = "abuse"       // forged, altered, replayed, or another app
	Honest      Class = "honest"      // an honest phone that is odd, old or late
	Environment Class = "environment" // the phone says it is in a state that policy may refuse
	PolicyClass Class = "policy"      // the operator's rule or knowledge
)

// Effect is what a finding does to the verdict.
type Effect string

// The effects.
const (
	Reject Effect = "reject"
	Warn   Effect = "warn"
	Note   Effect = "note"
)

// Finding is one thing that verification or appraisal noticed.
type Finding struct {
	Code     string `json:"code"` // a row of Codes
	Class    Class  `json:"class"`
	Effect   Effect `json:"effect"`
	Position *int   `json:"position"` // of the certificate, or nil
	Detail   string `json:"detail"`   // for people; not stable
}

// Certificate is a certificate of the chain as it was sent.
type Certificate struct {
	Subject    string     `json:"subject"`
	Serial     string     `json:"serial"` // canonical: lower-case hex of the unsigned octets, no leading zeros
	NotBefore  *time.Time `json:"not_before"`
	NotAfter   *time.Time `json:"not_after"`
	SPKISHA256 string     `json:"spki_sha256"` // hex
}

// StatusInfo says which revocation list a verdict rests on.
type StatusInfo struct {
	Digest    string     `json:"digest"`
	FetchedAt *time.Time `json:"fetched_at"` // nil: the list does not say
	Entries   int        `json:"entries"`
}

// Verdict is the outcome for evidence that could be read. Its JSON is that of
// `staunch attest verify --json`.
type Verdict struct {
	Format           Format
	Tier             Tier
	Provisioning     string // "factory", "rkp", "software", "none"
	Findings         []Finding
	Claims           *Claims // nil after a hard finding
	UnverifiedClaims *Claims // with a hard finding, if the leaf could be read
	Chain            []Certificate
	Policy           string
	PolicyDigest     string
	Profile          string      // of the Android rules; empty: the policy has none for this app
	Status           *StatusInfo // nil: there was no list
	Rules            int
	At               time.Time
	App              string   // id of the policy's app; empty under the built-in policy
	Exceptions       []string // ids of the exceptions that were used

	// Extended: a certificate besides the leaf holds a KeyDescription, which may
	// name the phone as the leaf's may.
	Extended bool
}

// Accept reports whether the verdict is accept.
func (v Verdict) Accept() bool { return v.Tier == TierAffirming || v.Tier == TierWarning }

// Has reports whether a finding with this code is there.
func (v Verdict) Has(code string) bool {
	return slices.ContainsFunc(v.Findings, func(f Finding) bool { return f.Code == code })
}

// NewFinding makes the finding of a code: class and effect are those of the
// table. Where the policy decides the effect, it rejects. A code that the table
// does not have rejects as well, as abuse.
func NewFinding(code, detail string) Finding {
	f := Finding{Code: code, Class: Abuse, Effect: Reject, Detail: clip(detail)}
	if c, ok := LookupCode(code); ok {
		f.Class = c.Class
		if c.Effect != "" {
			f.Effect = c.Effect
		}
	}
	return f
}

// With returns a copy of the verdict with more findings. It never becomes
// better: a hard one, or one whose code the table does not have, leaves the
// tier none and nothing to believe; any other that rejects leaves it
// contraindicated at best.
func (v Verdict) With(findings ...Finding) Verdict {
	v.Findings = slices.Concat(v.Findings, findings)
	order := []Tier{TierNone, TierContraindicated, TierWarning, TierAffirming}
	if tier := tierOf(findings); slices.Index(order, tier) < slices.Index(order, v.Tier) {
		v.Tier = tier
	}
	for _, f := range findings {
		if c, known := LookupCode(f.Code); known && !c.Hard {
			continue
		}
		v.Tier = TierNone
		if v.Claims != nil {
			v.UnverifiedClaims, v.Claims = v.Claims, nil
		}
	}
	return v
}

// Verdict composes a verdict of this policy from findings, for what is judged
// by who keeps the keys: a signed request, a challenge that is not open.
// Without findings it is affirming. The zero Policy accepts nothing.
func (p *Policy) Verdict(format Format, app string, now time.Time, findings ...Finding) Verdict {
	if p == nil {
		p = &Policy{}
	}
	v := Verdict{
		Format: format, Tier: TierNone, Provisioning: "none", Policy: p.name, PolicyDigest: p.digest, Rules: Rules, At: now.UTC(), App: app,
	}
	if p.digest != "" {
		v.Tier = TierAffirming
	}
	for i := range p.apps {
		if a := &p.apps[i]; a.id == app && a.android != nil {
			v.Profile = a.android.profile
		}
	}
	return v.With(findings...)
}

// tierOf is the tier that findings leave, none of which is hard.
func tierOf(findings []Finding) Tier {
	tier := TierAffirming
	for _, f := range findings {
		switch f.Effect {
		case Note:
		case Warn:
			if tier == TierAffirming {
				tier = TierWarning
			}
		default: // Reject, and whatever nobody thought of
			tier = TierContraindicated
		}
	}
	return tier
}

// MarshalJSON writes one object whose members are always all there.
func (v Verdict) MarshalJSON() ([]byte, error) {
	outcome := "reject"
	if v.Accept() {
		outcome = "accept"
	}
	return json.Marshal(struct {
		Format           Format        `json:"format"`
		Verdict          string        `json:"verdict"`
		Tier             Tier          `json:"tier"`
		Provisioning     string        `json:"provisioning"`
		Findings         []Finding     `json:"findings"`
		Claims           *Claims       `json:"claims"`
		UnverifiedClaims *Claims       `json:"unverified_claims"`
		Chain            []Certificate `json:"chain"`
		Policy           string        `json:"policy"`
		PolicyDigest     string        `json:"policy_digest"`
		Profile          *string       `json:"profile"`
		StatusList       *StatusInfo   `json:"status_list"`
		Rules            int           `json:"rules"`
		At               time.Time     `json:"at"`
	}{
		v.Format, outcome, v.Tier, v.Provisioning, append([]Finding{}, v.Findings...), v.Claims, v.UnverifiedClaims,
		append([]Certificate{}, v.Chain...), v.Policy, v.PolicyDigest, textOrNil(v.Profile), v.Status, v.Rules, v.At.UTC(),
	})
}
