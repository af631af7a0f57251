package android_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/attesttest"
)

// Places in a certificate, RFC 5280, Section 4.1.
var (
	tbs        = []int{0}
	version    = []int{0, 0}
	serial     = []int{0, 1}
	innerAlg   = []int{0, 2}
	issuer     = []int{0, 3}
	validity   = []int{0, 4}
	subject    = []int{0, 5}
	spki       = []int{0, 6}
	extensions = []int{0, 7}
	outerAlg   = []int{1}
	signature  = []int{2}
)

// base is a batch certificate with all the extensions that are read, and no
// tolerated encoding.
func base(t testing.TB) []byte {
	t.Helper()
	return attested(t, attesttest.RKP, at(1, func(c *attesttest.Certificate) {
		c.Extensions = append(c.Extensions, attesttest.Extension{OID: oidKeyDescription()})
	}))[1]
}

// extension finds one in a certificate by the end of its OID.
func extension(n *node, last byte) *node {
	for _, e := range n.at(extensions...).at(0).kids {
		if oid := e.kids[0].body; oid[len(oid)-1] == last {
			return e
		}
	}
	return nil
}

const keyUsage, basicConstraints, keyDescription, provisioningInfo = 0x0f, 0x13, 0x11, 0x1e

func raw(b ...byte) *node { return &node{raw: b} }

func TestCertificateRefuses(t *testing.T) {
	good := base(t)
	if c, err := android.ParseCertificate(good); err != nil || len(c.Encodings()) != 0 {
		t.Fatalf("the good certificate: %v, %q", err, c.Encodings())
	}
	replace := func(path []int, b []byte) func(*node) {
		return func(n *node) { *n.at(path...) = node{raw: b} }
	}
	add := func(path []int, b []byte) func(*node) {
		return func(n *node) { n.at(path...).kids = append(n.at(path...).kids, &node{raw: b}) }
	}
	value := func(ext byte, b []byte) func(*node) {
		return func(n *node) { e := extension(n, ext); e.kids[len(e.kids)-1] = &node{raw: tlv(0x04, b)} }
	}
	twice := func(ext byte) func(*node) {
		return func(n *node) {
			list := n.at(extensions...).at(0)
			list.kids = append(list.kids, extension(n, ext))
		}
	}
	utc := tlv(0x17, []byte("261121120000Z"))
	for _, c := range []struct {
		name string
		edit func(*node)
	}{
		{"no SEQUENCE", func(n *node) { n.tag = 0x31 }},
		{"a fourth element", add(nil, null())},
		{"no signature", func(n *node) { n.kids = n.kids[:2] }},
		{"tbsCertificate that is a SET", func(n *node) { n.at(tbs...).tag = 0x31 }},
		{"signatureAlgorithm that is a SET", func(n *node) { n.at(outerAlg...).tag = 0x31 }},
		{"empty signatureAlgorithm", replace(outerAlg, sequence())},
		{"signatureAlgorithm with two parameters", add(outerAlg, slices.Concat(null(), null()))},
		{"signature with unused bits", func(n *node) { n.at(signature...).body[0] = 1 }},
		{"empty signature", replace(signature, []byte{3, 0})},
		{"signature in octets", func(n *node) { n.at(signature...).tag = 0x04 }},
		{"version 4", replace(version, explicit(0, integer(3)))},
		{"negative version", replace(version, explicit(0, integer(0xff)))},
		{"version that is no INTEGER", replace(version, explicit(0, null()))},
		{"two versions", replace(version, explicit(0, integer(2), integer(2)))},
		{"primitive version", replace(version, []byte{0x80, 1, 2})},
		{"empty serial", replace(serial, []byte{2, 0})},
		{"serial that is an ENUMERATED", replace(serial, enumerated(1))},
		{"another signature algorithm inside", func(n *node) { n.at(innerAlg...).kids[0].body[7]++ }},
		{"signature algorithm inside that is damaged", replace(innerAlg, sequence(null()))},
		{"issuer that is a SET", func(n *node) { n.at(issuer...).tag = 0x31 }},
		{"issuer with an empty RDN", replace(issuer, sequence(set()))},
		{"issuer with an RDN that is no SET", replace(issuer, sequence(sequence()))},
		{"subject with trailing bytes in an attribute", replace(subject, sequence(set(sequence(tlv(6, []byte{85, 4, 3}), tlv(12), null()))))},
		{"one date", func(n *node) { n.at(validity...).kids = n.at(validity...).kids[:1] }},
		{"three dates", add(validity, utc)},
		{"no date", replace(validity, sequence(null(), utc))},
		{"a date with an offset", replace(validity, sequence(tlv(0x17, []byte("261121120000+0000")), utc))},
		{"validity that is a SET", func(n *node) { n.at(validity...).tag = 0x31 }},
		{"subjectPublicKeyInfo that is primitive", replace(spki, []byte{0x10, 0})},
		{"extensions that are primitive", replace(extensions, []byte{0x83, 0})},
		{"extensions that are a SET", func(n *node) { n.at(extensions...).at(0).tag = 0x31 }},
		{"two lists of extensions", add(extensions, sequence())},
		{"an element behind the extensions", add(tbs, null())},
		{"extensions twice", add(tbs, explicit(3, sequence()))},
		{"an extension that is a SET", func(n *node) { extension(n, keyUsage).tag = 0x31 }},
		{"an extension without OID", func(n *node) { e := extension(n, keyUsage); e.kids = e.kids[1:] }},
		{"an extension without value", func(n *node) { e := extension(n, keyUsage); e.kids = e.kids[:len(e.kids)-1] }},
		{"an extension with two values", func(n *node) { e := extension(n, keyUsage); e.kids = append(e.kids, raw(null()...)) }},
		{"critical of two octets", func(n *node) { extension(n, keyUsage).kids[1] = raw(1, 2, 0xff, 0xff) }},
		{"an extension that we do not read, without value", add([]int{0, 7, 0}, sequence(tlv(6, []byte{0x55, 0x1d, 0x1f})))},
		{"a critical extension whose OID is none", add([]int{0, 7, 0}, sequence(tlv(6, []byte{0x80}), boolean(0xff), octets("")))},
		{"KeyUsage twice", twice(keyUsage)},
		{"BasicConstraints twice", twice(basicConstraints)},
		{"KeyDescription twice", twice(keyDescription)},
		{"provisioning info twice", twice(provisioningInfo)},
		{"KeyUsage that is no BIT STRING", value(keyUsage, octets("\x02\x04"))},
		{"KeyUsage with trailing bytes", value(keyUsage, append(bits(2, 4), 0))},
		{"BasicConstraints that is no SEQUENCE", value(basicConstraints, boolean(0xff))},
		{"BasicConstraints with trailing bytes", value(basicConstraints, append(sequence(), 0))},
		{"BasicConstraints with a third field", value(basicConstraints, sequence(boolean(0xff), integer(0), integer(0)))},
		{"cA of two octets", value(basicConstraints, sequence([]byte{1, 2, 0, 0}))},
		{"negative pathLenConstraint", value(basicConstraints, sequence(boolean(0xff), integer(0xff)))},
		{"pathLenConstraint before cA", value(basicConstraints, sequence(integer(0), boolean(0xff)))},
		{"damaged BasicConstraints", value(basicConstraints, []byte{0x30, 3, 1, 1})},
		{"an indefinite length", func(n *node) {
			b := n.at(tbs...).encode()
			*n.at(tbs...) = node{raw: slices.Concat([]byte{0x30, 0x80}, b[4:], []byte{0, 0})}
		}},
		{"a length that is not minimal", func(n *node) {
			b := n.at(tbs...).encode()
			*n.at(tbs...) = node{raw: slices.Concat([]byte{0x30, 0x83, 0}, b[2:])}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := tree(t, good)
			c.edit(n)
			if _, err := android.ParseCertificate(n.encode()); err == nil {
				t.Error("taken")
			}
		})
	}
	if _, err := android.ParseCertificate(append(slices.Clone(good), 0)); err == nil {
		t.Error("with a trailing byte: taken")
	}
	for _, b := range [][]byte{nil, {0x30}, {0x30, 0}, good[:len(good)-1]} {
		if _, err := android.ParseCertificate(b); err == nil {
			t.Errorf("%.8x: taken", b)
		}
	}
}

// TestCertificateTolerates: the rows of 2.4, each noted, and what is not read.
func TestCertificateTolerates(t *testing.T) {
	good := base(t)
	replace := func(path []int, b []byte) func(*node) {
		return func(n *node) { *n.at(path...) = node{raw: b} }
	}
	value := func(ext byte, b []byte) func(*node) {
		return func(n *node) { e := extension(n, ext); e.kids[len(e.kids)-1] = &node{raw: tlv(0x04, b)} }
	}
	critical := func(ext byte, b []byte) func(*node) {
		return func(n *node) { extension(n, ext).kids[1] = &node{raw: b} }
	}
	odd := func(b []byte) func(*node) {
		return func(n *node) { list := n.at(extensions...).at(0); list.kids = append(list.kids, raw(b...)) }
	}
	ecdsaNull := sequence(tlv(6, []byte("\x2a\x86\x48\xce\x3d\x04\x03\x02")), null())
	rsa := tlv(6, []byte("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"))
	for _, c := range []struct {
		name string
		edit func(*node)
		want string // noted; empty: nothing is
	}{
		{"critical 01", critical(keyUsage, boolean(1)), "BOOLEAN other than"},
		{"critical 80 of an extension that we do not read", odd(sequence(tlv(6, []byte{0x55, 0x1d, 0x1f}), boolean(0x80), octets(""))), "BOOLEAN other than"},
		{"critical FALSE", critical(keyUsage, boolean(0)), "DEFAULT FALSE"},
		{"cA 01", value(basicConstraints, sequence(boolean(1))), "BOOLEAN other than"},
		{"cA FALSE", value(basicConstraints, sequence(boolean(0))), "DEFAULT FALSE"},
		{"KeyUsage with too few unused bits", value(keyUsage, bits(0, 4)), "KeyUsage"},
		{"KeyUsage with too many unused bits", value(keyUsage, bits(7, 4)), "KeyUsage"},
		{"KeyUsage with an impossible number of unused bits", value(keyUsage, bits(255, 4)), "KeyUsage"},
		{"KeyUsage with an octet of zeros behind it", value(keyUsage, bits(0, 4, 0)), "KeyUsage"},
		{"KeyUsage of three octets", value(keyUsage, bits(0, 4, 0, 1)), "KeyUsage"},
		{"KeyUsage of no bits", value(keyUsage, bits(3)), "KeyUsage"},
		{"empty KeyUsage", value(keyUsage, []byte{3, 0}), "KeyUsage"},
		{"KeyUsage of no bits, minimal", value(keyUsage, bits(0)), ""},
		{"KeyUsage with decipherOnly", value(keyUsage, bits(7, 4, 0x80)), ""},
		{"ECDSA with NULL, both", func(n *node) { replace(innerAlg, ecdsaNull)(n); replace(outerAlg, ecdsaNull)(n) }, "unusual parameters"},
		{"ECDSA with NULL, outside", replace(outerAlg, ecdsaNull), "equal by OID only"},
		{"ECDSA with NULL, inside", replace(innerAlg, ecdsaNull), "equal by OID only"},
		{"RSA without NULL", func(n *node) { replace(innerAlg, sequence(rsa))(n); replace(outerAlg, sequence(rsa))(n) }, "unusual parameters"},
		{"RSA with NULL", func(n *node) {
			replace(innerAlg, sequence(rsa, null()))(n)
			replace(outerAlg, sequence(rsa, null()))(n)
		}, ""},
		{"GeneralizedTime before 2050", replace(validity, sequence(tlv(0x18, []byte("20261121120000Z")), tlv(0x17, []byte("271121120000Z")))), "date in an unusual form"},
		{"GeneralizedTime after 2050", replace(validity, sequence(tlv(0x17, []byte("261121120000Z")), tlv(0x18, []byte("21061121120000Z")))), ""},
		{"UTCTime without seconds", replace(validity, sequence(tlv(0x17, []byte("2611211200Z")), tlv(0x17, []byte("271121120000Z")))), "date in an unusual form"},
		{"NotAfter before NotBefore", replace(validity, sequence(tlv(0x17, []byte("261121120000Z")), tlv(0x17, []byte("251121120000Z")))), "notAfter before notBefore"},
		{"negative serial", replace(serial, integer(0xd7, 0xa0)), "serial number"},
		{"padded serial", replace(serial, integer(0, 0x57)), "serial number"},
		{"serial 0", replace(serial, integer(0)), ""},
		{"serial with the sign octet that it needs", replace(serial, integer(0, 0xd7)), ""},
		{"serial of 40 octets", replace(serial, tlv(2, slices.Repeat([]byte{1}, 40))), ""},
		{"unsorted SET OF in the subject", replace(subject, sequence(set(sequence(tlv(6, []byte{85, 4, 10}), tlv(12)), sequence(tlv(6, []byte{85, 4, 3}), tlv(12))))), "unsorted SET OF"},
		{"version 1 written out", replace(version, explicit(0, integer(0))), "version 1"},
		{"no version", func(n *node) { n.at(tbs...).kids = n.at(tbs...).kids[1:] }, ""},
		{"no extensions", func(n *node) { n.at(tbs...).kids = n.at(tbs...).kids[:7] }, ""},
		{"an empty list of extensions", replace(extensions, explicit(3, sequence())), ""},
		{"unique identifiers", func(n *node) {
			k := &n.at(tbs...).kids
			*k = slices.Insert(*k, 7, raw(0x81, 2, 0, 1), raw(0x82, 2, 0, 1))
		}, ""},
		{"an extension of one zero byte that we do not read, twice", func(n *node) {
			crl := sequence(tlv(6, []byte{0x55, 0x1d, 0x1f}), octets("\x00"))
			odd(crl)(n)
			odd(crl)(n)
		}, ""},
		{"provisioning info that is no CBOR", value(provisioningInfo, []byte{0xff}), ""},
		{"a KeyDescription that is no DER", value(keyDescription, []byte{0xff}), ""},
		{"a key that is no key", replace(spki, sequence()), ""},
		{"a large pathLenConstraint", value(basicConstraints, sequence(boolean(0xff), integer(0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := tree(t, good)
			c.edit(n)
			cert, err := android.ParseCertificate(n.encode())
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(cert.Encodings(), ", ")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("noted %q, want %q", got, c.want)
			}
		})
	}
}

// TestSerial: unsigned octets in hex without leading zeros, whatever the sign.
func TestSerial(t *testing.T) {
	good := base(t)
	for in, want := range map[string]string{
		"\x01": "1", "\x00": "0", "\x00\x00": "0", "\x00\xff": "ff", "\xff": "ff", "\x80\x00": "8000",
		"\x00\x00\x01\x23": "123", "\x12\x34": "1234", "\x0a": "a",
		strings.Repeat("\xab", 40): strings.Repeat("ab", 40),
	} {
		n := tree(t, good)
		*n.at(serial...) = node{raw: tlv(2, []byte(in))}
		c, err := android.ParseCertificate(n.encode())
		if err != nil || c.Serial() != want {
			t.Errorf("%x: %v, want %s", in, err, want)
		}
	}
}
