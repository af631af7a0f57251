package attesttest

import (
	"encoding/asn1"
	"math/big"
	"time"
)

// Identifier octets of X.690, Section 8.1.2, as far as this package writes them.
const (
	tagBoolean     = 0x01
	tagInteger     = 0x02
	tagBitString   = 0x03
	tagOctetString = 0x04
	tagNull        = 0x05
	tagOID         = 0x06
	tagEnumerated  = 0x0a
	tagUTF8String  = 0x0c
	tagUTCTime     = 0x17
	tagGeneralTime = 0x18
	tagSequence    = 0x30
	tagSet         = 0x31
)

// tlv writes one element with a one-octet identifier. It writes what it is
// told to: whether the contents are good DER is the caller's affair, because
// half of this package is about contents that are not.
func tlv(tag byte, contents ...[]byte) []byte {
	n := 0
	for _, c := range contents {
		n += len(c)
	}
	out := append([]byte{tag}, derLength(n)...)
	for _, c := range contents {
		out = append(out, c...)
	}
	return out
}

// explicit writes [number] EXPLICIT around inner, with the high tag number
// form of X.690, Section 8.1.2.4 from 31 on (KeyDescription has tags up to 724).
func explicit(number int, inner ...[]byte) []byte {
	n := 0
	for _, c := range inner {
		n += len(c)
	}
	var out []byte
	if number < 31 {
		out = []byte{0xa0 | byte(number)}
	} else {
		digits := []byte{byte(number & 0x7f)}
		for number >>= 7; number > 0; number >>= 7 {
			digits = append([]byte{0x80 | byte(number&0x7f)}, digits...)
		}
		out = append([]byte{0xbf}, digits...)
	}
	out = append(out, derLength(n)...)
	for _, c := range inner {
		out = append(out, c...)
	}
	return out
}

func derLength(n int) []byte {
	if n < 0x80 {
		return []byte{byte(n)}
	}
	b := big.NewInt(int64(n)).Bytes()
	return append([]byte{0x80 | byte(len(b))}, b...)
}

// derInteger writes n as INTEGER or, with tagEnumerated, as ENUMERATED.
func derInteger(tag byte, n int64) []byte {
	contents := []byte{byte(n)}
	for m := n >> 8; ; m >>= 8 {
		top := contents[0]
		if (m == 0 && top < 0x80) || (m == -1 && top >= 0x80) {
			return tlv(tag, contents)
		}
		contents = append([]byte{byte(m)}, contents...)
	}
}

func derBool(v bool) []byte {
	if v {
		return []byte{tagBoolean, 1, 0xff}
	}
	return []byte{tagBoolean, 1, 0}
}

func derOID(oid asn1.ObjectIdentifier) []byte {
	der, err := asn1.Marshal(oid)
	if err != nil {
		panic("attesttest: object identifier " + oid.String()) // only constants of this package get here
	}
	return der
}

func derNull() []byte { return []byte{tagNull, 0} }

func derOctets(b []byte) []byte { return tlv(tagOctetString, b) }

func derBits(b []byte) []byte { return tlv(tagBitString, []byte{0}, b) }

// derTime writes UTCTime until 2049 and GeneralizedTime from 2050 on
// (RFC 5280, Section 4.1.2.5).
func derTime(t time.Time) []byte {
	t = t.UTC()
	if y := t.Year(); y >= 1950 && y < 2050 {
		return tlv(tagUTCTime, []byte(t.Format("060102150405Z")))
	}
	return tlv(tagGeneralTime, []byte(t.Format("20060102150405Z")))
}
