package android_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/internal/der"
)

// samples are the chains of the catalogue, one after the other in DER.
func samples(t testing.TB) (chains [][]byte) {
	t.Helper()
	for _, d := range attesttest.Deviations() {
		if d.Format != attest.FormatAndroidChain || d.Name == "chain-of-nine" {
			continue
		}
		s, err := d.Make(testNow())
		if err != nil {
			t.Fatal(err)
		}
		chains = append(chains, slices.Concat(s.Chain...))
	}
	return chains
}

// descriptionOf cuts the KeyDescription out of a leaf.
func descriptionOf(t testing.TB, leaf []byte) []byte {
	t.Helper()
	e := extension(tree(t, leaf), keyDescription)
	if e == nil {
		return nil
	}
	return e.kids[len(e.kids)-1].body
}

// FuzzParseChain: what is taken is what was sent, and PEM of it reads back.
func FuzzParseChain(f *testing.F) {
	chain := attested(f, attesttest.Factory)
	var text strings.Builder
	for _, c := range chain {
		text.WriteString(block("CERTIFICATE", c))
	}
	f.Add([]byte(text.String()))
	f.Add([]byte("\n" + strings.ReplaceAll(text.String(), "-----END", "x\n-----END")))
	f.Add(slices.Concat(chain...))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n-----BEGIN"))
	f.Add([]byte("0\x000\x000\x00"))
	f.Fuzz(func(t *testing.T, input []byte) {
		chain, err := android.ParseChain(input)
		if err != nil {
			if !errors.Is(err, android.ErrMalformed) || chain != nil {
				t.Fatalf("%v, %v", chain, err)
			}
			return
		}
		if len(chain) == 0 || len(chain) > 9 {
			t.Fatalf("%d certificates", len(chain))
		}
		var text strings.Builder
		for _, c := range chain {
			text.WriteString(block("CERTIFICATE", c))
		}
		again, err := android.ParseChain([]byte(text.String()))
		if err != nil || !slices.EqualFunc(again, chain, bytes.Equal) {
			t.Fatalf("written as PEM: %v", err)
		}
		if bytes.Contains(input, []byte("-----")) {
			return
		}
		if joined := slices.Concat(chain...); len(chain) < 9 && !bytes.Equal(joined, input) || !bytes.HasPrefix(input, joined) {
			t.Fatalf("certificates %x of %x", joined, input)
		}
	})
}

// FuzzParseKeyDescription: what is read can be shown, and is the same when it
// is read again; nothing is both usable and unknown.
func FuzzParseKeyDescription(f *testing.F) {
	seen := map[string]bool{}
	for _, d := range attesttest.Deviations() {
		if d.Format != attest.FormatAndroidChain || !strings.HasPrefix(d.Name, "description-") && d.Name != "android-factory" {
			continue
		}
		s, err := d.Make(testNow())
		if err != nil {
			f.Fatal(err)
		}
		if value := descriptionOf(f, s.Chain[0]); value != nil && !seen[string(value)] {
			seen[string(value)] = true
			f.Add(value)
		}
	}
	f.Add(listed(explicit(999, null()), explicit(704, sequence()), explicit(1<<24, null())))
	f.Fuzz(func(t *testing.T, value []byte) {
		d, err := android.ParseKeyDescription(value)
		if err != nil {
			if d != nil {
				t.Fatalf("%+v, %v", d, err)
			}
			return
		}
		for _, l := range []*android.AuthorizationList{&d.SoftwareEnforced, &d.HardwareEnforced} {
			text, err := json.Marshal(l)
			if err != nil {
				t.Fatal(err)
			}
			var members map[string]json.RawMessage
			if err := json.Unmarshal(text, &members); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			for _, u := range l.Unknown {
				if _, present := members[u.Name]; present && u.Name != "" {
					t.Errorf("%s is present and unusable: %s", u.Name, text)
				}
			}
			if !slices.IsSorted(l.Purpose) || !slices.IsSorted(l.Digest) {
				t.Errorf("a set is not ascending: %s", text)
			}
		}
		if _, err := der.Open(value, der.Sequence); err != nil {
			t.Errorf("%x is taken: %v", value, err)
		}
		if len(d.Encodings) > 3 {
			t.Errorf("%q", d.Encodings)
		}
		again, err := android.ParseKeyDescription(value)
		if err != nil || again.Level() != d.Level() || again.AttestationVersion != d.AttestationVersion {
			t.Errorf("read again: %v", err)
		}
	})
}

// FuzzVerify: no panic; what is accepted ends under a pinned key and is
// accepted under no other; a warm cache agrees with none.
func FuzzVerify(f *testing.F) {
	for _, chain := range samples(f) {
		f.Add(chain)
	}
	warm := android.NewCache()
	for _, kind := range []attesttest.Provisioning{attesttest.Factory, attesttest.RKP} {
		o := trusting(f)
		o.Cache = warm
		if _, err := android.Verify(attested(f, kind), o, testNow()); err != nil {
			f.Fatal(err)
		}
	}
	pinned := testRoots(f).Keys()
	open := &android.Options{Roots: testRoots(f), DangerousNoStatus: true, DangerousAnyChallenge: true}
	f.Fuzz(func(t *testing.T, input []byte) {
		chain, err := android.ParseChain(input)
		if err != nil {
			return
		}
		cached := *open
		cached.Cache = warm
		a, err := android.Verify(chain, open, testNow())
		b, cachedErr := android.Verify(chain, &cached, testNow())
		if code(t, err) != code(t, cachedErr) || position(err) != position(cachedErr) {
			t.Fatalf("cold %v, warm %v", err, cachedErr)
		}
		if err != nil {
			return
		}
		if !slices.Equal(found(t, a), found(t, b)) || a.Root != b.Root {
			t.Errorf("cold %v, warm %v", found(t, a), found(t, b))
		}
		if a.Root < len(a.Chain) && !slices.Contains(pinned, hexOf(a.Chain[a.Root])) {
			t.Errorf("accepted under %x", a.Chain[a.Root].SPKISHA256())
		}
		stranger := *open
		stranger.Roots = android.GoogleRoots()
		if _, err := android.Verify(chain, &stranger, testNow()); err == nil {
			t.Error("accepted under other roots as well")
		}
		if a.Description == nil || len(a.Chain) < 3 {
			t.Errorf("accepted: %+v", a)
		}
	})
}

func hexOf(c *android.Certificate) string {
	sum := c.SPKISHA256()
	return hex.EncodeToString(sum[:])
}

func FuzzParseStatusList(f *testing.F) {
	for _, s := range []string{
		entries(`"1": {"status": "REVOKED"}, "0A": {"status": "SUSPENDED"}`),
		entries(`"a": {"status": "X"}, "A": {"status": "REVOKED"}`),
		`{"fetched_at": "2026-11-21T00:00:00Z", "list": ` + entries(`"ff": {"status": "REVOKED", "reason": "KEY_COMPROMISE"}`) + `}`,
		`{"entries": {}, "Entries": {"a": {"status": "REVOKED"}}}`, `{"entries": {"xyz": {"status": "REVOKED"}}}`, `[]`, ``,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := android.ParseStatusList(data)
		if err != nil {
			if !errors.Is(err, android.ErrStatusList) || l != nil {
				t.Fatalf("%v, %v", l, err)
			}
			return
		}
		if !strings.HasPrefix(l.Digest, "sha256:") || l.Len() < 0 || l.Lookup("") != "" || l.Lookup("A") != "" || l.Lookup("01") != "" {
			t.Errorf("a list of %d with keys that are not canonical", l.Len())
		}
		again, err := android.ParseStatusList(data)
		if err != nil || again.Digest != l.Digest || again.Len() != l.Len() {
			t.Errorf("read again: %v", err)
		}
	})
}

// TestFlippedBits: no bit of what is signed may change, at any position.
func TestFlippedBits(t *testing.T) {
	for _, kind := range []attesttest.Provisioning{attesttest.Factory, attesttest.RKP} {
		good := attested(t, kind)
		o := trusting(t)
		o.Cache = android.NewCache() // warm with the good chain
		if _, err := android.Verify(good, o, testNow()); err != nil {
			t.Fatal(err)
		}
		for i := range good[:len(good)-1] {
			signed := tree(t, good[i]).at(0).encode()
			start := bytes.Index(good[i], signed)
			if start < 0 {
				t.Fatal("the signed part is not where it was")
			}
			for _, bit := range bitsToFlip(len(signed)) {
				changed := slices.Clone(good)
				changed[i] = bytes.Clone(good[i])
				changed[i][start+bit/8] ^= 1 << (bit % 8)
				if _, err := android.Verify(changed, o, testNow()); err == nil {
					t.Fatalf("%s: bit %d of the signed part at position %d: accepted", kind, bit, i)
				}
			}
		}
	}
}

// bitsToFlip are some hundred of n octets: the first ones, and others at random.
func bitsToFlip(n int) (bits []int) {
	for bit := range min(n, 16) * 8 {
		bits = append(bits, bit)
	}
	for range 200 {
		bits = append(bits, rand.IntN(n*8))
	}
	return bits
}
