package attest_test

import (
	"encoding/hex"
	"slices"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/attesttest"
)

// sonyBatch is the key of a factory batch of phones whose certificates lack
// the CA bit.
const sonyBatch = "a131015ccf70c685e05ced87bdec378dc1c1ff9cfefe3288724441523e684417"

// TestScopedExceptions: a real phone with good signatures whose batch
// certificate departs from RFC 5280. Everyone else keeps the strict rule.
func TestScopedExceptions(t *testing.T) {
	input := readFile(t, vectorDir(t), "android-keyattestation", "sony-xperia10-iii_sdk33_TEE_EC.pem")
	read, _, err := attest.Parse(input, attest.FormatAuto)
	if err != nil {
		t.Fatal(err)
	}
	first := judgeAt(t, read, attest.Expect{}, genuine(t, attest.ProfileGoogle), later)
	if !first.Accept() || first.Chain[1].SPKISHA256 != sonyBatch {
		t.Fatalf("%v, batch %s", all(first), first.Chain[1].SPKISHA256)
	}
	app := first.Claims.Android.App
	sony := func(edits ...func(*attest.PolicyFile)) *attest.Policy {
		f := file(t)
		f.Android.DangerousExtraRoots = nil
		a := f.App[0].Android
		a.RPIDs = nil
		a.Packages = nil
		var signers []string
		for _, s := range app.SignatureDigests {
			signers = append(signers, hex.EncodeToString(s))
		}
		for _, p := range app.PackageInfos {
			a.Packages = append(a.Packages, attest.PackageFile{Name: p.PackageName, Signers: signers})
		}
		for _, edit := range edits {
			edit(f)
		}
		p, err := attest.NewPolicy(f)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	exception := func(check string, position int, edits ...func(*attest.Exception)) func(*attest.PolicyFile) {
		return excepting(append([]func(*attest.Exception){func(e *attest.Exception) {
			e.ID, e.Check, e.Position = check+string(rune('0'+position)), check, position
			e.Match = &attest.MatchFile{BatchSPKI: []string{sonyBatch}}
			e.NotBefore, e.Expires = later.Add(-day), later.Add(day)
		}}, edits...)...)
	}
	needed := []func(*attest.PolicyFile){
		strict, exception("ca_bit", 1), exception("key_cert_sign", 1), exception("cert_expired", 1), exception("cert_expired", 2),
	}
	want := attest.Expect{Challenge: first.Claims.Android.Description.AttestationChallenge, Status: status(t, nil)}
	if !slices.ContainsFunc(app.PackageInfos, func(p android.PackageInfo) bool { return p.PackageName == "com.android.vending" }) {
		t.Errorf("made by %+v", app.PackageInfos)
	}
	if v := judgeAt(t, read, want, sony(), later); !v.Accept() {
		t.Errorf("google: %v", all(v))
	}
	if v := judgeAt(t, read, want, sony(strict), later); v.Accept() || !slices.Contains(all(v), "android.ca_bit:reject") || v.Tier != attest.TierContraindicated {
		t.Errorf("strict: %v", all(v))
	}
	v := judgeAt(t, read, want, sony(needed...), later)
	if !v.Accept() || !slices.Equal(v.Exceptions, []string{"cert_expired1", "cert_expired2", "ca_bit1", "key_cert_sign1"}) {
		t.Errorf("strict with its exceptions: %v, used %v", all(v), v.Exceptions)
	}
	for missing := 1; missing < len(needed); missing++ {
		if v := judgeAt(t, read, want, sony(slices.Delete(slices.Clone(needed), missing, missing+1)...), later); v.Accept() {
			t.Errorf("without exception %d: accepted", missing)
		}
	}
	otherBatch := exception("ca_bit", 1, func(e *attest.Exception) { e.Match.BatchSPKI = []string{hex.EncodeToString(make([]byte, 32))} })
	if v := judgeAt(t, read, want, sony(strict, otherBatch, needed[2], needed[3], needed[4]), later); v.Accept() || v.Has("common.exception_inactive") {
		t.Errorf("another batch: %v", all(v))
	}
	// The exceptions help nobody else, and relax nothing that is authenticity.
	wrong := want
	wrong.Challenge = []byte("another")
	if v := judgeAt(t, read, wrong, sony(needed...), later); v.Tier != attest.TierNone {
		t.Errorf("another challenge: %v", all(v))
	}
	revoked := want
	revoked.Status = status(t, map[string]string{first.Chain[1].Serial: "REVOKED"})
	if v := judgeAt(t, read, revoked, sony(needed...), later); v.Tier != attest.TierNone || !v.Has("android.revoked") {
		t.Errorf("revoked: %v", all(v))
	}
	trusting := append(slices.Clone(needed), func(f *attest.PolicyFile) { f.Android.DangerousExtraRoots = file(t).Android.DangerousExtraRoots })
	other := evidence(t, attesttest.Factory, at(1, func(c *attesttest.Certificate) { c.Extensions = nil }))
	if v := judgeAt(t, other, expecting(t), sony(trusting...), testNow()); v.Accept() || !slices.Contains(all(v), "android.ca_bit:reject") {
		t.Errorf("another phone: %v", all(v))
	}
}

// TestExceptionCaps: above its cap an exception does nothing and says so.
func TestExceptionCaps(t *testing.T) {
	ev := evidence(t, attesttest.Factory, at(1, func(c *attesttest.Certificate) { c.Extensions = nil }))
	asked := ""
	left := func(n int) func(string) int { return func(id string) int { asked = id; return n } }
	for _, c := range []struct {
		name     string
		cap      int
		usesLeft func(string) int
		want     string
	}{
		{"no cap", 0, left(0), "android.ca_bit:note common.exception_used:note"},
		{"a cap that nobody counts", 1, nil, "android.ca_bit:note common.exception_used:note"},
		{"one left", 5, left(1), "android.ca_bit:note common.exception_used:note"},
		{"none left", 5, left(0), "common.exception_inactive:note android.ca_bit:reject"},
		{"fewer than none", 5, left(-1), "common.exception_inactive:note android.ca_bit:reject"},
	} {
		asked = ""
		want := expecting(t)
		want.UsesLeft = c.usesLeft
		v := judge(t, ev, want, policyOf(t, strict, excepting(func(e *attest.Exception) { e.MaxUsesPerDay = c.cap })))
		if !same(all(v), c.want) || v.Accept() != (len(v.Exceptions) == 1) {
			t.Errorf("%s: %v, want %s", c.name, all(v), c.want)
		}
		if (asked != "") != (c.cap > 0 && c.usesLeft != nil) {
			t.Errorf("%s: asked for %q", c.name, asked)
		}
	}
	// An exception that is over leaves the way to one that is not.
	over := excepting(func(e *attest.Exception) {
		e.ID, e.NotBefore, e.Expires = "over", testNow().Add(-2*day), testNow()
	})
	soon := excepting(func(e *attest.Exception) { e.ID, e.NotBefore = "soon", testNow().Add(time.Second) })
	v := judge(t, ev, expecting(t), policyOf(t, strict, over, soon, excepting()))
	if !same(all(v), "common.exception_inactive:note common.exception_inactive:note android.ca_bit:note common.exception_used:note") || !slices.Equal(v.Exceptions, []string{"x1"}) {
		t.Errorf("%v, used %v", all(v), v.Exceptions)
	}
	if v := judge(t, ev, expecting(t), policyOf(t, excepting())); len(v.Exceptions) != 0 || v.Has("common.exception_used") {
		t.Errorf("under google there is nothing to relax: %v", all(v))
	}
}

// TestFactoryOnly: an rkp chain gets no exception for what only factory chains
// are excused of.
func TestFactoryOnly(t *testing.T) {
	bare := func(position int) attesttest.AndroidOption {
		return at(position, func(c *attesttest.Certificate) { c.Extensions = nil })
	}
	for kind, accepted := range map[attesttest.Provisioning]bool{attesttest.Factory: true, attesttest.RKP: false, attesttest.None: false} {
		v := judge(t, evidence(t, kind, bare(1)), expecting(t), policyOf(t, strict, excepting()))
		if v.Accept() != accepted || v.Has("common.exception_used") != accepted {
			t.Errorf("%s: %v", kind, all(v))
		}
	}
}
