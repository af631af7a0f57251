package der_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/staunchid/staunch/internal/der"
)

// tlv writes one element; contents are shorter than 128 octets.
func tlv(tag byte, contents ...[]byte) []byte {
	body := slices.Concat(contents...)
	return append([]byte{tag, byte(len(body))}, body...)
}

func attribute(typ string, tag byte, value string) []byte {
	return tlv(0x30, tlv(0x06, []byte(typ)), tlv(tag, []byte(value)))
}

func rdn(attributes ...[]byte) []byte { return tlv(0x31, attributes...) }

func TestFormatName(t *testing.T) {
	cn := attribute(der.AttributeCN, 0x0c, "Droid CA2")
	for _, c := range []struct {
		name string
		in   []byte
		want string
	}{
		{"two RDNs", tlv(0x30, rdn(cn), rdn(attribute(der.AttributeO, 0x13, "Google LLC"))), "CN=Droid CA2, O=Google LLC"},
		{"every type", tlv(0x30, rdn(attribute(der.AttributeOU, 0x0c, "a")), rdn(attribute(der.AttributeC, 0x13, "US")),
			rdn(attribute(der.AttributeL, 0x0c, "b")), rdn(attribute(der.AttributeST, 0x0c, "c")), rdn(attribute(der.AttributeT, 0x0c, "TEE")),
			rdn(attribute(der.AttributeSerialNumber, 0x0c, "f9"))), "OU=a, C=US, L=b, ST=c, T=TEE, SERIALNUMBER=f9"},
		{"a type without a name", tlv(0x30, rdn(attribute("\x55\x04\x2a", 0x0c, "x"))), "2.5.4.42=x"},
		{"a type that is no OID", tlv(0x30, rdn(attribute("\x80", 0x0c, "x"))), "?=x"},
		{"one RDN of two attributes", tlv(0x30, rdn(cn, attribute(der.AttributeO, 0x0c, "O"))), "CN=Droid CA2, O=O"},
		{"not UTF-8", tlv(0x30, rdn(attribute(der.AttributeCN, 0x0c, "\xff"))), "CN=#0c01ff"},
		{"an OCTET STRING", tlv(0x30, rdn(attribute(der.AttributeCN, 0x04, "x"))), "CN=#040178"},
		{"a constructed value", tlv(0x30, rdn(tlv(0x30, tlv(0x06, []byte(der.AttributeCN)), tlv(0x30)))), "CN=#3000"},
		{"empty", tlv(0x30), ""},
		{"damaged", []byte{0x30, 0x05, 0x31}, ""},
	} {
		if got := der.FormatName(c.in); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestWalkName(t *testing.T) {
	cn, o := attribute(der.AttributeCN, 0x0c, "a"), attribute(der.AttributeO, 0x0c, "b")
	for _, c := range []struct {
		name   string
		in     []byte
		rdns   []int
		sorted bool
	}{
		{"empty", tlv(0x30), nil, true},
		{"two RDNs in any order", tlv(0x30, rdn(o), rdn(cn)), []int{0, 1}, true},
		{"a sorted SET OF", tlv(0x30, rdn(cn, o), rdn(cn)), []int{0, 0, 1}, true},
		{"an unsorted SET OF", tlv(0x30, rdn(o, cn)), []int{0, 0}, false},
		{"unsorted, then sorted", tlv(0x30, rdn(o, cn), rdn(cn, o)), []int{0, 0, 1, 1}, false},
	} {
		var rdns []int
		sorted, err := der.WalkName(c.in, func(i int, set, _, _ der.Element) bool {
			rdns = append(rdns, i)
			return set.Is(der.Set)
		})
		if err != nil || sorted != c.sorted || !slices.Equal(rdns, c.rdns) {
			t.Errorf("%s: %v, sorted %v, %v", c.name, rdns, sorted, err)
		}
		if again, err := der.WalkName(c.in, nil); err != nil || again != c.sorted {
			t.Errorf("%s, without a function: %v, %v", c.name, again, err)
		}
	}
	stopped := 0
	if _, err := der.WalkName(tlv(0x30, rdn(cn), rdn(o)), func(int, der.Element, der.Element, der.Element) bool {
		stopped++
		return false
	}); err != nil || stopped != 1 {
		t.Errorf("stopped after %d, %v", stopped, err)
	}
	for name, in := range map[string][]byte{
		"not a SEQUENCE":          rdn(cn),
		"trailing byte":           append(tlv(0x30, rdn(cn)), 0),
		"RDN that is no SET":      tlv(0x30, cn),
		"empty RDN":               tlv(0x30, rdn()),
		"attribute, no SEQUENCE":  tlv(0x30, rdn(tlv(0x06, []byte(der.AttributeCN)))),
		"attribute without value": tlv(0x30, rdn(tlv(0x30, tlv(0x06, []byte(der.AttributeCN))))),
		"attribute without type":  tlv(0x30, rdn(tlv(0x30, tlv(0x0c), tlv(0x0c)))),
		"attribute of three":      tlv(0x30, rdn(tlv(0x30, tlv(0x06, []byte(der.AttributeCN)), tlv(0x0c), tlv(0x0c)))),
		"damaged value":           tlv(0x30, rdn(tlv(0x30, tlv(0x06, []byte(der.AttributeCN)), []byte{0x0c, 9}))),
	} {
		if _, err := der.WalkName(in, nil); !errors.Is(err, der.ErrSyntax) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
