package android_test

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"errors"
	"fmt"
	"testing"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/attesttest"
)

func TestGoodPhones(t *testing.T) {
	for kind, want := range map[attesttest.Provisioning]struct {
		provisioning android.Provisioning
		root         int
		level        android.SecurityLevel
		stated       bool
	}{
		attesttest.Factory: {android.Factory, 3, android.Software, false},
		attesttest.RKP:     {android.RKP, 4, android.TrustedEnvironment, true},
		attesttest.None:    {android.Unprovisioned, 3, android.Software, false},
	} {
		chain := attested(t, kind)
		a, err := android.Verify(chain, trusting(t), testNow())
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		level, stated := a.ChainLevel()
		if a.Provisioning != want.provisioning || a.Root != want.root || level != want.level || stated != want.stated {
			t.Errorf("%s: %s, root %d, chain for %s (%v)", kind, a.Provisioning, a.Root, level, stated)
		}
		if len(a.Deviations) != 0 || len(a.Listed) != 0 || len(a.Chain) != len(chain) || a.RPIDHash != nil {
			t.Errorf("%s: deviations %v, listed %v", kind, a.Deviations, a.Listed)
		}
		if (a.Info != nil) != (kind == attesttest.RKP) || a.InfoUnreadable {
			t.Errorf("%s: provisioning info %v", kind, a.Info)
		}
		if !bytes.Equal(a.Description.AttestationChallenge, challenge()) || !bytes.Equal(a.Leaf().Raw, chain[0]) || !bytes.Equal(a.Batch().Raw, chain[1]) {
			t.Errorf("%s: description or positions", kind)
		}
	}
}

// TestZeroOptions: what nobody has set refuses.
func TestZeroOptions(t *testing.T) {
	chain := attested(t, attesttest.RKP)
	var failure *android.Failure
	if _, err := android.Verify(chain, &android.Options{}, testNow()); err == nil || errors.As(err, &failure) {
		t.Errorf("without a status list: %v", err)
	}
	status := statusList(t, nil)
	if _, err := android.Verify(chain, &android.Options{Status: status, Challenge: challenge()}, testNow()); code(t, err) != android.CodeRootUnknown {
		t.Errorf("without roots: %v", err)
	}
	if _, err := android.Verify(chain, &android.Options{Status: status, Roots: testRoots(t)}, testNow()); err == nil {
		t.Error("without a challenge: accepted")
	}
	unbound := attested(t, attesttest.RKP, func(d *attesttest.AndroidDraft) { d.Description.AttestationChallenge = nil })
	if _, err := android.Verify(unbound, &android.Options{Status: status, Roots: testRoots(t)}, testNow()); err == nil {
		t.Error("without a challenge, evidence that is made for none: accepted")
	}
	open := &android.Options{Roots: testRoots(t), DangerousNoStatus: true, DangerousAnyChallenge: true}
	for _, chain := range [][][]byte{chain, unbound} {
		if _, err := android.Verify(chain, open, testNow()); err != nil {
			t.Errorf("with both dangerous options: %v", err)
		}
	}
}

// TestChainLength: steps 1 and 2. More than eight certificates are not even
// parsed.
func TestChainLength(t *testing.T) {
	good := attested(t, attesttest.RKP)
	garbage := func(n int) (chain [][]byte) {
		for range n {
			chain = append(chain, []byte("no certificate"))
		}
		return chain
	}
	repeated := func(n int) (chain [][]byte) {
		for len(chain) < n {
			chain = append(chain, good[len(good)-1])
		}
		return chain
	}
	for _, c := range []struct {
		name  string
		chain [][]byte
		want  string
	}{
		{"none", nil, android.CodeChainLength},
		{"one", good[:1], android.CodeChainLength},
		{"leaf and batch", good[:2], android.CodeChainLength},
		{"eight that cannot be read", garbage(8), "malformed"},
		{"nine that cannot be read", garbage(9), android.CodeChainLength},
		{"a thousand that cannot be read", garbage(1000), android.CodeChainLength},
		{"eight", append(good[:5:5], repeated(3)...), android.CodeChainLength},
		{"nine", append(good[:5:5], repeated(4)...), android.CodeChainLength},
		{"the last cannot be read", append(good[:4:4], []byte{0x30, 0}), "malformed"},
		{"the leaf cannot be read", append([][]byte{{0x30, 0}}, good[1:]...), "malformed"},
		{"reversed", [][]byte{good[4], good[3], good[2], good[1], good[0]}, android.CodeRootUnknown},
		{"the root alone, four times", repeated(4), android.CodeKDMissing},
	} {
		a, err := android.Verify(c.chain, trusting(t), testNow())
		if got := code(t, err); got != c.want || a != nil {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		var failure *android.Failure
		if errors.As(err, &failure) && len(c.chain) > 8 && (failure.Unverified.Chain != nil || failure.Position != -1) {
			t.Errorf("%s: something was parsed", c.name)
		}
	}
}

// fault breaks one step of the verification and leaves the others alone.
type fault struct {
	code  string
	draft func(testing.TB) attesttest.AndroidOption
	opts  func(*testing.T, *android.Options, [][]byte)
}

// faults are in the order of the steps.
func faults() []fault {
	last := func(n int, edit func(testing.TB, *attesttest.Certificate)) func(testing.TB) attesttest.AndroidOption {
		return func(t testing.TB) attesttest.AndroidOption {
			return func(d *attesttest.AndroidDraft) { edit(t, d.Chain[len(d.Chain)-n]) }
		}
	}
	return []fault{
		{code: android.CodeRootUnknown, draft: last(1, func(t testing.TB, c *attesttest.Certificate) { lookAlike(t)(c) })},
		{code: android.CodeChainLength, draft: func(t testing.TB) attesttest.AndroidOption { return insertIssuer(t, 2) }},
		{code: android.CodeKDMissing, draft: func(testing.TB) attesttest.AndroidOption {
			return at(0, func(c *attesttest.Certificate) { c.RemoveExtension(oidKeyDescription()) })
		}},
		{code: android.CodeIssuerName, draft: last(2, func(_ testing.TB, c *attesttest.Certificate) { c.Issuer = attesttest.Name("CN", "somebody") })},
		{code: android.CodeSignature, draft: func(t testing.TB) attesttest.AndroidOption {
			return at(1, func(c *attesttest.Certificate) { c.Signer = newKey(t, elliptic.P256()) })
		}},
		{code: android.CodeSignatureAlgorithm, draft: func(testing.TB) attesttest.AndroidOption {
			return at(0, func(c *attesttest.Certificate) { c.Hash = crypto.SHA1 })
		}},
		{code: android.CodeCertExpired, draft: func(testing.TB) attesttest.AndroidOption {
			return at(1, func(c *attesttest.Certificate) { c.NotAfter = testNow().Add(-1) })
		}},
		{code: android.CodeCertNotYetValid, draft: last(3, func(_ testing.TB, c *attesttest.Certificate) { c.NotBefore = testNow().Add(day) })},
		{code: android.CodeRevoked, opts: func(t *testing.T, o *android.Options, chain [][]byte) {
			o.Status = statusList(t, map[string]string{serialOf(t, chain[2]): android.StatusRevoked})
		}},
		{code: android.CodeKDMalformed, draft: func(testing.TB) attesttest.AndroidOption { return described([]byte{0x30, 0}) }},
		{code: android.CodeChallengeMismatch, opts: func(_ *testing.T, o *android.Options, _ [][]byte) { o.Challenge = []byte("another") }},
	}
}

// TestOrder: of several steps that fail, the first one names the code.
func TestOrder(t *testing.T) {
	all := faults()
	for i := range all {
		for _, with := range [][]fault{all[i : i+1], all[i:]} {
			t.Run(fmt.Sprintf("%s of %d", all[i].code, len(with)), func(t *testing.T) {
				var opts []attesttest.AndroidOption
				for j := len(with) - 1; j >= 0; j-- { // the one that adds a certificate goes last
					if with[j].draft != nil {
						opts = append(opts, with[j].draft(t))
					}
				}
				chain, o := attested(t, attesttest.RKP, opts...), trusting(t)
				for _, f := range with {
					if f.opts != nil {
						f.opts(t, o, chain)
					}
				}
				a, err := android.Verify(chain, o, testNow())
				if got := code(t, err); got != all[i].code || a != nil {
					t.Errorf("got %q (%v), want %q", got, err, all[i].code)
				}
			})
		}
	}
}

// TestFailuresCarryWhatWasRead: and say where.
func TestFailuresCarryWhatWasRead(t *testing.T) {
	chain := attested(t, attesttest.RKP, at(1, func(c *attesttest.Certificate) { c.NotAfter = testNow().Add(-1) }))
	_, err := android.Verify(chain, trusting(t), testNow())
	var failure *android.Failure
	if !errors.As(err, &failure) || failure.Position != 1 || failure.Detail == "" {
		t.Fatalf("%v", err)
	}
	u := failure.Unverified
	if len(u.Chain) != 5 || u.Provisioning != android.RKP || u.Description == nil || !bytes.Equal(u.Description.AttestationChallenge, challenge()) {
		t.Errorf("unverified: %+v", u)
	}
	for _, broken := range []attesttest.AndroidOption{
		described([]byte{0x30, 0}),
		at(0, func(c *attesttest.Certificate) { c.RemoveExtension(oidKeyDescription()) }),
	} {
		_, err := android.Verify(attested(t, attesttest.RKP, broken), trusting(t), testNow())
		if !errors.As(err, &failure) || failure.Unverified.Description != nil || failure.Unverified.Leaf() == nil {
			t.Errorf("%v: %+v", err, failure)
		}
	}
}

// TestKeyDescriptionPlace: step 5, critical or not, at every position, and in
// a root too many.
func TestKeyDescriptionPlace(t *testing.T) {
	for _, critical := range []bool{false, true} {
		for i := 1; i <= 3; i++ {
			chain := attested(t, attesttest.RKP, at(i, func(c *attesttest.Certificate) {
				c.Extensions = append(c.Extensions, attesttest.Extension{OID: oidKeyDescription(), Critical: critical})
			}))
			if _, err := android.Verify(chain, trusting(t), testNow()); code(t, err) != android.CodeChainExtended || position(err) != i {
				t.Errorf("at %d, critical %v: %v", i, critical, err)
			}
		}
		chain := attested(t, attesttest.RKP, at(0, func(c *attesttest.Certificate) { c.Extension(oidKeyDescription()).Critical = critical }))
		if _, err := android.Verify(chain, trusting(t), testNow()); err != nil {
			t.Errorf("in the leaf, critical %v: %v", critical, err)
		}
	}
	reissued := attested(t, attesttest.Factory, at(3, func(c *attesttest.Certificate) {
		c.DER = nil
		c.Extensions = append(c.Extensions, attesttest.Extension{OID: oidKeyDescription()})
	}))
	if _, err := android.Verify(reissued, trusting(t), testNow()); code(t, err) != android.CodeChainExtended || position(err) != 3 {
		t.Errorf("in the root: %v", err)
	}
	longer := attested(t, attesttest.RKP, insertIssuer(t, 1), at(2, func(c *attesttest.Certificate) {
		c.Extensions = append(c.Extensions, attesttest.Extension{OID: oidKeyDescription()})
	}))
	if _, err := android.Verify(longer, trusting(t), testNow()); code(t, err) != android.CodeChainExtended || position(err) != 2 {
		t.Errorf("in a chain that is too long: %v", err)
	}
}

// TestKinds: step 4, told by the Subject under the root alone.
func TestKinds(t *testing.T) {
	for _, c := range []struct {
		name    string
		kind    attesttest.Provisioning
		subject []byte
		want    string
	}{
		{"Droid CA2 of Google LLC", attesttest.RKP, attesttest.Name("CN", "Droid CA2", "O", "Google LLC"), ""},
		{"Droid CA2 of Google LLC in another order", attesttest.RKP, attesttest.Name("O", "Google LLC", "C", "US", "CN", "Droid CA2"), ""},
		{"Droid CA3", attesttest.RKP, attesttest.Name("O", "Google LLC", "CN", "Droid CA3"), android.CodeChainLength},
		{"Droid CA2 of nobody", attesttest.RKP, attesttest.Name("CN", "Droid CA2"), android.CodeChainLength},
		{"droid ca2", attesttest.RKP, attesttest.Name("CN", "droid ca2", "O", "Google LLC"), android.CodeChainLength},
		{"Droid CA2 with a serial number is rkp", attesttest.RKP, attesttest.Name("SERIALNUMBER", "1", "CN", "Droid CA2", "O", "Google LLC"), ""},
		{"the same in a chain of four", attesttest.Factory, attesttest.Name("SERIALNUMBER", "1", "CN", "Droid CA2", "O", "Google LLC"), android.CodeChainLength},
		{"a serial number", attesttest.RKP, attesttest.Name("SERIALNUMBER", "1"), android.CodeChainLength},
		{"no name", attesttest.RKP, attesttest.Name(), android.CodeChainLength},
		{"a title only", attesttest.Factory, attesttest.Name("T", "TEE"), ""},
	} {
		under := 2
		if c.kind == attesttest.RKP {
			under = 3
		}
		chain := attested(t, c.kind, at(under, func(x *attesttest.Certificate) { x.Subject = c.subject }))
		if _, err := android.Verify(chain, trusting(t), testNow()); code(t, err) != c.want {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// TestChainLevel: 2.5, what the names under the root state.
func TestChainLevel(t *testing.T) {
	for _, c := range []struct {
		name   string
		kind   attesttest.Provisioning
		at     int
		of     []byte
		want   android.SecurityLevel
		stated bool
	}{
		{"rkp, TEE", attesttest.RKP, 1, attesttest.Name("CN", "x", "O", "TEE"), android.TrustedEnvironment, true},
		{"rkp, StrongBox", attesttest.RKP, 1, attesttest.Name("O", "StrongBox", "CN", "x"), android.StrongBox, true},
		{"rkp, tee", attesttest.RKP, 1, attesttest.Name("O", "tee"), android.Software, true},
		{"rkp, no organisation", attesttest.RKP, 1, attesttest.Name("CN", "StrongBox"), android.Software, true},
		{"rkp, two organisations: the first counts", attesttest.RKP, 1, attesttest.Name("O", "x", "O", "StrongBox"), android.Software, true},
		{"factory, title", attesttest.Factory, 1, attesttest.Name("SERIALNUMBER", "1", "T", "StrongBox"), android.StrongBox, true},
		{"factory, anywhere, any case", attesttest.Factory, 2, attesttest.Name("SERIALNUMBER", "1", "CN", "a sTRONGbOX b"), android.StrongBox, true},
		{"factory, TEE states nothing", attesttest.Factory, 1, attesttest.Name("SERIALNUMBER", "1", "T", "TEE"), android.Software, false},
		{"none states nothing", attesttest.None, 1, attesttest.Name("CN", "StrongBox"), android.Software, false},
	} {
		chain := attested(t, c.kind, at(c.at, func(x *attesttest.Certificate) { x.Subject = c.of }))
		a, err := android.Verify(chain, trusting(t), testNow())
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if level, stated := a.ChainLevel(); level != c.want || stated != c.stated {
			t.Errorf("%s: %s, stated %v", c.name, level, stated)
		}
	}
}
