package attest_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
)

// prefixes are lengths of proper prefixes of n octets: all of a short input,
// some hundred of a long one, and the last ones of both.
func prefixes(n, most int) (lengths []int) {
	step := max(1, n/most)
	for i := 0; i < n; i += step {
		lengths = append(lengths, i)
	}
	for i := max(0, n-5); i < n; i++ {
		lengths = append(lengths, i)
	}
	return lengths
}

// neverAccepted cuts input short and wants an error or a rejection each time.
func neverAccepted(t *testing.T, name string, input []byte, most int, verify func(prefix []byte) (attest.Verdict, error)) {
	t.Helper()
	whole := bytes.TrimRight(input, " \t\r\n")
	for _, n := range prefixes(len(whole), most) {
		v, err := verify(whole[:n:n])
		if err == nil && v.Accept() {
			t.Errorf("%s: the first %d of %d octets are accepted", name, n, len(whole))
		}
		if err != nil && !malformed(err) && !unsupported(err) {
			t.Errorf("%s: the first %d octets: %v", name, n, err)
		}
	}
}

// TestTruncatedVectors: every recorded file, and what it holds in DER or CBOR.
func TestTruncatedVectors(t *testing.T) {
	verifier, p := newVerifier(t), genuine(t, attest.ProfileGoogle)
	at := map[string]time.Time{}
	for _, v := range androidVectors(t) {
		at[filepath.Join(v.dir, v.File)] = v.VerifyAt
	}
	files := 0
	err := filepath.WalkDir(vectorDir(t), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(path, "vectors.json") || filepath.Ext(path) != ".pem" && filepath.Ext(path) != ".json" {
			return err
		}
		files++
		now, ok := at[path]
		if !ok {
			now = later
		}
		input := readFile(t, path)
		read := func(prefix []byte) (attest.Verdict, error) {
			ev, want, err := attest.Parse(prefix, attest.FormatAuto)
			if err != nil {
				return attest.Verdict{}, err
			}
			return verifier.Verify(ev, want, p, now)
		}
		neverAccepted(t, path, input, 80, read)
		ev, want, parseErr := attest.Parse(input, attest.FormatAuto)
		if parseErr != nil {
			return nil //nolint:nilerr // a published description, or a format that is not ours
		}
		if filepath.Ext(path) == ".json" {
			var recorded struct {
				VerifyAt time.Time `json:"verify_at"`
			}
			if json.Unmarshal(input, &recorded) == nil && !recorded.VerifyAt.IsZero() {
				now = recorded.VerifyAt
			}
		}
		if ev.Format == attest.FormatAndroidChain {
			neverAccepted(t, path+" in DER", slices.Concat(ev.Chain...), 80, read)
			for i := range ev.Chain {
				neverAccepted(t, path+", a certificate", ev.Chain[i], 25, func(prefix []byte) (attest.Verdict, error) {
					cut := slices.Clone(ev.Chain)
					cut[i] = prefix
					return verifier.Verify(attest.Evidence{Format: ev.Format, Chain: cut}, want, p, now)
				})
			}
			return nil
		}
		neverAccepted(t, path+", the object", ev.Object, 100, func(prefix []byte) (attest.Verdict, error) {
			return verifier.Verify(attest.Evidence{Format: ev.Format, Object: prefix}, want, p, now)
		})
		return nil
	})
	if err != nil || files < 60 {
		t.Errorf("%d files, %v", files, err)
	}
}

// TestTruncatedSamples: the catalogue, in the form of the command line and in
// its own bytes.
func TestTruncatedSamples(t *testing.T) {
	verifier := newVerifier(t)
	for _, d := range attesttest.Deviations() {
		ev, want, s := sample(t, d)
		p := rowPolicy(t, d, attest.ProfileGoogle)
		most := 6
		if d.Code == "" { // a good phone
			most = 60
		}
		neverAccepted(t, d.Name+" in JSON", []byte(asJSON(t, s)), most, func(prefix []byte) (attest.Verdict, error) {
			ev, _, err := attest.Parse(prefix, attest.FormatAuto)
			if err != nil {
				return attest.Verdict{}, err
			}
			return verifier.Verify(ev, want, p, s.At)
		})
		if ev.Format != attest.FormatAndroidChain {
			neverAccepted(t, d.Name, ev.Object, most, func(prefix []byte) (attest.Verdict, error) {
				return verifier.Verify(attest.Evidence{Format: ev.Format, Object: prefix}, want, p, s.At)
			})
			continue
		}
		for form, input := range map[string][]byte{"DER": slices.Concat(ev.Chain...), "PEM": []byte(pemOf(ev.Chain))} {
			neverAccepted(t, d.Name+" in "+form, input, most, func(prefix []byte) (attest.Verdict, error) {
				ev, _, err := attest.Parse(prefix, attest.FormatAuto)
				if err != nil {
					return attest.Verdict{}, err
				}
				return verifier.Verify(ev, want, p, s.At)
			})
		}
	}
}

// TestNothingFollows: a byte behind evidence is never ignored.
func TestNothingFollows(t *testing.T) {
	verifier := newVerifier(t)
	for _, d := range attesttest.Deviations() {
		if d.Code != "" || d.Format == attest.FormatAndroidChain {
			continue
		}
		ev, want, s := sample(t, d)
		ev.Object = append(bytes.Clone(ev.Object), 0)
		if v, err := verifier.Verify(ev, want, rowPolicy(t, d, attest.ProfileGoogle), s.At); err == nil && v.Accept() {
			t.Errorf("%s: accepted with a byte behind it", d.Name)
		}
	}
}
