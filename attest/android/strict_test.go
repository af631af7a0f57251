package android_test

import (
	"errors"
	"testing"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/attesttest"
)

// TestStatusIsRequired: who wants to do without a status list says so.
func TestStatusIsRequired(t *testing.T) {
	chain := attested(t, attesttest.RKP)
	o := trusting(t)
	o.Status = nil
	var failure *android.Failure
	if _, err := android.Verify(chain, o, testNow()); err == nil || errors.As(err, &failure) {
		t.Errorf("without a status list: %v", err)
	}
	o.DangerousNoStatus = true
	if _, err := android.Verify(chain, o, testNow()); err != nil {
		t.Errorf("without a status list, on purpose: %v", err)
	}
}

// TestCacheComparesNames: that a batch certificate verifies under a key is in
// the cache, and its issuer is another name of that key all the same.
func TestCacheComparesNames(t *testing.T) {
	o := trusting(t)
	o.Cache = android.NewCache()
	good := attested(t, attesttest.Factory)
	if _, err := android.Verify(good, o, testNow()); err != nil {
		t.Fatal(err)
	}
	renamed := attested(t, attesttest.Factory, at(2, func(c *attesttest.Certificate) {
		c.DER, c.Subject = nil, attesttest.Name("SERIALNUMBER", "9")
	}))
	renamed[1] = good[1] // which is in the cache
	if _, err := android.Verify(renamed, o, testNow()); code(t, err) != android.CodeIssuerName {
		t.Errorf("warm: %v", err)
	}
	o.Cache = nil
	if _, err := android.Verify(renamed, o, testNow()); code(t, err) != android.CodeIssuerName {
		t.Errorf("cold: %v", err)
	}
}
