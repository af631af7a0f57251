package attest_test

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
)

// FuzzParseInput: no panic; an error says which of the two it is; what is read
// is of a format and comes out the same under that format; nothing is accepted
// that the seeds do not hold, because nobody else has their keys.
func FuzzParseInput(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "samples", "*.json"))
	if err != nil || len(files) == 0 {
		f.Fatal("no samples: ", err)
	}
	for _, file := range files {
		f.Add(readFile(f, file))
	}
	chain, android, apple, asserted, receipt := objects(f)
	f.Add([]byte(pemOf(chain)))
	for _, object := range [][]byte{android, apple, asserted, receipt} {
		f.Add(object)
		f.Add([]byte(alphabets(object)[3]))
	}
	verifier, p := newVerifier(f), policyOf(f)
	untrusting := policyOf(f, func(file *attest.PolicyFile) {
		file.Android.DangerousExtraRoots, file.Apple.DangerousExtraRoots = nil, nil
	})
	f.Fuzz(func(t *testing.T, input []byte) {
		ev, want, err := attest.Parse(input, attest.FormatAuto)
		if err != nil {
			if !malformed(err) && !unsupported(err) || ev.Format != "" || !reflect.DeepEqual(want, attest.Expect{}) {
				t.Fatalf("%v with %+v", err, ev.Format)
			}
			return
		}
		if (ev.Format == attest.FormatAndroidChain) != (ev.Object == nil) || len(ev.Chain) > 9 {
			t.Fatalf("%s with %d certificates and an object of %d", ev.Format, len(ev.Chain), len(ev.Object))
		}
		again, wantAgain, err := attest.Parse(input, ev.Format)
		if err != nil || !reflect.DeepEqual(again, ev) || !reflect.DeepEqual(wantAgain, want) {
			t.Fatalf("as %s: %v", ev.Format, err)
		}
		v, err := verifier.Verify(ev, want, p, testNow())
		if err != nil {
			if !malformed(err) && !unsupported(err) {
				t.Fatal(err)
			}
			return
		}
		if _, err := json.Marshal(v); err != nil {
			t.Fatal(err)
		}
		if ev.Format == attest.FormatAppleAssertion || v.Tier == attest.TierNone { // an assertion rests on the key that came with it
			return
		}
		if u, err := verifier.Verify(ev, want, untrusting, testNow()); err != nil || u.Tier != attest.TierNone {
			t.Errorf("authentic without the test roots: %s, %v", u.Tier, err)
		}
		b, err := attest.NewBundle(ev, want, p, v)
		if err != nil {
			t.Fatal(err)
		}
		if r, err := verifier.Replay(throughJSON(t, b)); err != nil || !r.Equal {
			t.Errorf("replay: %v, %v", err, r)
		}
	})
}

// FuzzPolicyFile: no panic; a policy's digest is that of its canonical form,
// and it judges without panic.
func FuzzPolicyFile(f *testing.F) {
	for _, edit := range []func(*attest.PolicyFile){
		func(*attest.PolicyFile) {}, strict, excepting(),
		func(p *attest.PolicyFile) { p.App[0].Android = nil },
		func(p *attest.PolicyFile) { p.App[0].Apple = nil },
		func(p *attest.PolicyFile) { *p = attest.PolicyFile{} },
		func(p *attest.PolicyFile) {
			p.Risk = []attest.RiskFile{{Signal: attest.PatchAgeDays, AtLeast: 1, Effect: attest.Reject}}
		},
	} {
		p := file(f, edit)
		p.Android.DangerousExtraRoots, p.Apple.DangerousExtraRoots = nil, nil // seeds are for mutation, not for RSA
		f.Add([]byte(asJSON(f, p)))
	}
	ev, want := evidence(f, attesttest.RKP), expecting(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		var file attest.PolicyFile
		if json.Unmarshal(data, &file) != nil {
			return
		}
		p, err := attest.NewPolicy(&file)
		if err != nil {
			var wrong *attest.PolicyError
			if p != nil || errors.As(err, &wrong) && (wrong.Key == "" || wrong.Reason == "") {
				t.Fatalf("%v", err)
			}
			return
		}
		again, err := attest.NewPolicy(&file)
		if err != nil || again.Digest() != p.Digest() {
			t.Fatalf("a second time: %v", err)
		}
		v, err := newVerifier(t).Verify(ev, want, p, testNow())
		if err != nil {
			t.Fatal(err)
		}
		if v.Accept() && !p.TrustsExtraRoots() {
			t.Errorf("accepted without roots: %s", data)
		}
		b, err := attest.NewBundle(ev, want, p, v)
		if err != nil {
			t.Fatal(err)
		}
		r, err := newVerifier(t).Replay(throughJSON(t, b))
		if err != nil || !r.Equal || r.NewVerdict.PolicyDigest != p.Digest() {
			t.Fatalf("the canonical form is another policy: %v, %v", err, r)
		}
	})
}
