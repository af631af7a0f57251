package passkey_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// ours reports whether err is one that a client is told of.
func ours(err error) bool {
	for _, want := range []error{
		passkey.ErrMalformed, passkey.ErrRefused, passkey.ErrNotVerified, passkey.ErrSecretSent,
	} {
		if errors.Is(err, want) {
			return true
		}
	}
	return false
}

// FuzzVerifyAssertion: no response makes a panic or an error without a reason,
// and what is accepted has the signature of the passkey.
func FuzzVerifyAssertion(f *testing.F) {
	w := newWorld(f, &passkeytest.Options{Algorithm: -7})
	stored := w.registered()
	c, response := w.asserted()
	f.Add(response)
	f.Add([]byte(strings.Replace(string(response), `"signature":"`, `"signature":"A`, 1)))
	f.Add([]byte(`{"id":"AQID","rawId":"AQID","type":"public-key","response":{}}`))
	good, err := w.rp.VerifyAssertion(c, w.user, stored, response, now)
	must(f, err)
	f.Fuzz(func(t *testing.T, response []byte) {
		a, err := w.rp.VerifyAssertion(c, w.user, stored, response, now)
		if err != nil {
			if !ours(err) || a != nil {
				t.Fatalf("%v", err)
			}
			return
		}
		// One signature was ever made over this challenge.
		if !bytes.Equal(a.AuthenticatorData, good.AuthenticatorData) || !bytes.Equal(a.ClientDataJSON, good.ClientDataJSON) {
			t.Fatal("something is accepted that was not signed")
		}
		if id, err := passkey.UnverifiedCredentialID(response); err != nil || !bytes.Equal(id, stored.Record.ID) {
			t.Fatalf("accepted, but its ID is %x, %v", id, err)
		}
	})
}

// FuzzVerifyCreation: what is accepted makes a record that can be stored.
func FuzzVerifyCreation(f *testing.F) {
	w := newWorld(f, &passkeytest.Options{Algorithm: -7})
	c, response := w.created()
	f.Add(response)
	f.Add([]byte(`{"id":"AQID","rawId":"AQID","type":"public-key","response":{}}`))
	f.Fuzz(func(t *testing.T, response []byte) {
		r, err := w.rp.VerifyCreation(c, response, now)
		if err != nil {
			if !ours(err) || r != nil {
				t.Fatalf("%v", err)
			}
			return
		}
		line, err := r.Record.Encode()
		must(t, err)
		if _, err := passkey.ParseRecord(line); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
	})
}

// FuzzClientData changes the client data and signs it again: nothing is accepted
// but type, challenge and origin of the ceremony, from no frame.
func FuzzClientData(f *testing.F) {
	w := newWorld(f, &passkeytest.Options{Algorithm: -8}) // signs fast
	stored := w.registered()
	c, opts, err := w.page.Request(passkey.SignIn, nil, nil, now)
	must(f, err)
	challenge := b64(c.Challenge)
	f.Add(`{"type":"webauthn.get","challenge":"C","origin":"`+page+`","crossOrigin":false}`, byte(0x05))
	f.Add(`{"type":"webauthn.get","challenge":"C","origin":"`+page+`","topOrigin":"`+page+`","crossOrigin":true}`, byte(0x1d))
	f.Add(`{"Type":"webauthn.get","challenge":"C","origin":"`+page+`","other":[{}],"challenge":""}`, byte(0x15))
	f.Fuzz(func(t *testing.T, clientData string, bits byte) {
		clientData = strings.ReplaceAll(clientData, `"C"`, `"`+challenge+`"`)
		response, err := w.device.Get(opts, page, func(d *passkeytest.Draft) { d.Flags = bits &^ 0xc0 },
			passkeytest.Edit(passkeytest.ClientData, func([]byte) []byte { return []byte(clientData) }))
		if err != nil {
			t.Skip(err)
		}
		a, err := w.rp.VerifyAssertion(c, w.user, stored, response, now)
		if err != nil {
			if !ours(err) {
				t.Fatalf("%v", err)
			}
			return
		}
		if !strings.Contains(clientData, "webauthn.get") && !strings.Contains(clientData, `\`) {
			t.Fatalf("accepted: %s", clientData)
		}
		if a.Flags&0x05 != 0x05 || a.Flags&0x18 == 0x10 {
			t.Fatalf("accepted with flags %08b", a.Flags)
		}
	})
}

// FuzzParseRecord: what is taken is written in the same way.
func FuzzParseRecord(f *testing.F) {
	f.Add([]byte(recordText))
	f.Add([]byte(`{"v":1}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := passkey.ParseRecord(line)
		if err != nil {
			return
		}
		again, err := r.Encode()
		if err != nil || !bytes.Equal(again, line) {
			t.Fatalf("%v\n%s\n%s", err, line, again)
		}
	})
}

// FuzzParseMetadata: without a signature nothing is taken.
func FuzzParseMetadata(f *testing.F) {
	blob, root := signedBlob(f, map[string]any{"legalHeader": "x", "no": 1, "nextUpdate": "2026-09-01", "entries": []any{}})
	f.Add([]byte("a.b.c"))
	f.Add(blob[:len(blob)-1])
	f.Fuzz(func(t *testing.T, changed []byte) {
		payload := func(b []byte) string { // what is signed
			text := string(bytes.TrimSpace(b))
			return text[:max(strings.LastIndexByte(text, '.'), 0)]
		}
		if _, err := passkey.ParseMetadata(changed, root, now); err == nil && payload(changed) != payload(blob) {
			t.Fatalf("taken: %q", changed)
		}
	})
}
