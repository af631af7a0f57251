package appattest_test

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"testing"

	"github.com/staunchid/staunch/attest/appattest"
)

// TestPrefixes: evidence cut short anywhere is an error or a Failure.
func TestPrefixes(t *testing.T) {
	k := testKeys()
	p := newPhone()
	p.flags, p.extensions = 0xc0, encode(map[string]any{"apple_bundle_version_01": "1"})
	want := p.expect()
	s := newSigner()
	prefixes(t, "attestation", p.attest(), func(b []byte) error {
		_, err := verify(t, b, want)
		return err
	})
	prefixes(t, "assertion", s.assert(), func(b []byte) error {
		_, err := appattest.VerifyAssertion(b, spki(k.leaf), s.clientDataHash)
		return err
	})
	trusted := roots()
	prefixes(t, "receipt", newReceipt().cms(), func(b []byte) error {
		_, err := appattest.VerifyReceipt(b, trusted)
		return err
	})
}

func TestVectorPrefixes(t *testing.T) {
	apple := appattest.AppleRoots()
	for _, v := range vectors(t) {
		want := v.expect()
		att, err := appattest.VerifyAttestation(v.Attestation, want, v.VerifyAt)
		if err != nil {
			t.Fatal(err)
		}
		prefixes(t, v.Name, v.Attestation, func(b []byte) error {
			_, err := appattest.VerifyAttestation(b, want, v.VerifyAt)
			return err
		})
		for _, a := range v.Assertions {
			hash := v.expect().ClientDataHash
			prefixes(t, v.Name, a.Assertion, func(b []byte) error {
				_, err := appattest.VerifyAssertion(b, att.KeySPKI, hash)
				return err
			})
		}
		receipts := [][]byte{att.Receipt}
		for _, r := range v.Receipts {
			receipts = append(receipts, r.Receipt)
		}
		for _, r := range receipts {
			prefixes(t, v.Name, r, func(b []byte) error {
				_, err := appattest.VerifyReceipt(b, apple)
				return err
			})
		}
	}
}

func prefixes(t *testing.T, name string, whole []byte, verify func([]byte) error) {
	t.Helper()
	for n := range whole {
		if code(t, verify(whole[:n:n])) == "" {
			t.Errorf("%s: the first %d of %d bytes are accepted", name, n, len(whole))
		}
	}
}

// TestVectorBitFlips: no bit of signed evidence can be changed. The receipt is
// not signed by the attestation, so its bytes are left out, and so is what
// makes it disappear by changing its name.
func TestVectorBitFlips(t *testing.T) {
	for _, v := range vectors(t) {
		want := v.expect()
		att, err := appattest.VerifyAttestation(v.Attestation, want, v.VerifyAt)
		if err != nil {
			t.Fatal(err)
		}
		at := bytes.Index(v.Attestation, att.Receipt)
		for i := 0; i < len(v.Attestation); i += 23 { // a stride that meets every field
			if i >= at && i < at+len(att.Receipt) {
				continue
			}
			b := bytes.Clone(v.Attestation)
			b[i] ^= 1 << (i % 8)
			got, err := appattest.VerifyAttestation(b, want, v.VerifyAt)
			if err == nil && got.Receipt != nil {
				t.Errorf("%s: byte %d changed and accepted", v.Name, i)
			}
		}
		for _, a := range v.Assertions {
			for i := range a.Assertion {
				b := bytes.Clone(a.Assertion)
				b[i] ^= 1 << (i % 8)
				hash := v.expect().ClientDataHash
				if _, err := appattest.VerifyAssertion(b, att.KeySPKI, hash); err == nil {
					t.Errorf("%s: assertion: byte %d changed and accepted", v.Name, i)
				}
			}
		}
	}
}

// TestLargeInput: 10 MB end within 50 ms and 4 MiB.
func TestLargeInput(t *testing.T) {
	const size = 10 << 20
	k := testKeys()
	text := append([]byte{0xa1, 0x63, 'f', 'm', 't', 0x5a}, binary.BigEndian.AppendUint32(nil, size)...)
	cms := append([]byte{0x30, 0x84}, binary.BigEndian.AppendUint32(nil, size)...)
	want := newPhone().expect()
	for name, b := range map[string][]byte{
		"noise":          bytes.Repeat([]byte{0x9f, 0xa5, 0x31}, size/3),
		"arrays":         bytes.Repeat([]byte{0x81}, size),
		"one long text":  append(text, make([]byte, size)...),
		"one long value": append(cms, make([]byte, size)...),
		"sequences":      bytes.Repeat([]byte{0x30, 0x80}, size/2),
		"zeros":          make([]byte, size),
	} {
		for verb, verify := range map[string]func() error{
			"attestation": func() error { _, err := verify(t, b, want); return err },
			"assertion": func() error {
				_, err := appattest.VerifyAssertion(b, point(k.leaf), want.ClientDataHash)
				return err
			},
			"receipt": func() error { _, err := appattest.VerifyReceipt(b, want.Roots); return err },
		} {
			var err error
			allocated := uint64(1 << 62)
			for range 5 { // the best of them: other work on the machine is not ours
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				err = verify()
				runtime.ReadMemStats(&after)
				allocated = min(allocated, after.TotalAlloc-before.TotalAlloc)
			}
			if code(t, err) != "malformed" {
				t.Errorf("%s as %s: %v", name, verb, err)
			}
			if allocated > 4<<20 {
				t.Errorf("%s as %s: %d bytes", name, verb, allocated)
			}
		}
	}
}
