package attesttest

import (
	"bytes"
	"math/big"

	"github.com/staunchid/staunch/attest"
)

// descriptionDeviations are about reading a KeyDescription as phones write it.
func descriptionDeviations() []Deviation {
	var out []Deviation
	for _, r := range []struct {
		name, change string
		edit         AndroidOption
	}{
		{"not-a-sequence", "an OCTET STRING", description(derOctets([]byte("no")))},
		{"empty", "an empty SEQUENCE", description(tlv(tagSequence))},
		{"garbage", "no DER at all", description([]byte{0x30, 0x84, 0xff})},
		{"trailing", "bytes behind it", func(d *AndroidDraft) { d.Description.DER = append(d.Description.encode(), 0) }},
		{"list-missing", "no hardwareEnforced", func(d *AndroidDraft) {
			d.Description.DER = tlv(tagSequence,
				derInteger(tagInteger, 400), derInteger(tagEnumerated, 1), derInteger(tagInteger, 400), derInteger(tagEnumerated, 1),
				derOctets(d.Description.AttestationChallenge), derOctets(nil), d.Description.SoftwareEnforced.encode())
		}},
		{"level-unknown", "security level 3", func(d *AndroidDraft) { d.Description.AttestationSecurityLevel = 3 }},
		{"keymint-level-unknown", "KeyMint security level 7", func(d *AndroidDraft) { d.Description.KeyMintSecurityLevel = 7 }},
		{"version-negative", "attestation version -1", func(d *AndroidDraft) { d.Description.AttestationVersion = -1 }},
		{"length-not-minimal", "a length that is not minimal", func(d *AndroidDraft) {
			body := d.Description.encode()
			d.Description.DER = append([]byte{tagSequence, 0x83, 0}, body[2:]...)
		}},
		{"length-indefinite", "an indefinite length", func(d *AndroidDraft) {
			body := d.Description.encode()
			d.Description.DER = append(append([]byte{tagSequence, 0x80}, body[4:]...), 0, 0)
		}},
		{"tag-too-large", "a tag number above 2^24", hardware(func(l *AuthorizationList) { l.Append(1<<25, derNull()) })},
		{"tag-twice", "tag 702 twice in one list: one generated, one imported", hardware(func(l *AuthorizationList) {
			l.Append(702, derInteger(tagInteger, 2))
		})},
		{"tag-twice-software", "tag 709 twice in one list", software(func(l *AuthorizationList) {
			l.Append(709, ApplicationID{}.DER())
		})},
	} {
		out = append(out, Deviation{Name: "description-" + r.name, Change: "the description: " + r.change, Code: "android.kd_malformed", Class: attest.Honest,
			Position: 0, Effects: hard(), make: chain(rkp, r.edit)})
	}
	for _, r := range []struct {
		name, change string
		edit         AndroidOption
	}{
		{"unordered", "tags out of order", hardware(func(l *AuthorizationList) { (*l)[0], (*l)[1] = (*l)[1], (*l)[0] })},
		{"locked-01", "deviceLocked is BOOLEAN 01", hardware(func(l *AuthorizationList) {
			l.SetDER(704, RootOfTrust{VerifiedBootKey: demoBootKey(), DeviceLocked: true, DeviceLockedOctet: 1, VerifiedBootHash: demoBootHash()}.DER())
		})},
		{"purpose-unsorted", "purposes in the wrong order", hardware(func(l *AuthorizationList) { l.SetIntegers(1, 3, 2) })},
		{"packages-unsorted", "packages in the wrong order", software(func(l *AuthorizationList) {
			l.SetDER(709, ApplicationID{[]Package{{DemoPackage, DemoVersionCode + 1}, {DemoPackage, DemoVersionCode}}, [][]byte{demoSigner()}}.DER())
		})},
	} {
		out = append(out, Deviation{Name: "description-" + r.name, Change: "the description: " + r.change, Code: "android.kd_encoding", Class: attest.Honest,
			Position: 0, Effects: notes(), make: chain(rkp, r.edit)})
	}
	for _, r := range []struct {
		name, change string
		edit         AndroidOption
	}{
		{"brand-not-text", "a brand that is not UTF-8", hardware(func(l *AuthorizationList) { l.SetOctets(710, []byte{0xff, 0xfe}) })},
		{"brand-integer", "a brand that is an INTEGER", hardware(func(l *AuthorizationList) { l.SetInteger(710, 5) })},
		{"integer-too-large", "a date of 2^64", hardware(func(l *AuthorizationList) {
			l.SetDER(401, bigInteger(new(big.Int).Lsh(big.NewInt(1), 64)))
		})},
		{"integer-negative", "a negative date", hardware(func(l *AuthorizationList) { l.SetInteger(400, -1) })},
		{"purpose-of-octets", "digests that are an OCTET STRING", hardware(func(l *AuthorizationList) { l.SetOctets(5, []byte{4}) })},
	} {
		out = append(out, Deviation{Name: "description-" + r.name, Change: "the description: " + r.change, Code: "android.kd_field_unusable", Class: attest.Honest,
			Position: 0, Effects: notes(), make: chain(rkp, r.edit)})
	}
	return append(out,
		Deviation{Name: "description-largest-integer", Change: "a date of 2^64 - 1", make: chain(rkp, hardware(func(l *AuthorizationList) {
			l.SetDER(401, bigInteger(new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 64), big.NewInt(1))))
		}))},
		Deviation{Name: "description-unknown-tag", Change: "a tag of next year", Code: "android.kd_unknown_tag", Class: attest.PolicyClass, Position: 0, Effects: notes(),
			make: chain(rkp, hardware(func(l *AuthorizationList) { l.SetInteger(731, 1) }))},
		Deviation{Name: "description-version-unknown", Change: "attestation version 600", Code: "android.kd_version_unknown", Class: attest.PolicyClass, Position: 0, Effects: notes(),
			make: chain(rkp, func(d *AndroidDraft) { d.Description.AttestationVersion, d.Description.KeyMintVersion = 600, 600 })},
		Deviation{Name: "description-all-tags", Change: "every tag that is known and harms nobody", make: chain(rkp, hardware(func(l *AuthorizationList) {
			l.SetIntegers(4, 1)
			l.SetNull(7)
			l.SetInteger(8, 128)
			l.SetIntegers(203, 4)
			l.SetNull(303)
			l.SetNull(305)
			l.SetInteger(402, 4102444800000)
			l.SetInteger(405, 3)
			l.SetInteger(502, 1)
			l.SetInteger(504, 2)
			l.SetInteger(505, 30)
			l.SetNull(506)
			l.SetNull(507)
			l.SetNull(508)
			l.SetNull(509)
			l.SetOctets(601, []byte("app"))
			l.SetNull(703)
			l.SetNull(720)
		}))},
		Deviation{Name: "description-identifiers", Change: "serial numbers of the device, which are never stored", make: chain(rkp, func(d *AndroidDraft) {
			d.Description.UniqueID = bytes.Repeat([]byte{7}, 16)
			l := &d.Description.HardwareEnforced
			l.SetOctets(713, []byte("SERIAL0001"))
			l.SetOctets(714, []byte("490154203237518"))
			l.SetOctets(715, []byte("A10000009296F2"))
			l.SetOctets(723, []byte("490154203237526"))
		})},
	)
}

func description(der []byte) AndroidOption {
	return func(d *AndroidDraft) { d.Description.DER = der }
}
