package attesttest_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/config"
)

// policies remembers what was decoded: most rows have the same policy.
type policies struct{ decoded sync.Map }

func (c *policies) policy(t *testing.T, text string) *attest.Policy {
	t.Helper()
	if p, ok := c.decoded.Load(text); ok {
		return p.(*attest.Policy)
	}
	p := policy(t, text)
	c.decoded.Store(text, p)
	return p
}

func policy(t *testing.T, text string) *attest.Policy {
	t.Helper()
	var f attest.PolicyFile
	if err := config.Decode([]byte(text), &f); err != nil {
		t.Fatal(err)
	}
	p, err := attest.NewPolicy(&f)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// every exception that a policy can have for the software phone.
func everyException(now time.Time) (text string) {
	for _, x := range []struct {
		check     string
		positions []int
	}{
		{"leaf_validity", []int{0}}, {"cert_expired", []int{1, 2}}, {"ca_bit", []int{1}}, {"key_cert_sign", []int{1}},
		{"path_length", []int{2}}, {"critical_extension", []int{0, 1, 2, 3}}, {"cert_encoding", []int{0, 1, 2, 3}},
		{"issuer_name", []int{0}}, {"root_missing", []int{3, 4}},
	} {
		for _, position := range x.positions {
			id := x.check + "-" + string(rune('0'+position))
			text += attesttest.ExceptionText(id, x.check, position, now)
		}
	}
	return text
}

// TestCatalogue holds every row against the verifier: both profiles, without
// an exception, with its own and with every one that a policy can have.
func TestCatalogue(t *testing.T) {
	now := testNow()
	verifier, err := attest.NewVerifier(nil)
	if err != nil {
		t.Fatal(err)
	}
	var cache policies
	every := everyException(now)
	for _, d := range attesttest.Deviations() {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			s, err := d.Make(now)
			if err != nil {
				t.Fatal(err)
			}
			ev, want, err := s.Evidence()
			if err != nil {
				t.Fatal(err)
			}
			readBack(t, s)
			for _, profile := range []string{"google", "strict"} {
				for exceptions, text := range map[string]string{"without": "", "its own": d.Exception(now), "every": every} {
					apple := strings.HasPrefix(string(d.Format), "apple-") // where exceptions match no phone
					if exceptions == "its own" && text == "" || exceptions == "every" && apple && profile == "google" {
						continue
					}
					v, err := verifier.Verify(ev, want, cache.policy(t, d.Policy(profile)+text), s.At)
					if err != nil {
						t.Fatalf("%s, exceptions: %s: %v", profile, exceptions, err)
					}
					relaxed := d.Check != "" && text != ""
					check(t, d, v, d.Effects.Under(profile, false), relaxed, profile+", exceptions: "+exceptions)
				}
			}
		})
	}
}

// readBack: what a sample writes as JSON, attest.Parse reads.
func readBack(t *testing.T, s attesttest.Sample) {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	ev, want, err := attest.Parse(text, attest.FormatAuto)
	if err != nil {
		t.Fatal(err)
	}
	wantEv, wantExpect, err := s.Evidence()
	if err != nil {
		t.Fatal(err)
	}
	wantExpect.Status = nil // not part of the object
	if !reflect.DeepEqual(ev, wantEv) || !reflect.DeepEqual(want, wantExpect) {
		t.Error("the JSON object reads back as something else")
	}
}

// TestOtherTimes: phones are good at any time, such as that of a synctest
// bubble, and not only today.
func TestOtherTimes(t *testing.T) {
	verifier, err := attest.NewVerifier(nil)
	if err != nil {
		t.Fatal(err)
	}
	demo := policy(t, attesttest.DemoPolicy())
	for _, now := range []time.Time{time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2051, 6, 1, 0, 0, 0, 0, time.UTC)} {
		for _, d := range attesttest.Deviations() {
			if d.Code != "" || d.OwnPolicy() || strings.HasPrefix(d.Name, "android-rsa-") || d.Name == "receipt-old" { // slow; and two months before 2000 are refused
				continue
			}
			s, err := d.Make(now)
			if err != nil {
				t.Fatal(err)
			}
			ev, want, err := s.Evidence()
			if err != nil {
				t.Fatal(err)
			}
			v, err := verifier.Verify(ev, want, demo, s.At)
			if err != nil {
				t.Fatal(err)
			}
			if !v.Accept() {
				t.Errorf("%s at %s: findings %v", d.Name, now, findings(v))
			}
		}
	}
}

// TestUnreadable: what cannot be read is an error, under any policy.
func TestUnreadable(t *testing.T) {
	verifier, err := attest.NewVerifier(nil)
	if err != nil {
		t.Fatal(err)
	}
	demo := policy(t, attesttest.DemoPolicy())
	for _, d := range attesttest.Unreadable() {
		t.Run(d.Name, func(t *testing.T) {
			s, err := d.Make(testNow())
			if err != nil {
				t.Fatal(err)
			}
			ev, want, err := s.Evidence()
			if err != nil {
				t.Fatal(err)
			}
			expected := attest.ErrMalformed
			if d.Class == attest.PolicyClass {
				expected = attest.ErrUnsupported
			}
			if v, err := verifier.Verify(ev, want, demo, s.At); !errors.Is(err, expected) {
				t.Errorf("error %v, findings %v; want %v", err, findings(v), expected)
			}
		})
	}
}

func check(t *testing.T, d attesttest.Deviation, v attest.Verdict, effect attest.Effect, relaxed bool, what string) {
	t.Helper()
	if relaxed && effect == attest.Reject {
		effect = attest.Note
	}
	if want := d.Code == "" || effect != attest.Reject; v.Accept() != want {
		t.Errorf("%s: accept %v, want %v; findings %v", what, v.Accept(), want, findings(v))
	}
	if effect == attesttest.Silent {
		if v.Has(d.Code) {
			t.Errorf("%s: raises %s", what, d.Code)
		}
		return
	}
	if d.Code != "" {
		i := slices.IndexFunc(v.Findings, func(f attest.Finding) bool { return f.Code == d.Code })
		if i < 0 {
			t.Fatalf("%s: no %s; findings %v", what, d.Code, findings(v))
		}
		f, position := v.Findings[i], attesttest.NoPosition
		if f.Position != nil {
			position = *f.Position
		}
		if f.Effect != effect || f.Class != d.Class || position != d.Position {
			t.Errorf("%s: %s is %s, %s at %d; want %s, %s at %d", what, f.Code, f.Class, f.Effect, position, d.Class, effect, d.Position)
		}
	}
	for _, f := range v.Findings { // a row is about one thing
		if f.Code != d.Code && f.Effect != attest.Note && !slices.Contains(beside(d.Name), f.Code) {
			t.Errorf("%s: also %s (%s)", what, f.Code, f.Effect)
		}
	}
}

// beside are the findings that a row cannot have its own without.
func beside(name string) []string {
	return map[string][]string{
		"cert-dates-reversed":    {"android.leaf_validity"},
		"level-software":         {"android.level_too_low"},
		"level-keymint-software": {"android.level_too_low", "android.level_mismatch"},
		"boot-unverified":        {"android.boot_unlocked"},
		"boot-key-empty":         {"android.boot_unlocked"},
	}[name]
}

func findings(v attest.Verdict) (list []string) {
	for _, f := range v.Findings {
		list = append(list, f.Code+":"+string(f.Effect)+":"+f.Detail)
	}
	return list
}

// TestOtherCAIsUnknown: a policy that trusts the fixed test roots does not
// trust phones of a CA with roots of its own.
func TestOtherCAIsUnknown(t *testing.T) {
	now := testNow()
	android, err := attesttest.NewAndroidCA(now, nil)
	if err != nil {
		t.Fatal(err)
	}
	key, err := android.Phone().GenerateKey(now, []byte("challenge"))
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := attest.NewVerifier(nil)
	if err != nil {
		t.Fatal(err)
	}
	ev := attest.Evidence{Format: attest.FormatAndroidChain, Chain: key.Chain()}
	v, err := verifier.Verify(ev, attest.Expect{Challenge: []byte("challenge")}, policy(t, attesttest.DemoPolicy()), now)
	if err != nil {
		t.Fatal(err)
	}
	if v.Accept() || !v.Has("android.root_unknown") {
		t.Errorf("accept %v, findings %v", v.Accept(), findings(v))
	}
	genuine, err := attest.Genuine("google")
	if err != nil {
		t.Fatal(err)
	}
	fixed, err := attesttest.TestAndroidCA(now)
	if err != nil {
		t.Fatal(err)
	}
	if key, err = fixed.Phone().GenerateKey(now, []byte("challenge")); err != nil {
		t.Fatal(err)
	}
	ev.Chain = key.Chain()
	if v, err = verifier.Verify(ev, attest.Expect{Challenge: []byte("challenge")}, genuine, now); err != nil {
		t.Fatal(err)
	}
	if v.Accept() || !v.Has("android.root_unknown") {
		t.Errorf("the built-in policy trusts a test root: findings %v", findings(v))
	}
}
