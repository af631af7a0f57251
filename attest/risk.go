package attest

import (
	"fmt"
	"maps"
	"time"

	"github.com/staunchid/staunch/attest/android"
)

// The risk signals that a policy may have rules for. Evidence holds some of
// them itself; the others are counted by who keeps registrations, and given in
// Expect.Signals or to Policy.Risk.
const (
	RiskMetric           = "apple.risk_metric"          // of a receipt: attestations on this device in 30 days
	RKPCerts30Days       = "android.rkp_certs_30d"      // certificates issued to this phone in 30 days
	BatchRateFactory     = "android.batch_rate_factory" // registrations per hour under one factory batch key
	BatchRateRKP         = "android.batch_rate_rkp"     // the same; such a batch is one phone
	PatchAgeDays         = "android.patch_age_days"     // of the OS patch level
	KeysPerAccount30Days = "common.keys_per_account_30d"
)

// riskSignals are all of them.
func riskSignals() []string {
	return []string{RiskMetric, RKPCerts30Days, BatchRateFactory, BatchRateRKP, PatchAgeDays, KeysPerAccount30Days}
}

// Risk returns a common.risk finding for each risk rule that a signal's value
// fires, in the order of the rules; none for an app that the policy does not
// have. A signal without a value fires nothing.
func (p *Policy) Risk(app string, signals map[string]uint64) (fired []Finding) {
	if _, ok := p.App(app); !ok {
		return nil
	}
	for i := range p.file.Risk {
		rule := &p.file.Risk[i]
		if value, ok := signals[rule.Signal]; ok && rule.fires(value) {
			f := NewFinding("common.risk", fmt.Sprintf("%s is %d, at least %d", rule.Signal, value, rule.AtLeast))
			f.Effect = rule.Effect
			fired = append(fired, f)
		}
	}
	return fired
}

func (r *RiskFile) fires(value uint64) bool { return value >= r.AtLeast }

// Batch is what registrations are counted by for the batch-rate signals: the
// SHA-256 of the key at position 1, in hex, and the signal that it counts for.
// Both are empty if the verdict vouches for no such key: of Apple's evidence, of
// a chain of neither kind, and after a hard finding.
func (v Verdict) Batch() (spkiSHA256, signal string) {
	if v.Claims == nil || v.Claims.Android == nil || len(v.Chain) < 2 {
		return "", ""
	}
	switch v.Provisioning {
	case string(android.Factory):
		signal = BatchRateFactory
	case string(android.RKP):
		signal = BatchRateRKP
	default:
		return "", ""
	}
	return v.Chain[1].SPKISHA256, signal
}

// hold keeps the value of a signal that the evidence itself holds; it wins over
// what the caller says.
func (a *appraisal) hold(signal string, value uint64) {
	if len(a.p.file.Risk) == 0 {
		return
	}
	if a.held == nil {
		a.held = make(map[string]uint64)
	}
	a.held[signal] = value
}

// holdAndroid keeps the signals of a description and its chain.
func (a *appraisal) holdAndroid(r *android.Attestation) {
	if r.Info != nil && r.Info.CertificatesIssued != nil {
		a.hold(RKPCerts30Days, *r.Info.CertificatesIssued)
	}
	if n := r.Description.HardwareEnforced.OSPatchLevel; n != nil {
		if level, ok := android.ParsePatchLevel(*n); ok && !a.now.Before(level.Time()) {
			a.hold(PatchAgeDays, uint64(a.now.Sub(level.Time())/(24*time.Hour)))
		}
	}
}

// appraiseRisk fires the rules over what the server knows and what the evidence
// holds.
func (a *appraisal) appraiseRisk() {
	if len(a.p.file.Risk) > 0 {
		a.verdict.Findings = append(a.verdict.Findings, a.p.Risk(a.app.id, a.signals())...)
	}
}

// signals are all that have a value.
func (a *appraisal) signals() map[string]uint64 {
	all := make(map[string]uint64, len(a.want.Signals)+len(a.held))
	maps.Copy(all, a.want.Signals)
	maps.Copy(all, a.held)
	return all
}
