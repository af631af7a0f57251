package tee

import "slices"

// Tier is how far evidence may be believed.
type Tier int

// The tiers, worst first. The zero value accepts nothing.
const (
	TierNone            Tier = iota
	TierContraindicated      // genuine, but a finding rejects
	TierWarning              // accepted, with a warning
	TierAffirming            // accepted
)

// String gives the word that is shown to people and in JSON.
func (t Tier) String() string {
	switch t {
	case TierContraindicated:
		return "contraindicated"
	case TierWarning:
		return "warning"
	case TierAffirming:
		return "affirming"
	}
	return "none"
}

// The codes of findings. They are never reused.
const (
	CodeReportData         = "TEE_REPORT_DATA"         // the binding does not hash to the report data
	CodeMeasurementUnknown = "TEE_MEASUREMENT_UNKNOWN" // no entry of the list names this program
	CodeMeasurementExpired = "TEE_MEASUREMENT_EXPIRED" // an entry does, at another time
	CodeNotLogged          = "TEE_NOT_LOGGED"          // the entry has a log index and nobody proved it
	CodeTooOld             = "TEE_TOO_OLD"
	CodeDebug              = "TEE_DEBUG"
	CodeProcess            = "TEE_PROCESS" // an ordinary process, NOT a TEE
	CodeVTPM               = "TEE_VTPM"
	CodeTCBBelowFloor      = "TEE_TCB_BELOW_FLOOR"
	CodeTCBStatus          = "TEE_TCB_STATUS"
	CodeTCBUnknown         = "TEE_TCB_UNKNOWN"
	CodeMigratable         = "TEE_MIGRATABLE"
	CodeVMPL               = "TEE_VMPL"
	CodeSEPTVE             = "TEE_SEPT_VE"
	CodeKeyAccess          = "TEE_KEY_ACCESS"
	CodeCollateral         = "TEE_COLLATERAL"
)

// Finding is one thing that appraisal noticed.
type Finding struct {
	Code    string `json:"code"`
	Allowed bool   `json:"allowed"` // by a field of the policy: a warning
	Detail  string `json:"detail"`  // for people; not stable
}

// Verdict is the outcome for evidence that could be verified.
type Verdict struct {
	Tier     Tier
	Findings []Finding
	Entry    *Measurement // that matched and is in its time; nil: none
}

// Accept reports whether the vault may be trusted with a request.
func (v Verdict) Accept() bool { return v.Tier == TierAffirming || v.Tier == TierWarning }

// Has reports whether a finding with this code is there.
func (v Verdict) Has(code string) bool {
	return slices.ContainsFunc(v.Findings, func(f Finding) bool { return f.Code == code })
}

// Refusals lists the codes that reject, for an error message.
func (v Verdict) Refusals() []string {
	var codes []string
	for _, f := range v.Findings {
		if !f.Allowed {
			codes = append(codes, f.Code)
		}
	}
	return codes
}

func (v *Verdict) find(code string, allowed bool, detail string) {
	v.Findings = append(v.Findings, Finding{code, allowed, detail})
}

// settle sets the tier: each finding rejects unless the policy allows it, and
// only evidence without findings is affirmed.
func (v *Verdict) settle() {
	v.Tier = TierAffirming
	if len(v.Findings) > 0 {
		v.Tier = TierWarning
	}
	if len(v.Refusals()) > 0 {
		v.Tier = TierContraindicated
	}
}
