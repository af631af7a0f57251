package attest

import "time"

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

const (
	Abuse       Class = "abuse"
	Honest      Class = "honest"
	Environment Class = "environment"
	PolicyClass Class = "policy"
)

// Effect is what a finding does to the verdict.
type Effect string

const (
	Reject Effect = "reject"
	Warn   Effect = "warn"
	Note   Effect = "note"
)

// Finding is one thing that verification or appraisal noticed.
type Finding struct {
	Code     string `json:"code"`
	Class    Class  `json:"class"`
	Effect   Effect `json:"effect"`
	Position *int   `json:"position"` // of the certificate, or nil
	Detail   string `json:"detail"`
}

// Certificate is a certificate of the chain as it was sent.
type Certificate struct {
	Subject    string     `json:"subject"`
	Serial     string     `json:"serial"` // canonical: lower-case hex of the unsigned octets, no leading zeros
	NotBefore  *time.Time `json:"not_before"`
	NotAfter   *time.Time `json:"not_after"`
	SPKISHA256 string     `json:"spki_sha256"`
}

// Verdict is the outcome for evidence that could be read.
type Verdict struct {
	Format           Format
	Tier             Tier
	Provisioning     string
	Findings         []Finding
	Claims           *Claims // nil after a hard finding
	UnverifiedClaims *Claims // with a hard finding, if the leaf could be read
	Chain            []Certificate
	Policy           string
	PolicyDigest     string
	Profile          string
	Rules            int
	At               time.Time
	Exceptions       []string // ids of the exceptions that were used
}

// Accept reports whether the verdict is accept.
func (v Verdict) Accept() bool { return v.Tier == TierAffirming || v.Tier == TierWarning }

// Has reports whether a finding with this code is there.
func (v Verdict) Has(code string) bool {
	for _, f := range v.Findings {
		if f.Code == code {
			return true
		}
	}
	return false
}
