package main

import (
	"path/filepath"
	"regexp"
	"testing"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/android"
)

// TestEveryCheckHasAMutation: each code of class abuse and each check that an
// exception can relax has a patch, and no patch names a code that there is not.
func TestEveryCheckHasAMutation(t *testing.T) {
	patches, err := readPatches(filepath.Join("..", "..", directory), regexp.MustCompile(""))
	if err != nil {
		t.Fatal(err)
	}
	mutated := map[string]bool{}
	isCode := regexp.MustCompile(`^(common|android|apple)\.`)
	for _, p := range patches {
		mutated[p.code] = true
		if _, known := attest.LookupCode(p.code); isCode.MatchString(p.code) && !known {
			t.Errorf("%s: there is no code %s", p.name, p.code)
		}
	}
	for _, c := range attest.Codes() {
		if c.Class == attest.Abuse && !mutated[c.Name] {
			t.Errorf("no patch for %s: %s", c.Name, c.Meaning)
		}
	}
	for _, check := range []android.Check{
		android.CheckLeafValidity, android.CheckCertExpired, android.CheckCABit, android.CheckKeyCertSign, android.CheckPathLength,
		android.CheckCriticalExtension, android.CheckCertEncoding, android.CheckIssuerName, android.CheckRootMissing,
	} {
		if code := "android." + string(check); !mutated[code] {
			t.Errorf("no patch for %s", code)
		}
	}
}
