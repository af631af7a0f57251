package passkey

import "fmt"

// Effect is what becomes of a finding. The zero Effect refuses.
type Effect uint8

// The effects, the strictest first.
const (
	Refuse Effect = iota // the answer counts for nothing
	Raise                // a risk signal: sensitive actions ask for more
	Note                 // it is written down
)

// String returns the word that stands in configurations and findings.
func (e Effect) String() string {
	switch e {
	case Refuse:
		return "refuse"
	case Raise:
		return "raise"
	case Note:
		return "note"
	}
	return fmt.Sprintf("Effect(%d)", uint8(e))
}

// ParseEffect reads what String writes.
func ParseEffect(text string) (Effect, error) {
	for _, e := range []Effect{Refuse, Raise, Note} {
		if e.String() == text {
			return e, nil
		}
	}
	return Refuse, fmt.Errorf("passkey: effect %.20q; want refuse, raise or note", text)
}

// Code names a finding.
type Code string

// The findings.
const (
	CounterRegress        Code = "counter_regress"         // the signature counter did not go up: make the credential suspect
	BackupEligibleChanged Code = "backup_eligible_changed" // the stored flag stays; offer a new registration
	BackupStateChanged    Code = "backup_state_changed"    // it was synced, or is no longer
	PRFMissing            Code = "prf_missing"             // the authenticator cannot wrap a sealing key
	ModelUnknown          Code = "model_unknown"           // not an allowed model, or one without metadata
	ModelStatus           Code = "model_status"            // the model is denied, revoked or compromised
	AttestationUntrusted  Code = "attestation_untrusted"   // nobody trusted says which model it is
)

// Finding is a fact to weigh, and what becomes of it.
type Finding struct {
	Code   Code
	Effect Effect
	Detail string // for the log and the operator; empty: the code says it all
}

// Policy says what becomes of each finding. The zero value refuses at each.
type Policy struct {
	CounterRegress        Effect // of a device-bound credential
	CounterRegressSynced  Effect // of a backup eligible one
	BackupEligibleChanged Effect
	BackupStateChanged    Effect
	PRFMissing            Effect
	ModelUnknown          Effect
	ModelStatus           Effect
	AttestationUntrusted  Effect
}

// Appraise lists what is odd about a and returns the strictest effect, Note if
// there is nothing.
func (p *Policy) Appraise(a *Assertion) (Effect, []Finding) {
	if a == nil {
		return Refuse, nil
	}
	var found []Finding
	if a.CounterRegress { // WebAuthn L3 §7.2, step 22
		effect := p.CounterRegress
		if a.BackupEligible {
			effect = p.CounterRegressSynced
		}
		found = append(found, Finding{Code: CounterRegress, Effect: effect})
	}
	if a.BackupEligibleChanged { // WebAuthn L3 §7.2, step 19
		found = append(found, Finding{Code: BackupEligibleChanged, Effect: p.BackupEligibleChanged})
	}
	if a.BackupStateChanged { // WebAuthn L3 §7.2, step 19
		found = append(found, Finding{Code: BackupStateChanged, Effect: p.BackupStateChanged})
	}
	return strictest(found), found
}

// AppraiseRegistration does the same for a new credential.
func (p *Policy) AppraiseRegistration(r *Registration) (Effect, []Finding) {
	if r == nil {
		return Refuse, nil
	}
	var found []Finding
	if !r.PRF {
		found = append(found, Finding{Code: PRFMissing, Effect: p.PRFMissing})
	}
	if r.ModelUnknown {
		found = append(found, Finding{Code: ModelUnknown, Effect: p.ModelUnknown, Detail: r.Record.AAGUID.String()})
	}
	if r.ModelStatus != "" {
		found = append(found, Finding{ModelStatus, p.ModelStatus, r.ModelStatus})
	}
	if r.AttestationUntrusted != "" {
		found = append(found, Finding{AttestationUntrusted, p.AttestationUntrusted, r.AttestationUntrusted})
	}
	return strictest(found), found
}

// strictest is the effect of all of them together. What is no effect refuses.
func strictest(found []Finding) Effect {
	all := Note
	for _, f := range found {
		if f.Effect > Note {
			return Refuse
		}
		all = min(all, f.Effect)
	}
	return all
}
