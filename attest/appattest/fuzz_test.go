package appattest_test

import (
	"bytes"
	"testing"

	"github.com/staunchid/staunch/attest/appattest"
)

func FuzzAttestationObject(f *testing.F) {
	p := newPhone()
	want := p.expect()
	f.Add(p.attest())
	for _, edit := range []func(*phone){
		func(p *phone) { p.flags, p.extensions = 0xc0, encode(map[string]any{"apple_bundle_version_01": "1"}) },
		func(p *phone) { p.statement = func(s map[string]any) { delete(s, "receipt") } },
		func(p *phone) {
			p.chain = func(c [][]byte) [][]byte { return append(c, want.Roots.Attestation[0].Raw) }
		},
		func(p *phone) { p.chain = func(c [][]byte) [][]byte { return c[:1] } },
		func(p *phone) { p.counter = 1 },
		func(p *phone) { p.leafSigner = testKeys().root },
	} {
		p := newPhone()
		edit(p)
		f.Add(p.attest())
	}
	empty := *want
	empty.Roots = appattest.Roots{}
	f.Fuzz(func(t *testing.T, object []byte) {
		att, err := verify(t, object, want)
		if err != nil {
			if c := code(t, err); (att == nil) != (c == "malformed" || c == "unsupported") {
				t.Errorf("%v with %v", att, err)
			}
			return
		}
		// Accepted: it is our key, bound to our client data, and only because the root is pinned.
		if !bytes.Equal(att.KeyID, want.KeyID) || !bytes.Equal(att.CredentialID, want.KeyID) || att.Counter != 0 || att.Environment == "" {
			t.Errorf("accepted %+v", att)
		}
		if _, err := verify(t, object, &empty); code(t, err) != "root_unknown" && code(t, err) != "chain_length" {
			t.Errorf("without roots: %v", err)
		}
	})
}

func FuzzAuthData(f *testing.F) {
	f.Add(newPhone().authData())
	for _, extensions := range []any{
		map[string]any{"apple_validation_category_01": []byte{4, 0, 0, 0}, "apple_bundle_version_01": "1"},
		map[string]any{"apple_validation_category_01": 4, "apple_cd_hash_type_01": []byte{2}, "new": nil},
		map[int]any{1: 1}, []any{}, nil,
	} {
		p := newPhone()
		p.flags, p.extensions = 0xc0, encode(extensions)
		f.Add(p.authData())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ext, readable, err := appattest.ParseAuthData(b)
		if err != nil {
			code(t, err)
			return
		}
		switch {
		case !readable || len(b) < 88 || b[32]&0x40 == 0:
			t.Errorf("accepted %x", b)
		case ext == nil && b[32]&0x80 != 0:
			t.Errorf("accepted without extensions: %x", b)
		}
		if _, _, err := appattest.ParseAuthData(append(bytes.Clone(b), 0)); err == nil {
			t.Errorf("accepted with a trailing byte: %x", b)
		}
	})
}

func FuzzAssertion(f *testing.F) {
	k := testKeys()
	s := newSigner()
	f.Add(s.assert())
	s.flags, s.extensions = 0xc0, encode(map[string]any{"apple_validation_category_01": []byte{4, 0, 0, 0}})
	f.Add(s.assert())
	s.extensions = []byte{0}
	f.Add(s.assert())
	f.Fuzz(func(t *testing.T, object []byte) {
		a, err := appattest.VerifyAssertion(object, point(k.leaf), s.clientDataHash)
		if err != nil {
			if (a == nil) != (code(t, err) == "malformed") {
				t.Errorf("%v with %v", a, err)
			}
			return
		}
		if len(a.RPIDHash) != 32 {
			t.Errorf("accepted %+v", a)
		}
		if _, err := appattest.VerifyAssertion(object, point(k.other), s.clientDataHash); code(t, err) != "assertion_signature" {
			t.Errorf("under another key: %v", err)
		}
	})
}

func FuzzReceipt(f *testing.F) {
	trusted := roots()
	r := newReceipt()
	f.Add(r.cms())
	r.set(6, []byte("ATTEST"))
	r.set(17, nil)
	f.Add(r.cms())
	r.set(12, []byte("2026-11-21T12:00:00Z"))
	f.Add(r.cms())
	r.signers = 2
	f.Add(r.cms())
	f.Fuzz(func(t *testing.T, cms []byte) {
		got, err := appattest.VerifyReceipt(cms, trusted)
		if err != nil {
			if code(t, err) == "malformed" && got != nil {
				t.Errorf("%v with %v", got, err)
			}
			return
		}
		if got.AppID == "" || len(got.KeyID) != 32 || got.CreationTime.IsZero() || got.Expiration.IsZero() {
			t.Errorf("accepted %+v", got)
		}
		if _, err := appattest.VerifyReceipt(cms, appattest.AppleRoots()); code(t, err) != "receipt_invalid" {
			t.Errorf("under other roots: %v", err)
		}
	})
}
