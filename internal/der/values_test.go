package der_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/staunchid/staunch/internal/der"
)

func TestUint64(t *testing.T) {
	for _, c := range []struct {
		in   string
		want uint64
		ok   bool
	}{
		{"02 01 00", 0, true},
		{"02 01 7f", 127, true},
		{"02 02 0080", 128, true},
		{"0a 01 02", 2, true}, // ENUMERATED
		{"02 08 7fffffffffffffff", math.MaxInt64, true},
		{"02 09 00ffffffffffffffff", math.MaxUint64, true},
		{"02 00", 0, false},
		{"02 01 80", 0, false},
		{"02 01 ff", 0, false},
		{"02 02 007f", 0, false},
		{"02 02 0000", 0, false},
		{"02 09 010000000000000000", 0, false},
		{"02 0a 00ffffffffffffffffff", 0, false},
		{"04 01 00", 0, false},
		{"82 01 00", 0, false},
		{"01 01 00", 0, false},
	} {
		got, err := next(t, unhex(t, c.in)).Uint64()
		if (err == nil) != c.ok || got != c.want || err != nil && !errors.Is(err, der.ErrSyntax) {
			t.Errorf("%s: %d, %v", c.in, got, err)
		}
	}
}

func TestBool(t *testing.T) {
	for _, c := range []struct {
		in               string
		value, exact, ok bool
	}{
		{"01 01 00", false, true, true},
		{"01 01 ff", true, true, true},
		{"01 01 01", true, false, true}, // written by good phones
		{"01 01 80", true, false, true},
		{"01 00", false, false, false},
		{"01 02 ff00", false, false, false},
		{"02 01 ff", false, false, false},
		{"81 01 ff", false, false, false},
	} {
		value, exact, err := next(t, unhex(t, c.in)).Bool()
		if (err == nil) != c.ok || value != c.value || exact != c.exact || err != nil && !errors.Is(err, der.ErrSyntax) {
			t.Errorf("%s: %v, exact %v, %v", c.in, value, exact, err)
		}
	}
}

// timeElement is a time of either type.
func timeElement(t testing.TB, tag byte, text string) der.Element {
	t.Helper()
	return next(t, append([]byte{tag, byte(len(text))}, text...))
}

func TestTime(t *testing.T) {
	utc, general := byte(der.UTCTime), byte(der.GeneralizedTime)
	for _, c := range []struct {
		tag   byte
		text  string
		want  string
		exact bool
	}{
		{utc, "261121120000Z", "2026-11-21T12:00:00Z", true},
		{utc, "700101000000Z", "1970-01-01T00:00:00Z", true},
		{utc, "691231235959Z", "1969-12-31T23:59:59Z", true}, // a clock behind 1970 exists on good phones
		{utc, "500101000000Z", "1950-01-01T00:00:00Z", true}, // RFC 5280, Section 4.1.2.5.1
		{utc, "491231235959Z", "2049-12-31T23:59:59Z", true},
		{utc, "000229000000Z", "2000-02-29T00:00:00Z", true},
		{utc, "680229000000Z", "1968-02-29T00:00:00Z", true},
		{utc, "2611211200Z", "2026-11-21T12:00:00Z", false}, // without seconds
		{utc, "5001010000Z", "1950-01-01T00:00:00Z", false},
		{general, "20500101000000Z", "2050-01-01T00:00:00Z", true},
		{general, "21060207062815Z", "2106-02-07T06:28:15Z", true},
		{general, "99991231235959Z", "9999-12-31T23:59:59Z", true},
		{general, "20491231235959Z", "2049-12-31T23:59:59Z", false},
		{general, "19691231235959Z", "1969-12-31T23:59:59Z", false},
		{general, "00010101000000Z", "0001-01-01T00:00:00Z", false},
	} {
		got, exact, err := timeElement(t, c.tag, c.text).Time()
		if err != nil || got.Format(time.RFC3339) != c.want || exact != c.exact || got.Location() != time.UTC {
			t.Errorf("%s: %s, exact %v, %v; want %s, %v", c.text, got, exact, err, c.want, c.exact)
		}
	}
	for _, c := range []struct {
		tag  byte
		text string
	}{
		{utc, ""}, {utc, "261121120000"}, {utc, "26112112000"}, {utc, "261121120000z"},
		{utc, "261121120000+0900"}, {utc, "2611211200+09"}, {utc, "261321120000Z"}, {utc, "260230120000Z"},
		{utc, "261121240000Z"}, {utc, "261121126000Z"}, {utc, "26112112000.Z"}, {utc, "2611211200.1Z"}, {utc, "           Z"},
		{utc, "20261121120000Z"},
		{general, "261121120000Z"}, {general, "202611211200Z"}, {general, "20261121120000"},
		{general, "20261121120000.5Z"}, {general, "2026112112000,5"}, {general, "20261131120000Z"}, {general, "20261121120060Z"},
		{byte(der.OctetString), "261121120000Z"}, {0x80 | byte(der.UTCTime), "261121120000Z"},
	} {
		if got, exact, err := timeElement(t, c.tag, c.text).Time(); !errors.Is(err, der.ErrSyntax) || exact || !got.IsZero() {
			t.Errorf("tag %d %q: %s, %v", c.tag, c.text, got, err)
		}
	}
}

func TestBits(t *testing.T) {
	if b, err := next(t, unhex(t, "03 03 000102")).Bits(); err != nil || string(b) != "\x01\x02" {
		t.Errorf("%x, %v", b, err)
	}
	if b, err := next(t, unhex(t, "03 01 00")).Bits(); err != nil || len(b) != 0 {
		t.Errorf("empty: %x, %v", b, err)
	}
	for _, in := range []string{"03 00", "03 02 0180", "03 02 ff00", "04 02 0000", "83 02 0000"} {
		if b, err := next(t, unhex(t, in)).Bits(); !errors.Is(err, der.ErrSyntax) {
			t.Errorf("%s: %x, %v", in, b, err)
		}
	}
}

func TestOID(t *testing.T) {
	for in, want := range map[string]string{
		"06 0a 2b06010401d679020111": "1.3.6.1.4.1.11129.2.1.17",
		"06 03 551d0f":               "2.5.29.15",
		"06 01 00":                   "0.0",
		"06 01 27":                   "0.39",
		"06 01 28":                   "1.0",
		"06 01 4f":                   "1.39",
		"06 01 50":                   "2.0",
		"06 02 8837":                 "2.999",
		"06 01 7f":                   "2.47",
		"06 09 608648016503040311":   "2.16.840.1.101.3.4.3.17",
	} {
		if got, err := next(t, unhex(t, in)).OID(); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %s", in, got, err, want)
		}
	}
	for _, in := range []string{
		"06 00",                          // empty
		"06 02 2b80",                     // ends inside an arc
		"06 03 2b8001",                   // leading zeros in an arc
		"06 02 8001",                     // in the first one too
		"06 0b 2bffffffffffffffffffff7f", // an arc above 2^56
		"04 03 551d0f", "86 03 551d0f",   // not an OBJECT IDENTIFIER
	} {
		if got, err := next(t, unhex(t, in)).OID(); !errors.Is(err, der.ErrSyntax) || got != "" {
			t.Errorf("%s: %q, %v", in, got, err)
		}
	}
}

func TestSerial(t *testing.T) {
	for in, want := range map[string]string{
		"": "0", "00": "0", "0000": "0", "01": "1", "0a": "a", "00ff": "ff", "ff": "ff", "80": "80",
		"00000123": "123", "57a0bad0": "57a0bad0", "1000": "1000",
	} {
		if got := der.Serial(unhex(t, in)); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}
