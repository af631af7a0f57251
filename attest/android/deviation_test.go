package android_test

import (
	"slices"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/attesttest"
)

// found lists the deviations as "check@position".
func found(t testing.TB, a *android.Attestation) (list []string) {
	t.Helper()
	for _, d := range a.Deviations {
		if d.Detail == "" {
			t.Errorf("%s without a detail", d.Check)
		}
		list = append(list, string(d.Check)+"@"+string(rune('0'+d.Position)))
	}
	return list
}

// constrained sets BasicConstraints to this value, nil: to none.
func constrained(value []byte) func(*attesttest.Certificate) {
	return func(c *attesttest.Certificate) {
		c.RemoveExtension(oidBasicConstraints())
		if value != nil {
			c.Extensions = append(c.Extensions, attesttest.Extension{OID: oidBasicConstraints(), Critical: true, Value: value})
		}
	}
}

func usage(value []byte) func(*attesttest.Certificate) {
	return func(c *attesttest.Certificate) {
		c.RemoveExtension(oidKeyUsage())
		if value != nil {
			c.Extensions = append(c.Extensions, attesttest.Extension{OID: oidKeyUsage(), Critical: true, Value: value})
		}
	}
}

func extra(critical bool, oid ...int) func(*attesttest.Certificate) {
	return func(c *attesttest.Certificate) {
		c.Extensions = append(c.Extensions, attesttest.Extension{OID: oid, Critical: critical, Value: []byte{0}})
	}
}

// TestDeviations: 2.2, each at each position where it can occur, and beside it
// what is none.
func TestDeviations(t *testing.T) {
	factory, rkp := attesttest.Factory, attesttest.RKP
	ca := func(pathLen ...byte) []byte {
		if len(pathLen) == 0 {
			return sequence(boolean(0xff))
		}
		return sequence(boolean(0xff), integer(pathLen...))
	}
	dates := func(notBefore, notAfter time.Duration) func(*attesttest.Certificate) {
		return func(c *attesttest.Certificate) {
			c.NotBefore, c.NotAfter = testNow().Add(notBefore), testNow().Add(notAfter)
		}
	}
	leafDates := func(from, to time.Time) func(*attesttest.Certificate) {
		return func(c *attesttest.Certificate) { c.NotBefore, c.NotAfter = from, to }
	}
	date := func(year int) time.Time { return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC) }
	for _, c := range []struct {
		name string
		kind attesttest.Provisioning
		opts []attesttest.AndroidOption
		want []string
	}{
		{"leaf to this second", rkp, []attesttest.AndroidOption{at(0, dates(0, 0))}, nil},
		{"leaf that is over", rkp, []attesttest.AndroidOption{at(0, dates(-day, -time.Second))}, []string{"leaf_validity@0"}},
		{"leaf of tomorrow", rkp, []attesttest.AndroidOption{at(0, dates(time.Second, day))}, []string{"leaf_validity@0"}},
		{"leaf of 1969", factory, []attesttest.AndroidOption{at(0, leafDates(date(1969), date(1969)))}, []string{"leaf_validity@0"}},
		{"leaf from 1970 to 2106", factory, []attesttest.AndroidOption{at(0, leafDates(date(1970), date(2106)))}, nil},
		{"leaf of 2013 to 2016", factory, []attesttest.AndroidOption{at(0, leafDates(date(2013), date(2016)))}, []string{"leaf_validity@0"}},

		{"expired factory batch", factory, []attesttest.AndroidOption{at(1, dates(-2*year, -time.Second))}, []string{"cert_expired@1"}},
		{"expired factory issuer", factory, []attesttest.AndroidOption{at(2, dates(-2*year, -time.Second))}, []string{"cert_expired@2"}},
		{"both, ten years ago", factory, []attesttest.AndroidOption{at(1, dates(-20*year, -10*year)), at(2, dates(-20*year, -10*year))}, []string{"cert_expired@1", "cert_expired@2"}},
		{"issuers to this second", factory, []attesttest.AndroidOption{at(1, dates(0, 0)), at(2, dates(0, 0))}, nil},

		{"batch without constraints", factory, []attesttest.AndroidOption{at(1, constrained(nil))}, []string{"ca_bit@1"}},
		{"batch with empty constraints", factory, []attesttest.AndroidOption{at(1, constrained(sequence()))}, []string{"ca_bit@1"}},
		{"batch with cA FALSE", factory, []attesttest.AndroidOption{at(1, constrained(sequence(boolean(0))))}, []string{"ca_bit@1", "cert_encoding@1"}},
		{"batch with cA 01", factory, []attesttest.AndroidOption{at(1, constrained(sequence(boolean(1))))}, []string{"cert_encoding@1"}},
		{"rkp issuers without constraints", rkp, []attesttest.AndroidOption{at(1, constrained(nil)), at(3, constrained(nil))}, []string{"ca_bit@1", "ca_bit@3"}},
		{"leaf that is a CA", rkp, []attesttest.AndroidOption{at(0, constrained(ca()))}, nil},

		{"batch for digital signatures", factory, []attesttest.AndroidOption{at(1, usage(bits(7, 0x80)))}, []string{"key_cert_sign@1"}},
		{"batch for CRLs", factory, []attesttest.AndroidOption{at(1, usage(bits(1, 0x02)))}, []string{"key_cert_sign@1"}},
		{"batch for certificates and CRLs", factory, []attesttest.AndroidOption{at(1, usage(bits(1, 0x06)))}, nil},
		{"batch for nothing", factory, []attesttest.AndroidOption{at(1, usage(bits(0)))}, []string{"key_cert_sign@1"}},
		{"batch without key usage", factory, []attesttest.AndroidOption{at(1, usage(nil))}, nil},
		{"issuer for digital signatures", rkp, []attesttest.AndroidOption{at(2, usage(bits(7, 0x80)))}, []string{"key_cert_sign@2"}},

		{"batch with path length 0", factory, []attesttest.AndroidOption{at(1, constrained(ca(0)))}, nil},
		{"issuer with path length 0", factory, []attesttest.AndroidOption{at(2, constrained(ca(0)))}, []string{"path_length@2"}},
		{"issuer with path length 1", factory, []attesttest.AndroidOption{at(2, constrained(ca(1)))}, nil},
		{"rkp, one short at 3", rkp, []attesttest.AndroidOption{at(3, constrained(ca(1)))}, []string{"path_length@3"}},
		{"rkp, 0 at 2 and 3", rkp, []attesttest.AndroidOption{at(2, constrained(ca(0))), at(3, constrained(ca(0)))}, []string{"path_length@2", "path_length@3"}},
		{"a large path length", factory, []attesttest.AndroidOption{at(2, constrained(ca(0x7f, 0xff, 0xff, 0xff, 0xff)))}, nil},

		{"unknown critical in the leaf", rkp, []attesttest.AndroidOption{at(0, extra(true, 2, 5, 29, 54))}, []string{"critical_extension@0"}},
		{"unknown critical at 3", rkp, []attesttest.AndroidOption{at(3, extra(true, 2, 5, 29, 54))}, []string{"critical_extension@3"}},
		{"two of them", rkp, []attesttest.AndroidOption{at(1, extra(true, 2, 5, 29, 54)), at(1, extra(true, 2, 5, 29, 30))}, []string{"critical_extension@1"}},
		{"unknown, not critical", rkp, []attesttest.AndroidOption{at(1, extra(false, 2, 5, 29, 54))}, nil},
		{"critical provisioning info", rkp, []attesttest.AndroidOption{at(1, func(c *attesttest.Certificate) { c.Extension(oidProvisioningInfo()).Critical = true })}, nil},
		{"critical KeyDescription", rkp, []attesttest.AndroidOption{at(0, func(c *attesttest.Certificate) { c.Extension(oidKeyDescription()).Critical = true })}, nil},

		{"odd encodings everywhere", rkp, []attesttest.AndroidOption{
			at(0, usage(bits(0, 0x80))), at(1, usage(bits(0, 4))), at(2, usage(bits(0, 4))), at(3, usage(bits(0, 4))),
		}, []string{"cert_encoding@0", "cert_encoding@1", "cert_encoding@2", "cert_encoding@3"}},
		{"nothing of the anchor counts", factory, []attesttest.AndroidOption{at(3, func(c *attesttest.Certificate) {
			c.DER, c.NotBefore, c.NotAfter, c.Serial = nil, testNow().Add(day), testNow().Add(-day), []byte{0x80}
			c.Issuer, c.Signer = attesttest.Name("CN", "x"), newKey(t, p256())
			constrained(nil)(c)
			usage(bits(0, 0x80))(c)
			extra(true, 2, 5, 29, 54)(c)
		})}, nil},

		{"root left out, factory", factory, []attesttest.AndroidOption{at(3, func(c *attesttest.Certificate) { c.Omit = true })}, []string{"root_missing@3"}},
		{"root left out, rkp", rkp, []attesttest.AndroidOption{at(4, func(c *attesttest.Certificate) { c.Omit = true })}, []string{"root_missing@4"}},

		{"in the order of the checks", factory, []attesttest.AndroidOption{
			at(0, extra(true, 2, 5, 29, 54)), at(0, dates(-day, -time.Second)), at(1, constrained(sequence(boolean(0)))),
			at(1, usage(bits(7, 0x80))), at(2, dates(-2*year, -day)), at(2, constrained(ca(0))), at(3, func(c *attesttest.Certificate) { c.Omit = true }),
		}, []string{"root_missing@3", "cert_expired@2", "leaf_validity@0", "ca_bit@1", "key_cert_sign@1", "path_length@2", "critical_extension@0", "cert_encoding@1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := android.Verify(attested(t, c.kind, c.opts...), trusting(t), testNow())
			if err != nil {
				t.Fatal(err)
			}
			if got := found(t, a); !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// TestIssuerName: at the leaf a non-empty, ordered, proper subsequence of the
// RDNs above is a deviation; anything else, and anything above, fails.
func TestIssuerName(t *testing.T) {
	full := []string{"SERIALNUMBER", "1", "T", "TEE", "CN", "c"}
	for _, c := range []struct {
		name   string
		issuer []byte
		at     int
		want   string // failure; "deviation"; or nothing
	}{
		{"the same", attesttest.Name(full...), 0, ""},
		{"the first", attesttest.Name(full[:2]...), 0, "deviation"},
		{"the last", attesttest.Name(full[4:]...), 0, "deviation"},
		{"first and last", attesttest.Name("SERIALNUMBER", "1", "CN", "c"), 0, "deviation"},
		{"empty", attesttest.Name(), 0, android.CodeIssuerName},
		{"out of order", attesttest.Name("CN", "c", "T", "TEE"), 0, android.CodeIssuerName},
		{"all, out of order", attesttest.Name("T", "TEE", "SERIALNUMBER", "1", "CN", "c"), 0, android.CodeIssuerName},
		{"one twice", attesttest.Name("CN", "c", "CN", "c"), 0, android.CodeIssuerName},
		{"one more", attesttest.Name(append(full[:6:6], "O", "o")...), 0, android.CodeIssuerName},
		{"another value", attesttest.Name("SERIALNUMBER", "2"), 0, android.CodeIssuerName},
		{"another case", attesttest.Name("T", "tee"), 0, android.CodeIssuerName},
		{"a PrintableString instead", sequence(set(sequence(tlv(6, []byte{85, 4, 12}), tlv(0x13, []byte("TEE"))))), 0, android.CodeIssuerName},
		{"a subset at the batch certificate", attesttest.Name("T", "TEE"), 1, android.CodeIssuerName},
	} {
		t.Run(c.name, func(t *testing.T) {
			chain := attested(t, attesttest.Factory,
				at(c.at+1, func(x *attesttest.Certificate) { x.Subject = attesttest.Name(full...) }),
				at(c.at, func(x *attesttest.Certificate) { x.Issuer = c.issuer }))
			a, err := android.Verify(chain, trusting(t), testNow())
			switch {
			case c.want == "deviation":
				if err != nil || !slices.Equal(found(t, a), []string{"issuer_name@0"}) {
					t.Errorf("%+v, %v", a, err)
				}
			case code(t, err) != c.want || c.want != "" && position(err) != c.at:
				t.Errorf("%v, want %q", err, c.want)
			case err == nil && len(a.Deviations) != 0:
				t.Errorf("%v", a.Deviations)
			}
		})
	}
}

// TestDates: step 7. What the kinds of provisioning do with dates.
func TestDates(t *testing.T) {
	for _, c := range []struct {
		name     string
		kind     attesttest.Provisioning
		at       int
		from, to time.Duration
		want     string
	}{
		{"rkp batch to this second", attesttest.RKP, 1, -day, 0, ""},
		{"rkp batch over for a second", attesttest.RKP, 1, -day, -time.Second, android.CodeCertExpired},
		{"rkp issuer over for a second", attesttest.RKP, 3, -day, -time.Second, android.CodeCertExpired},
		{"none, over for a second", attesttest.None, 1, -day, -time.Second, android.CodeCertExpired},
		{"none, issuer over", attesttest.None, 2, -day, -time.Second, android.CodeCertExpired},
		{"factory, over for ten years", attesttest.Factory, 1, -20 * year, -10 * year, ""},
		{"factory, from this second", attesttest.Factory, 1, 0, day, ""},
		{"factory, not yet", attesttest.Factory, 1, time.Second, day, android.CodeCertNotYetValid},
		{"factory issuer, not yet", attesttest.Factory, 2, time.Second, day, android.CodeCertNotYetValid},
		{"rkp, not yet", attesttest.RKP, 2, time.Second, day, android.CodeCertNotYetValid},
		{"none, not yet", attesttest.None, 2, time.Second, day, android.CodeCertNotYetValid},
		{"factory, neither begun nor over: dates reversed", attesttest.Factory, 1, day, -day, android.CodeCertNotYetValid},
	} {
		chain := attested(t, c.kind, at(c.at, func(x *attesttest.Certificate) {
			x.NotBefore, x.NotAfter = testNow().Add(c.from), testNow().Add(c.to)
		}))
		if _, err := android.Verify(chain, trusting(t), testNow()); code(t, err) != c.want || c.want != "" && position(err) != c.at {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	// A good factory chain, verified ten years later, and an rkp chain.
	later := testNow().Add(10 * year)
	if a, err := android.Verify(attested(t, attesttest.Factory), trusting(t), later); err != nil || !slices.Equal(found(t, a), []string{"cert_expired@1", "cert_expired@2"}) {
		t.Errorf("factory, ten years later: %v", err)
	}
	if _, err := android.Verify(attested(t, attesttest.RKP), trusting(t), later); code(t, err) != android.CodeCertExpired {
		t.Errorf("rkp, ten years later: %v", err)
	}
}
