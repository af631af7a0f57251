package web_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rows finds the errors and their reasons in a table of either package.
func rows(t *testing.T, file, pattern string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(data), -1) {
		out[m[1]] = m[2]
	}
	if len(out) < 20 {
		t.Fatalf("%s: only %d rows are found", file, len(out))
	}
	return out
}

// TestReasonsAreThoseOfTheAPI: an error has one reason, on a page and over the
// API, and each that a browser can bring about has words.
func TestReasonsAreThoseOfTheAPI(t *testing.T) {
	api := rows(t, "../rpc/errors.go", `\{((?:integrity|passkey|account|transfer)\.Err\w+), connect\.Code\w+, "(\w+)"`)
	ours := rows(t, "explain.go", `\{((?:integrity|passkey|account|transfer)\.Err\w+), http\.Status\w+, "(\w+)"`)
	phones := []string{ // what a browser has no part in
		"integrity.ErrProofInvalid", "integrity.ErrDeviceUntrusted", "integrity.ErrDeviceKeyKnown",
		"account.ErrRefused", // by its Why
		"integrity.ErrApprovalOther", "integrity.ErrApprovalApart", "transfer.ErrMalformed", "transfer.ErrProof", "transfer.ErrUntrusted",
		"transfer.ErrTooEarly", "transfer.ErrIncomplete", "transfer.ErrConflict", "transfer.ErrLive", "transfer.ErrWindow", "transfer.ErrQuota",
	}
	for name, reason := range api {
		switch {
		case slices.Contains(phones, name):
		case ours[name] == "":
			t.Errorf("explain.go has no row for %s", name)
		case ours[name] != reason:
			t.Errorf("%s is %s on a page and %s over the API", name, ours[name], reason)
		}
	}
	whys := rows2(t, "../account/refused.go", `\n\t(Why\w+)`)
	text, err := os.ReadFile("explain.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, why := range whys {
		if slices.Contains([]string{"WhyUnset", "WhyUnknown", "WhyFrom"}, why) { // ACTION_REFUSED
			continue
		}
		if !strings.Contains(string(text), "case account."+why+":") {
			t.Errorf("explain.go has no words for %s", why)
		}
	}
}

func rows2(t *testing.T, file, pattern string) (out []string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(data), -1) {
		out = append(out, m[1])
	}
	if len(out) == 0 {
		t.Fatalf("%s: nothing is found", file)
	}
	return out
}
