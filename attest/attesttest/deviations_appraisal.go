package attesttest

import (
	"strings"

	"github.com/staunchid/staunch/attest"
)

// appraisalDeviations are about level, key, boot and patch level: genuine
// phones in a state that a policy may refuse.
func appraisalDeviations() []Deviation {
	levels := func(attestation, keyMint Level) AndroidOption {
		return func(d *AndroidDraft) {
			d.Description.AttestationSecurityLevel, d.Description.KeyMintSecurityLevel = attestation, keyMint
		}
	}
	batchName := func(position int, name []byte) AndroidOption {
		return at(position, func(c *Certificate) { c.Subject = name })
	}
	rootOfTrust := func(r RootOfTrust) AndroidOption {
		return hardware(func(l *AuthorizationList) { l.SetDER(704, r.DER()) })
	}
	good := RootOfTrust{VerifiedBootKey: demoBootKey(), DeviceLocked: true, VerifiedBootHash: demoBootHash()}
	state := func(s int64, locked bool) RootOfTrust {
		r := good
		r.VerifiedBootState, r.DeviceLocked = s, locked
		return r
	}
	listed := map[string]string{"boot": `"listed"`, "boot_keys": `["` + strings.Repeat("57", 32) + `"]`}
	anyBoot := map[string]string{"boot": `"dangerous_any"`}
	floor := map[string]string{"patch_floor": `{ os = "2024-01", vendor = "2024-01-05", boot = "2024-01-05", max_age = "13140h" }`}
	patch := func(tag int, value int64) maker {
		return chain(rkp, hardware(func(l *AuthorizationList) { l.SetInteger(tag, value) }))
	}
	return []Deviation{
		{Name: "level-software", Change: "the key is in software", Code: "android.level_software", Class: attest.Environment, Position: NoPosition, Effects: hard(),
			make: chain(factory, levels(Software, Software))},
		{Name: "level-keymint-software", Change: "attested by the TEE, kept in software", Code: "android.level_software", Class: attest.Environment, Position: NoPosition, Effects: hard(),
			make: chain(factory, levels(TEE, Software))},
		{Name: "level-mismatch", Change: "attested by the StrongBox, kept in the TEE", Code: "android.level_mismatch", Class: attest.Environment, Position: NoPosition, Effects: hard(),
			make: chain(factory, levels(StrongBox, TEE))},
		{Name: "level-unproven", Change: "claims StrongBox under a batch key of the TEE", Code: "android.level_unproven", Class: attest.Abuse, Position: 1, Effects: hard(),
			make: chain(rkp, levels(StrongBox, StrongBox))},
		{Name: "level-unproven-factory", Change: "claims StrongBox under a factory chain that does not state it", Code: "android.level_unproven", Class: attest.Abuse, Position: 1, Effects: hard(),
			make: chain(factory, levels(StrongBox, StrongBox))},
		{Name: "level-unproven-tee", Change: "claims the TEE under a batch key of the StrongBox", Code: "android.level_unproven", Class: attest.Abuse, Position: 1, Effects: hard(),
			make: chain(rkpStrongBox, levels(TEE, TEE))},
		{Name: "level-unproven-organisation", Change: "claims the TEE under an rkp batch that names something else", Code: "android.level_unproven", Class: attest.Abuse, Position: 1, Effects: hard(),
			make: chain(rkp, batchName(1, Name("CN", "0123456789abcdef0123456789abcdef", "O", "Keystore")))},
		{Name: "level-name-in-subject", Change: "factory names that say strongbox in lower case",
			make: chain(factory, levels(StrongBox, StrongBox), batchName(1, Name("CN", "strongbox attestation", "SERIALNUMBER", "77aa77aa77aa77ab")))},
		{Name: "level-too-low", Change: "TEE, and the policy wants the StrongBox", Code: "android.level_too_low", Class: attest.PolicyClass, Position: NoPosition, Effects: refused(),
			set: map[string]string{"min_level": `"strongbox"`}, make: chain(rkp)},

		{Name: "origin-imported", Change: "the key was imported: others may have it", Code: "android.origin", Class: attest.Abuse, Position: NoPosition, Effects: hard(),
			make: chain(rkp, hardware(func(l *AuthorizationList) { l.SetInteger(702, 2) }))},
		{Name: "origin-absent", Change: "no origin: absent is not generated", Code: "android.origin", Class: attest.Abuse, Position: NoPosition, Effects: hard(),
			make: chain(rkp, hardware(func(l *AuthorizationList) { l.Remove(702) }))},
		{Name: "origin-in-software", Change: "the origin is only in softwareEnforced", Code: "android.origin", Class: attest.Abuse, Position: NoPosition, Effects: hard(),
			make: chain(rkp, hardware(func(l *AuthorizationList) { l.Remove(702) }), software(func(l *AuthorizationList) { l.SetInteger(702, 0) }))},
		{Name: "origin-wrong-type", Change: "the origin is an OCTET STRING: unusable, so absent", Code: "android.origin", Class: attest.Abuse, Position: NoPosition, Effects: hard(),
			make: chain(rkp, hardware(func(l *AuthorizationList) { l.SetOctets(702, []byte{0}) }))},
		{Name: "all-applications", Change: "every app may use the key", Code: "android.all_applications", Class: attest.Abuse, Position: NoPosition, Effects: rejects(),
			make: chain(rkp, hardware(func(l *AuthorizationList) { l.SetNull(600) }))},
		{Name: "all-applications-software", Change: "the same, in softwareEnforced", Code: "android.all_applications", Class: attest.Abuse, Position: NoPosition, Effects: rejects(),
			make: chain(rkp, software(func(l *AuthorizationList) { l.SetNull(600) }))},
		{Name: "all-applications-odd", Change: "tag 600 holds an INTEGER instead of NULL: present all the same", Code: "android.all_applications", Class: attest.Abuse, Position: NoPosition, Effects: rejects(),
			make: chain(rkp, hardware(func(l *AuthorizationList) { l.SetInteger(600, 0) }))},
		{Name: "purpose-no-sign", Change: "the key may verify, not sign", Code: "android.purpose", Class: attest.PolicyClass, Position: NoPosition, Effects: rejects(),
			make: chain(rkp, hardware(func(l *AuthorizationList) { l.SetIntegers(1, 3) }))},
		{Name: "purpose-attest", Change: "the key may attest others", Code: "android.purpose", Class: attest.PolicyClass, Position: NoPosition, Effects: rejects(),
			make: chain(rkp, hardware(func(l *AuthorizationList) { l.SetIntegers(1, 2, 7) }))},
		{Name: "purpose-absent", Change: "no purposes", Code: "android.purpose", Class: attest.PolicyClass, Position: NoPosition, Effects: rejects(),
			make: chain(rkp, hardware(func(l *AuthorizationList) { l.Remove(1) }))},

		{Name: "boot-missing", Change: "no rootOfTrust", Code: "android.boot_missing", Class: attest.Environment, Position: NoPosition, Effects: rejects(),
			make: chain(rkp, hardware(func(l *AuthorizationList) { l.Remove(704) }))},
		{Name: "boot-in-software", Change: "a rootOfTrust that the hardware does not vouch for", Code: "android.boot_missing", Class: attest.Environment, Position: NoPosition, Effects: rejects(),
			make: chain(rkp, hardware(func(l *AuthorizationList) { l.Remove(704) }), software(func(l *AuthorizationList) { l.SetDER(704, good.DER()) }))},
		{Name: "boot-unlocked", Change: "the boot loader is unlocked", Code: "android.boot_unlocked", Class: attest.Environment, Position: NoPosition, Effects: rejects(),
			make: chain(rkp, rootOfTrust(state(0, false)))},
		{Name: "boot-unverified", Change: "unlocked phone that says so: Unverified, a key of zeros", Code: "android.boot_state", Class: attest.Environment, Position: NoPosition, Effects: rejects(),
			make: chain(rkp, rootOfTrust(RootOfTrust{VerifiedBootKey: make([]byte, 32), VerifiedBootState: 2, VerifiedBootHash: demoBootHash()}))},
		{Name: "boot-key-empty", Change: "unlocked phone without a boot key", Code: "android.boot_state", Class: attest.Environment, Position: NoPosition, Effects: rejects(),
			make: chain(rkp, rootOfTrust(RootOfTrust{VerifiedBootState: 2}))},
		{Name: "boot-self-signed", Change: "own operating system, locked, whose key nobody listed", Code: "android.boot_state", Class: attest.Environment, Position: NoPosition, Effects: rejects(),
			make: chain(rkp, rootOfTrust(RootOfTrust{VerifiedBootKey: demoOwnBootKey(), DeviceLocked: true, VerifiedBootState: 1, VerifiedBootHash: demoBootHash()}))},
		{Name: "boot-self-signed-unlisted", Change: "the same, where the policy lists other keys", Code: "android.boot_state", Class: attest.Environment, Position: NoPosition, Effects: rejects(),
			set: listed, make: chain(rkp, rootOfTrust(RootOfTrust{VerifiedBootKey: demoOwnBootKey(), DeviceLocked: true, VerifiedBootState: 1, VerifiedBootHash: demoBootHash()}))},
		{Name: "boot-failed", Change: "verified boot failed", Code: "android.boot_state", Class: attest.Environment, Position: NoPosition, Effects: rejects(),
			make: chain(rkp, rootOfTrust(state(3, true)))},
		{Name: "boot-state-unknown", Change: "a boot state that nobody knows", Code: "android.boot_state", Class: attest.Environment, Position: NoPosition, Effects: rejects(),
			make: chain(rkp, rootOfTrust(state(9, true)))},
		{Name: "boot-unlocked-allowed", Change: "unlocked, and the policy takes any boot state", Code: "android.boot_unlocked", Class: attest.Environment, Position: NoPosition, Effects: warns(),
			set: anyBoot, make: chain(rkp, rootOfTrust(state(0, false)))},
		{Name: "boot-key-zero", Change: "Verified with a boot key of zeros, as on some good phones", Code: "android.boot_key_zero", Class: attest.Environment, Position: NoPosition, Effects: warns(),
			make: chain(rkp, rootOfTrust(RootOfTrust{VerifiedBootKey: make([]byte, 32), DeviceLocked: true, VerifiedBootHash: demoBootHash()}))},

		{Name: "patch-future", Change: "a patch level of three months ahead", Code: "android.patch_future", Class: attest.Environment, Position: NoPosition, Effects: warns(),
			make: chain(rkp, func(d *AndroidDraft) {
				d.Description.HardwareEnforced.SetInteger(706, patchMonth(d.Now.AddDate(0, 4, 0)))
			})},
		{Name: "patch-old", Change: "an OS patch level below the floor", Code: "android.patch_old", Class: attest.Environment, Position: NoPosition, Effects: refused(), set: floor, make: patch(706, 202308)},
		{Name: "patch-old-vendor", Change: "a vendor patch level below the floor", Code: "android.patch_old", Class: attest.Environment, Position: NoPosition, Effects: refused(), set: floor, make: patch(718, 20231205)},
		{Name: "patch-old-boot", Change: "a boot patch level below the floor", Code: "android.patch_old", Class: attest.Environment, Position: NoPosition, Effects: refused(), set: floor, make: patch(719, 20231205)},
		{Name: "patch-too-old", Change: "an OS patch level older than max_age", Code: "android.patch_old", Class: attest.Environment, Position: NoPosition, Effects: refused(), set: floor,
			make: chain(rkp, func(d *AndroidDraft) {
				d.Description.HardwareEnforced.SetInteger(706, patchMonth(d.Now.AddDate(-2, 0, 0)))
			})},
		{Name: "patch-missing", Change: "no OS patch level, and the policy has a floor", Code: "android.patch_missing", Class: attest.Honest, Position: NoPosition, Effects: refused(), set: floor,
			make: chain(rkp, hardware(func(l *AuthorizationList) { l.Remove(706) }))},
		{Name: "patch-zero", Change: "a vendor patch level of 0", Code: "android.patch_missing", Class: attest.Honest, Position: NoPosition, Effects: refused(), set: floor, make: patch(718, 0)},
		{Name: "patch-month-13", Change: "a boot patch level of month 13", Code: "android.patch_missing", Class: attest.Honest, Position: NoPosition, Effects: refused(), set: floor, make: patch(719, 20261305)},
		{Name: "patch-nine-digits", Change: "a vendor patch level of nine digits", Code: "android.patch_missing", Class: attest.Honest, Position: NoPosition, Effects: refused(), set: floor, make: patch(718, 202601050)},
		{Name: "patch-zero-no-floor", Change: "a vendor patch level of 0 where the policy has no floor", make: patch(718, 0)},
		{Name: "patch-day-zero", Change: "a vendor patch level of the floor's month, day 00: not stated, not compared", set: floor, make: patch(718, 20240100)},
		{Name: "patch-with-floor", Change: "good phone under a policy with floors", set: floor, make: chain(rkp)},
		{Name: "os-version-old", Change: "Android 13, and the policy wants 14", Code: "android.os_version", Class: attest.Environment, Position: NoPosition, Effects: refused(),
			set: map[string]string{"min_os_version": `"14"`}, make: patch(705, 130000)},
		{Name: "os-version-absent", Change: "no OS version, and the policy wants 14", Code: "android.os_version", Class: attest.Environment, Position: NoPosition, Effects: refused(),
			set: map[string]string{"min_os_version": `"14"`}, make: chain(rkp, hardware(func(l *AuthorizationList) { l.Remove(705) }))},
		{Name: "os-version-equal", Change: "Android 14, and the policy wants 14", set: map[string]string{"min_os_version": `"14"`}, make: patch(705, 140000)},
	}
}
