package attest_test

import (
	"testing"

	"github.com/staunchid/staunch/attest"
)

// TestCountry: what an edge writes is a country of ISO 3166-1, or unknown.
func TestCountry(t *testing.T) {
	for given, want := range map[string]string{
		"JP": "JP", "jp": "JP", "Jp": "JP", "AD": "AD", "ZW": "ZW", "gb": "GB",
		"":     "ZZ",
		"ZZ":   "ZZ",
		"XX":   "ZZ", // unknown to an edge
		"T1":   "ZZ", // Tor
		"UK":   "ZZ", // exceptionally reserved; the country is GB
		"AA":   "ZZ", // user-assigned
		"QM":   "ZZ",
		"XK":   "ZZ",
		"??":   "ZZ",
		"J":    "ZZ",
		"J ":   "ZZ",
		" J":   "ZZ",
		"  ":   "ZZ",
		"JPN":  "ZZ",
		"D AE": "ZZ",
		"é":    "ZZ", // two bytes
		"ﬁ":    "ZZ", // FI in capital letters
		"ſe":   "ZZ", // SE in capital letters
		"\xff": "ZZ",
	} {
		if got := attest.Country(given); got != want {
			t.Errorf("%q: %s, want %s", given, got, want)
		}
	}
	n := 0
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			if attest.Country(string(a)+string(b)) != attest.CountryUnknown {
				n++
			}
		}
	}
	if n != 249 {
		t.Errorf("%d countries, want the 249 of ISO 3166-1", n)
	}
}
