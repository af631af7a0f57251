package attesttest

import (
	"crypto"
	"encoding/asn1"
	"time"

	"github.com/staunchid/staunch/attest"
)

// encodingDeviations are certificates that are not quite DER (X.690, Section 10
// and 11), as good phones write them.
func encodingDeviations() []Deviation {
	rows := []struct {
		name, change string
		position     int
		make         maker
	}{
		{"critical-01", "critical is BOOLEAN 01", 0, chain(rkp, at(0, func(c *Certificate) {
			rawExtension(c, oidKeyUsage(), []byte{tagBoolean, 1, 1})
		}))},
		{"critical-01-issuer", "critical is BOOLEAN 01 in the batch certificate", 1, chain(factory, at(1, func(c *Certificate) {
			rawExtension(c, oidBasicConstraints(), []byte{tagBoolean, 1, 1})
		}))},
		{"critical-false", "critical is written out as FALSE, its DEFAULT", 0, chain(rkp, at(0, func(c *Certificate) {
			rawExtension(c, oidKeyDescription(), derBool(false))
		}))},
		{"ca-false", "cA is written out as FALSE, its DEFAULT", 0, chain(rkp, at(0, func(c *Certificate) {
			c.Extensions = append(c.Extensions, Extension{OID: oidBasicConstraints(), Critical: true, Value: tlv(tagSequence, derBool(false))})
		}))},
		{"ca-01", "cA is BOOLEAN 01", 1, chain(factory, at(1, setBasicConstraints(
			Extension{OID: oidBasicConstraints(), Critical: true, Value: tlv(tagSequence, []byte{tagBoolean, 1, 1})})))},
		{"key-usage-unused-bits", "KeyUsage with 0 unused bits where 7 are unused", 0, chain(rkp, at(0, setKeyUsage("\x03\x02\x00\x80")))},
		{"key-usage-long", "KeyUsage with an octet of zeros behind it", 0, chain(rkp, at(0, setKeyUsage("\x03\x03\x00\x80\x00")))},
		{"key-usage-padding", "KeyUsage with a bit set among the unused ones", 1, chain(factory, at(1, setKeyUsage("\x03\x02\x02\x05")))},
		{"ecdsa-null", "ECDSA algorithm with NULL as parameters", 0, chain(rkp, at(0, func(c *Certificate) {
			c.Algorithm = ecdsaWithNull()
		}))},
		{"ecdsa-null-outer", "only the outer algorithm has NULL", 0, chain(factory, at(0, func(c *Certificate) {
			c.OuterAlgorithm = ecdsaWithNull()
		}))},
		{"rsa-no-null", "RSA algorithm without NULL", 2, chain(factory, at(2, func(c *Certificate) {
			c.Algorithm = tlv(tagSequence, derOID(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}))
		}))},
		{"generalized-time", "GeneralizedTime for a year before 2050", 0, chain(rkp, func(d *AndroidDraft) {
			d.Leaf().NotBeforeDER = tlv(tagGeneralTime, []byte(d.Now.Add(-time.Hour).UTC().Format("20060102150405Z")))
		})},
		{"generalized-time-issuer", "the same in a batch certificate", 1, chain(factory, func(d *AndroidDraft) {
			d.Chain[1].NotAfterDER = tlv(tagGeneralTime, []byte(d.Now.Add(year).UTC().Format("20060102150405Z")))
		})},
		{"utc-time-minutes", "UTCTime without seconds", 0, chain(rkp, func(d *AndroidDraft) {
			d.Leaf().NotBeforeDER = tlv(tagUTCTime, []byte(d.Now.Add(-time.Hour).UTC().Format("0601021504Z")))
		})},
		{"serial-negative", "negative serial in a batch certificate", 1, chain(factory, at(1, func(c *Certificate) {
			c.Serial = []byte{0xd7, 0xa0, 0xba, 0xd1}
		}))},
		{"serial-padded", "serial with an octet of zeros in front", 1, chain(factory, at(1, func(c *Certificate) {
			c.Serial = []byte{0, 0x57, 0xa0, 0xba}
		}))},
		{"leaf-serial-negative", "negative serial in the leaf", 0, chain(rkp, at(0, func(c *Certificate) {
			c.Serial = []byte{0x80}
		}))},
		{"name-set-unsorted", "an RDN of two attributes in the wrong order", 0, chain(rkp, at(0, func(c *Certificate) {
			c.Subject = tlv(tagSequence, tlv(tagSet, attribute("O", "Android"), attribute("CN", "Key")))
		}))},
	}
	var out []Deviation
	for _, r := range rows {
		out = append(out, Deviation{Name: "cert-" + r.name, Change: r.change, Code: "android.cert_encoding", Class: attest.Honest,
			Position: r.position, Effects: byRule(), Check: "cert_encoding", make: r.make})
	}
	return append(out,
		Deviation{Name: "cert-dates-reversed", Change: "NotAfter before NotBefore: tolerated as an encoding, and outside its dates",
			Code: "android.cert_encoding", Class: attest.Honest, Position: 0, Effects: byRule(), Check: "cert_encoding", also: []string{"leaf_validity"},
			make: chain(rkp, func(d *AndroidDraft) {
				d.Leaf().NotBefore, d.Leaf().NotAfter = d.Now.Add(time.Hour), d.Now.Add(-time.Hour)
			})},
		Deviation{Name: "cert-hash-sha512", Change: "ECDSA with SHA-512 and P-256: allowed", make: chain(factory, at(0, func(c *Certificate) { c.Hash = crypto.SHA512 }))},
		Deviation{Name: "cert-leaf-2106", Change: "GeneralizedTime for 2106, as old key stores write",
			make: chain(factory, at(0, func(c *Certificate) {
				c.NotBefore, c.NotAfter = day(1970, 1, 1), time.Date(2106, 2, 7, 6, 28, 15, 0, time.UTC)
			}))},
	)
}

// rawExtension rewrites an extension with the given element as critical.
func rawExtension(c *Certificate, oid asn1.ObjectIdentifier, critical []byte) {
	e := c.Extension(oid)
	e.CriticalDER = critical
}

func ecdsaWithNull() []byte {
	return tlv(tagSequence, derOID(asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}), derNull())
}
