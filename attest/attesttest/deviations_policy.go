package attesttest

import (
	"github.com/staunchid/staunch/attest"
)

// policyDeviations are good phones that a rule of the policy concerns.
func policyDeviations() []Deviation {
	risk := func(signal, atLeast, effect string) map[string]string {
		return map[string]string{"risk": `[ { signal = "` + signal + `", at_least = ` + atLeast + `, effect = "` + effect + `" } ]`}
	}
	warned := Effects{attest.Warn, attest.Warn, Silent}
	manyKeys := chain(rkp, at(1, func(c *Certificate) {
		c.Extension(oidProvisioningInfo()).Value = provisioningInfo(40, DemoManufacturer)
	}))
	return []Deviation{
		{Name: "app-not-checked", Change: "the built-in policy knows no app", Format: attest.FormatAndroidChain, Code: "common.app_not_checked", Class: attest.PolicyClass,
			Position: NoPosition, Effects: Effects{Silent, Silent, attest.Note}, make: chain(rkp)},
		{Name: "platform-android", Change: "the policy has no table for Android", Format: attest.FormatAndroidChain, Code: "common.platform_refused", Class: attest.PolicyClass,
			Position: NoPosition, Effects: refused(), set: map[string]string{"app.android": ""}, make: chain(rkp)},
		{Name: "platform-apple", Change: "the policy has no table for Apple", Format: attest.FormatAppleAppAttest, Code: "common.platform_refused", Class: attest.PolicyClass,
			Position: NoPosition, Effects: refused(), set: map[string]string{"app.apple": ""}, make: attestation(iOS27)},
		{Name: "risk-many-keys", Change: "forty certificates for one phone in 30 days, and a rule about it", Format: attest.FormatAndroidChain, Code: "common.risk", Class: attest.PolicyClass,
			Position: NoPosition, Effects: warned, set: risk("android.rkp_certs_30d", "20", "warn"), make: manyKeys},
		{Name: "risk-many-keys-refused", Change: "the same, and the rule rejects", Format: attest.FormatAndroidChain, Code: "common.risk", Class: attest.PolicyClass,
			Position: NoPosition, Effects: refused(), set: risk("android.rkp_certs_30d", "20", "reject"), make: manyKeys},
		{Name: "risk-few-keys", Change: "four certificates in 30 days, below the rule", Format: attest.FormatAndroidChain,
			set: risk("android.rkp_certs_30d", "20", "reject"), make: chain(rkp)},
		{Name: "risk-patch-age", Change: "a patch level of two years ago, and a rule about it", Format: attest.FormatAndroidChain, Code: "common.risk", Class: attest.PolicyClass,
			Position: NoPosition, Effects: warned, set: risk("android.patch_age_days", "365", "warn"), make: chain(rkp, func(d *AndroidDraft) {
				d.Description.HardwareEnforced.SetInteger(706, patchMonth(d.Now.AddDate(-2, 0, 0)))
			})},
		{Name: "risk-metric", Change: "nine attestations on the phone in 30 days, and a rule about it", Format: attest.FormatAppleReceipt, Code: "common.risk", Class: attest.PolicyClass,
			Position: NoPosition, Effects: refused(), set: risk("apple.risk_metric", "4", "reject"), make: receipt(iOS27, func(r *ReceiptDraft) { r.RiskMetric = "9" })},
	}
}
