package der

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Uint64 reads e as an INTEGER or ENUMERATED from 0 to 2^64-1 in its shortest
// form (X.690 §8.3.2).
func (e Element) Uint64() (uint64, error) {
	b := e.Body
	if !e.Is(Integer) && !e.Is(Enumerated) {
		return 0, fmt.Errorf("%w: an INTEGER expected, class %d tag %d found", ErrSyntax, e.Class, e.Tag)
	}
	switch {
	case len(b) == 0:
		return 0, fmt.Errorf("%w: empty INTEGER", ErrSyntax)
	case b[0]&0x80 != 0:
		return 0, fmt.Errorf("%w: negative INTEGER", ErrSyntax)
	case len(b) > 1 && b[0] == 0 && b[1]&0x80 == 0:
		return 0, fmt.Errorf("%w: INTEGER not in its shortest form", ErrSyntax)
	case len(b) > 9 || len(b) == 9 && b[0] != 0:
		return 0, fmt.Errorf("%w: INTEGER above 2^64-1", ErrSyntax)
	}
	var v uint64
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	return v, nil
}

// Bool reads e as a BOOLEAN. Every octet but 00 is TRUE; exact tells whether
// it was 00 or FF, the only ones that DER allows (X.690 §11.1).
func (e Element) Bool() (value, exact bool, err error) {
	if !e.Is(Boolean) || len(e.Body) != 1 {
		return false, false, fmt.Errorf("%w: a BOOLEAN expected, class %d tag %d found", ErrSyntax, e.Class, e.Tag)
	}
	c := e.Body[0]
	return c != 0, c == 0 || c == 0xff, nil
}

// Time reads e as a UTCTime or GeneralizedTime in UTC. exact tells whether it
// was written as RFC 5280, Section 4.1.2.5 demands: UTCTime with seconds up to
// 2049, GeneralizedTime from 2050.
func (e Element) Time() (t time.Time, exact bool, err error) {
	b := e.Body
	ok := false
	switch {
	case e.Is(UTCTime) && len(b) == len("YYMMDDhhmmssZ"):
		t, ok = date(century(b), b)
		exact = true
	case e.Is(UTCTime) && len(b) == len("YYMMDDhhmmZ"):
		t, ok = date(century(b), b)
	case e.Is(GeneralizedTime) && len(b) == len("YYYYMMDDhhmmssZ"):
		t, ok = date(100*digits(b), b[2:])
		exact = t.Year() >= 2050
	}
	if !ok {
		return time.Time{}, false, fmt.Errorf("%w: not a time", ErrSyntax)
	}
	return t, exact, nil
}

// century of the two digits of a year, RFC 5280, Section 4.1.2.5.1: 50 and more
// is 19YY.
func century(b []byte) int {
	if digits(b) >= 50 {
		return 1900
	}
	return 2000
}

// date reads YYMMDDhhmm, ss if it is there, and Z.
func date(century int, b []byte) (time.Time, bool) {
	if b[len(b)-1] != 'Z' || century < 0 {
		return time.Time{}, false
	}
	var n [6]int // year, month, day, hour, minute, second
	for i := range len(b) / 2 {
		if n[i] = digits(b[2*i:]); n[i] < 0 {
			return time.Time{}, false
		}
	}
	if n[3] > 23 || n[4] > 59 || n[5] > 59 {
		return time.Time{}, false
	}
	t := time.Date(century+n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], 0, time.UTC)
	return t, t.Month() == time.Month(n[1]) && t.Day() == n[2] // no 30th of February
}

// digits reads two decimal digits, or returns -1.
func digits(b []byte) int {
	if b[0] < '0' || b[0] > '9' || b[1] < '0' || b[1] > '9' {
		return -1
	}
	return int(b[0]-'0')*10 + int(b[1]-'0')
}

// Bits reads e as a BIT STRING of whole octets.
func (e Element) Bits() ([]byte, error) {
	if !e.Is(BitString) || len(e.Body) == 0 || e.Body[0] != 0 {
		return nil, fmt.Errorf("%w: a BIT STRING of whole octets expected", ErrSyntax)
	}
	return e.Body[1:], nil
}

// OID returns the dotted form of e's contents octets, or an error if e is not
// an OBJECT IDENTIFIER. Constants are compared as contents octets instead:
// string(e.Body) == oid.
func (e Element) OID() (string, error) {
	b := e.Body
	if !e.Is(ObjectID) || len(b) == 0 || b[len(b)-1]&0x80 != 0 {
		return "", fmt.Errorf("%w: an OBJECT IDENTIFIER expected", ErrSyntax)
	}
	var s strings.Builder
	var arc uint64
	start := true
	for _, c := range b {
		if start && c == 0x80 || arc > 1<<56 {
			return "", fmt.Errorf("%w: bad arc in OBJECT IDENTIFIER %x", ErrSyntax, b)
		}
		arc = arc<<7 | uint64(c&0x7f)
		if start = c&0x80 == 0; !start {
			continue
		}
		if s.Len() == 0 { // X.690 §8.19.4: the first two arcs share an octet
			first := min(arc/40, 2)
			s.WriteString(strconv.FormatUint(first, 10))
			arc -= 40 * first
		}
		s.WriteByte('.')
		s.WriteString(strconv.FormatUint(arc, 10))
		arc = 0
	}
	return s.String(), nil
}

// Serial returns the contents octets of an INTEGER as the attestation status
// list writes serials: unsigned octets in lower-case hex without leading
// zeros, "0" for zero.
func Serial(octets []byte) string {
	s := strings.TrimLeft(hex.EncodeToString(octets), "0")
	if s == "" {
		return "0"
	}
	return s
}
