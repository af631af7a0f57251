package attesttest

import (
	"bytes"
	"encoding/asn1"

	"github.com/staunchid/staunch/attest"
)

// Unreadable lists evidence of which nothing can be told: the container cannot
// be read, so there is no verdict but an error (attest.ErrMalformed; for the
// rows with class policy attest.ErrUnsupported). Effects, Code and Check are
// empty.
func Unreadable() []Deviation {
	l := &lab{}
	row := func(f attest.Format, name, change string, m maker) Deviation {
		return Deviation{Name: "unreadable-" + name, Change: change, Format: f, Position: NoPosition, make: m, lab: l}
	}
	const android, key, apple, assert, rcpt = attest.FormatAndroidChain, attest.FormatAndroidKey, attest.FormatAppleAppAttest, attest.FormatAppleAssertion, attest.FormatAppleReceipt
	object := func(m maker, edit func([]byte) []byte) maker {
		return m.then(func(s *Sample) { s.Object = edit(s.Object) })
	}
	trailing := func(b []byte) []byte { return append(b, 0) }
	half := func(b []byte) []byte { return b[:len(b)/2] }
	empty := func([]byte) []byte { return nil }
	twice := func(b []byte) []byte { // fmt once more: a map of four
		b[0]++
		return append(b, 0x63, 'f', 'm', 't', 0x60)
	}
	unknown := row(apple, "format", "a WebAuthn object of another format", attestation(iOS27, func(d *AppleDraft) { d.Format = "packed" }))
	unknown.Class = attest.PolicyClass
	rows := []Deviation{
		row(android, "leaf-garbage", "a leaf that is no certificate", chain(rkp, at(0, func(c *Certificate) { c.DER = []byte("leaf") }))),
		row(android, "leaf-trailing", "a byte behind the leaf", chain(rkp, at(0, func(c *Certificate) { c.AfterSigning = trailing }))),
		row(android, "leaf-cut", "half a leaf", chain(rkp, at(0, func(c *Certificate) { c.AfterSigning = half }))),
		row(android, "leaf-indefinite", "a leaf in BER with an indefinite length", chain(rkp, at(0, func(c *Certificate) {
			c.AfterSigning = func(der []byte) []byte { return append(append([]byte{tagSequence, 0x80}, der[4:]...), 0, 0) }
		}))),
		row(android, "issuer-length", "a batch certificate with a length that is not minimal", chain(factory, at(1, func(c *Certificate) {
			c.AfterSigning = func(der []byte) []byte { return append([]byte{tagSequence, 0x83, 0}, der[2:]...) }
		}))),
		row(android, "description-twice", "two KeyDescriptions in one leaf", chain(rkp, at(0, func(c *Certificate) {
			c.Extensions = append(c.Extensions, Extension{OID: oidKeyDescription()})
		}))),
		row(android, "constraints-twice", "two BasicConstraints in one certificate", chain(factory, at(1, func(c *Certificate) {
			c.Extensions = append(c.Extensions, basicConstraints(false, -1))
		}))),
		row(android, "time", "a date that is none", chain(rkp, at(0, func(c *Certificate) { c.NotBeforeDER = tlv(tagUTCTime, []byte("991399000000Z")) }))),
		row(android, "algorithms", "inner and outer algorithm that differ", chain(rkp, at(0, func(c *Certificate) {
			c.OuterAlgorithm = tlv(tagSequence, derOID(asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}))
		}))),
		row(key, "object-cut", "half an object", object(webAuthn(rkp), half)),
		row(key, "object-trailing", "a byte behind the object", object(webAuthn(rkp), trailing)),
		row(key, "object-twice", "a key twice in the object", object(webAuthn(rkp), twice)),
		row(apple, "attestation-cut", "half an attestation", object(attestation(iOS27), half)),
		row(apple, "attestation-empty", "nothing", object(attestation(iOS27), empty)),
		row(apple, "attestation-trailing", "a byte behind the attestation", object(attestation(iOS27), trailing)),
		row(apple, "attestation-twice", "a key twice in the attestation", object(attestation(iOS27), twice)),
		row(apple, "attestation-indefinite", "a map of indefinite length", object(attestation(iOS27), func(b []byte) []byte {
			b[0] = 0xbf
			return append(b, 0xff)
		})),
		row(apple, "attestation-leaf", "a leaf that is no certificate", attestation(iOS27, appleAt(0, func(c *Certificate) { c.DER = []byte("leaf") }))),
		unknown,
		row(assert, "assertion-cut", "half an assertion", object(assertion(iOS27), half)),
		row(assert, "assertion-signature", "no signature", object(assertion(iOS27), func(b []byte) []byte {
			return bytes.Replace(b, []byte("signature"), []byte("signatura"), 1)
		})),
		row(assert, "assertion-key", "no public key to verify it with", assertion(iOS27).then(func(s *Sample) { s.PublicKey = nil })),
		row(rcpt, "receipt-garbage", "no CMS", object(receipt(iOS27), func([]byte) []byte { return []byte("receipt") })),
		row(rcpt, "receipt-cut", "half a receipt", object(receipt(iOS27), half)),
	}
	return rows
}
