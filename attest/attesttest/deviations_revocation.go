package attesttest

import (
	"time"

	"github.com/staunchid/staunch/attest"
)

// revocationDeviations are about Google's attestation status list.
func revocationDeviations() []Deviation {
	listed := func(phone func(*AndroidPhone), position int, serial []byte, entries ...[2]string) maker {
		return chain(phone, at(position, func(c *Certificate) {
			if serial != nil {
				c.Serial = serial
			}
		})).then(func(s *Sample) { s.StatusList = statusList(s.At, time.Hour, entries...) })
	}
	serial := []byte{0x57, 0xa0, 0xba, 0xd1}
	short := []byte{0x07, 0xa0, 0xba, 0xd1}
	return []Deviation{
		{Name: "revoked-batch", Change: "the batch certificate is REVOKED: its key has leaked", Code: "android.revoked", Class: attest.Abuse, Position: 1, Effects: hard(),
			make: listed(factory, 1, serial, [2]string{"57a0bad1", "REVOKED"})},
		{Name: "revoked-issuer", Change: "the factory's certificate is REVOKED", Code: "android.revoked", Class: attest.Abuse, Position: 2, Effects: hard(),
			make: listed(factory, 2, serial, [2]string{"57a0bad1", "REVOKED"})},
		{Name: "revoked-rkp-batch", Change: "the rkp batch certificate is REVOKED", Code: "android.revoked", Class: attest.Abuse, Position: 1, Effects: hard(),
			make: listed(rkp, 1, serial, [2]string{"57a0bad1", "REVOKED"})},
		{Name: "revoked-root", Change: "the root's serial is REVOKED", Code: "android.revoked", Class: attest.Abuse, Position: 3, Effects: hard(),
			make: listed(factory, 3, nil, [2]string{"57a0c4de01", "REVOKED"})},
		{Name: "revoked-upper-case", Change: "the list writes the serial in upper case with zeros in front", Code: "android.revoked", Class: attest.Abuse, Position: 1, Effects: hard(),
			make: listed(factory, 1, short, [2]string{"0007A0BAD1", "REVOKED"})},
		{Name: "revoked-short", Change: "the list writes the serial with an odd number of digits", Code: "android.revoked", Class: attest.Abuse, Position: 1, Effects: hard(),
			make: listed(factory, 1, short, [2]string{"7a0bad1", "REVOKED"})},
		{Name: "revoked-decimal-look", Change: "a serial that looks decimal is hex all the same", Code: "android.revoked", Class: attest.Abuse, Position: 1, Effects: hard(),
			make: listed(factory, 1, []byte{0x14, 0x87, 0x20, 0x62}, [2]string{"14872062", "REVOKED"})},
		{Name: "revoked-padded-serial", Change: "the certificate writes its serial with an octet of zeros in front", Code: "android.revoked", Class: attest.Abuse, Position: 1, Effects: hard(),
			make: listed(factory, 1, []byte{0, 0x57, 0xa0, 0xba, 0xd1}, [2]string{"57a0bad1", "REVOKED"})},
		{Name: "revoked-negative-serial", Change: "the certificate's serial is negative: its octets count", Code: "android.revoked", Class: attest.Abuse, Position: 1, Effects: hard(),
			make: listed(factory, 1, []byte{0xd7, 0xa0, 0xba, 0xd1}, [2]string{"d7a0bad1", "REVOKED"})},
		{Name: "listed-leaf-serial", Change: "the list has serial 1, which every leaf has: leafs are not looked up",
			make: listed(rkp, 1, serial, [2]string{"1", "REVOKED"})},
		{Name: "suspended-batch", Change: "the batch certificate is SUSPENDED", Code: "android.suspended", Class: attest.PolicyClass, Position: 1, Effects: warns(),
			make: listed(factory, 1, serial, [2]string{"57a0bad1", "SUSPENDED"})},
		{Name: "suspended-batch-refused", Change: "the same, and the policy refuses SUSPENDED", Code: "android.suspended", Class: attest.PolicyClass, Position: 1, Effects: rejects(),
			set: map[string]string{"suspended": `"reject"`}, make: listed(factory, 1, serial, [2]string{"57a0bad1", "SUSPENDED"})},
		{Name: "status-unknown-text", Change: "the list has a status text that nobody knows", Code: "android.status_value", Class: attest.PolicyClass, Position: 1, Effects: warns(),
			make: listed(factory, 1, serial, [2]string{"57a0bad1", "UNDER_REVIEW"})},
		{Name: "status-missing", Change: "the server has no list", Code: "android.status_unavailable", Class: attest.PolicyClass, Position: NoPosition,
			Effects: Effects{attest.Reject, attest.Reject, attest.Note},
			make:    chain(rkp).then(func(s *Sample) { s.StatusList = nil })},
		{Name: "status-old", Change: "the list is older than warn_age", Code: "android.status_stale", Class: attest.PolicyClass, Position: NoPosition, Effects: Effects{attest.Warn, attest.Warn, Silent},
			make: chain(rkp).then(func(s *Sample) { s.StatusList = statusList(s.At, 24*time.Hour) })},
		{Name: "status-stale", Change: "the list is older than max_age", Code: "android.status_stale", Class: attest.PolicyClass, Position: NoPosition, Effects: refused(),
			make: chain(rkp).then(func(s *Sample) { s.StatusList = statusList(s.At, 100*24*time.Hour) })},
	}
}
