package attesttest

import (
	"encoding/asn1"
	"time"

	"github.com/staunchid/staunch/attest"
)

// pathDeviations depart from RFC 5280, Section 6.1, without harm to authenticity:
// what phones in the field do, and what exceptions are for.
func pathDeviations() []Deviation {
	return []Deviation{
		{Name: "leaf-of-1970", Change: "the clock was never set: the leaf was valid for a while in 1970", Code: "android.leaf_validity", Class: attest.Honest, Position: 0, Effects: byRule(), Check: "leaf_validity",
			make: chain(factory, leafDates(day(1970, 1, 1), day(1980, 1, 1)))},
		{Name: "leaf-of-1969", Change: "the leaf ended a second before 1970, as on some emulators and phones", Code: "android.leaf_validity", Class: attest.Honest, Position: 0, Effects: byRule(), Check: "leaf_validity",
			make: chain(factory, leafDates(day(1969, 1, 1), day(1970, 1, 1).Add(-time.Second)))},
		{Name: "leaf-of-2016", Change: "the clock stands in 2016", Code: "android.leaf_validity", Class: attest.Honest, Position: 0, Effects: byRule(), Check: "leaf_validity",
			make: chain(factory, leafDates(day(2013, 1, 1), day(2016, 12, 31)))},
		{Name: "leaf-of-tomorrow", Change: "the clock is ahead: the leaf is not valid yet", Code: "android.leaf_validity", Class: attest.Honest, Position: 0, Effects: byRule(), Check: "leaf_validity",
			make: chain(rkp, func(d *AndroidDraft) { d.Leaf().NotBefore = d.Now.Add(24 * time.Hour) })},

		{Name: "factory-batch-expired", Change: "the batch certificate expired; the phone cannot get another", Code: "android.cert_expired", Class: attest.Honest, Position: 1, Effects: byRule(), Check: "cert_expired",
			make: chain(factory, expired(1, year))},
		{Name: "factory-issuer-expired", Change: "the factory's certificate expired", Code: "android.cert_expired", Class: attest.Honest, Position: 2, Effects: byRule(), Check: "cert_expired",
			make: chain(factory, expired(2, 10*year))},
		{Name: "rkp-batch-expired", Change: "a second after the end of the batch certificate: the app makes a new key", Code: "android.cert_expired", Class: attest.Honest, Position: 1, Effects: hard(),
			make: chain(rkp, expired(1, time.Second))},
		{Name: "rkp-issuer-expired", Change: "Droid CA3 expired", Code: "android.cert_expired", Class: attest.Honest, Position: 2, Effects: hard(),
			make: chain(rkp, expired(2, time.Hour))},
		{Name: "unprovisioned-expired", Change: "chain of kind none, expired", Code: "android.cert_expired", Class: attest.Honest, Position: 1, Effects: hard(),
			make: chain(unprovisioned, expired(1, time.Hour))},
		{Name: "rkp-batch-future", Change: "the batch certificate is not valid yet", Code: "android.cert_not_yet_valid", Class: attest.Honest, Position: 1, Effects: hard(),
			make: chain(rkp, future(1))},
		{Name: "factory-batch-future", Change: "the factory's batch certificate is not valid yet", Code: "android.cert_not_yet_valid", Class: attest.Honest, Position: 1, Effects: hard(),
			make: chain(factory, future(1))},

		{Name: "batch-not-ca", Change: "the batch certificate says cA=FALSE", Code: "android.ca_bit", Class: attest.Honest, Position: 1, Effects: byRule(), Check: "ca_bit",
			make: chain(factory, at(1, setBasicConstraints(basicConstraints(false, -1))))},
		{Name: "batch-without-constraints", Change: "the batch certificate has no BasicConstraints", Code: "android.ca_bit", Class: attest.Honest, Position: 1, Effects: byRule(), Check: "ca_bit",
			make: chain(factory, at(1, func(c *Certificate) { c.RemoveExtension(oidBasicConstraints()) }))},
		{Name: "issuer-not-ca", Change: "the factory's certificate is no CA: no exception for position 2", Code: "android.ca_bit", Class: attest.Honest, Position: 2, Effects: byRule(),
			make: chain(factory, at(2, setBasicConstraints(basicConstraints(false, -1))))},
		{Name: "rkp-batch-not-ca", Change: "the rkp batch certificate is no CA: no exception for rkp", Code: "android.ca_bit", Class: attest.Honest, Position: 1, Effects: byRule(),
			make: chain(rkp, at(1, setBasicConstraints(basicConstraints(false, -1))))},

		{Name: "batch-key-usage", Change: "the batch certificate may sign messages, but no certificates", Code: "android.key_cert_sign", Class: attest.Honest, Position: 1, Effects: byRule(), Check: "key_cert_sign",
			make: chain(factory, at(1, setKeyUsage(usageDigitalSignature)))},
		{Name: "issuer-key-usage", Change: "the same at position 2, where no exception helps", Code: "android.key_cert_sign", Class: attest.Honest, Position: 2, Effects: byRule(),
			make: chain(factory, at(2, setKeyUsage(usageDigitalSignature)))},
		{Name: "rkp-batch-key-usage", Change: "the same under rkp, where no exception helps", Code: "android.key_cert_sign", Class: attest.Honest, Position: 1, Effects: byRule(),
			make: chain(rkp, at(1, setKeyUsage(usageDigitalSignature)))},
		{Name: "batch-no-key-usage", Change: "a batch certificate without KeyUsage is no deviation",
			make: chain(factory, at(1, func(c *Certificate) { c.RemoveExtension(oidKeyUsage()) }))},

		{Name: "issuer-path-length", Change: "pathLenConstraint 0 over a batch certificate", Code: "android.path_length", Class: attest.Honest, Position: 2, Effects: byRule(), Check: "path_length",
			make: chain(factory, at(2, setBasicConstraints(basicConstraints(true, 0))))},
		{Name: "rkp-path-length", Change: "pathLenConstraint 1 over two issuers, rkp: no exception", Code: "android.path_length", Class: attest.Honest, Position: 3, Effects: byRule(),
			make: chain(rkp, at(3, setBasicConstraints(basicConstraints(true, 1))))},
		{Name: "batch-path-length-zero", Change: "pathLenConstraint 0 over the leaf is no deviation",
			make: chain(factory, at(1, setBasicConstraints(basicConstraints(true, 0))))},

		{Name: "leaf-critical-extension", Change: "an unknown critical extension in the leaf", Code: "android.critical_extension", Class: attest.Honest, Position: 0, Effects: byRule(), Check: "critical_extension",
			make: chain(rkp, at(0, addCritical))},
		{Name: "batch-critical-extension", Change: "an unknown critical extension in the batch certificate", Code: "android.critical_extension", Class: attest.Honest, Position: 1, Effects: byRule(), Check: "critical_extension",
			make: chain(factory, at(1, addCritical))},
		{Name: "issuer-critical-extension", Change: "an unknown critical extension under the root", Code: "android.critical_extension", Class: attest.Honest, Position: 2, Effects: byRule(), Check: "critical_extension",
			make: chain(factory, at(2, addCritical))},

		{Name: "leaf-issuer-subset", Change: "the leaf names its issuer without the serial number", Code: "android.issuer_name", Class: attest.Honest, Position: 0, Effects: hard(), Check: "issuer_name",
			make: chain(factory, at(0, func(c *Certificate) { c.Issuer = Name("T", "TEE") }))},
		{Name: "root-omitted", Change: "the phone leaves out the root, factory", Code: "android.root_missing", Class: attest.Honest, Position: 3, Effects: hard(), Check: "root_missing",
			make: chain(factory, at(3, func(c *Certificate) { c.Omit = true }))},
		{Name: "rkp-root-omitted", Change: "the phone leaves out the root, rkp", Code: "android.root_missing", Class: attest.Honest, Position: 4, Effects: hard(), Check: "root_missing",
			make: chain(rkp, at(4, func(c *Certificate) { c.Omit = true }))},

		{Name: "unprovisioned", Change: "issuers that name neither a factory nor rkp", Code: "android.provisioning_unknown", Class: attest.Honest, Position: 2, Effects: warns(),
			make: chain(unprovisioned)},
		{Name: "rkp-info-unreadable", Change: "provisioning info that is no CBOR map", Code: "android.rkp_info_unreadable", Class: attest.Honest, Position: 1, Effects: notes(),
			make: chain(rkp, at(1, func(c *Certificate) { c.Extension(oidProvisioningInfo()).Value = []byte{0x83, 1} }))},
		{Name: "rkp-info-missing", Change: "a batch certificate without provisioning info",
			make: chain(rkp, at(1, func(c *Certificate) { c.RemoveExtension(oidProvisioningInfo()) }))},
	}
}

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

func leafDates(notBefore, notAfter time.Time) AndroidOption {
	return at(0, func(c *Certificate) { c.NotBefore, c.NotAfter = notBefore, notAfter })
}

func expired(position int, ago time.Duration) AndroidOption {
	return func(d *AndroidDraft) {
		c := d.Chain[position]
		c.NotAfter = d.Now.Add(-ago)
		c.NotBefore = c.NotAfter.Add(-10 * year)
	}
}

func future(position int) AndroidOption {
	return func(d *AndroidDraft) { d.Chain[position].NotBefore = d.Now.Add(time.Hour) }
}

func setBasicConstraints(e Extension) func(*Certificate) {
	return func(c *Certificate) { *c.Extension(oidBasicConstraints()) = e }
}

func setKeyUsage(bits string) func(*Certificate) {
	return func(c *Certificate) { c.Extension(oidKeyUsage()).Value = []byte(bits) }
}

func addCritical(c *Certificate) {
	c.Extensions = append(c.Extensions, Extension{OID: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}, Critical: true, Value: derNull()})
}
