package passkeytest_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/staunchid/staunch/internal/cbor"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

const (
	origin   = "https://example.org"
	creation = `{"rp":{"id":"example.org","name":"Demo"},"user":{"id":"AQID","name":"n","displayName":"n"},"challenge":"AAECAwQFBgcICQoLDA0ODw",
		"pubKeyCredParams":[{"type":"public-key","alg":-8},{"type":"public-key","alg":-7}],"extensions":{"credProps":true,"prf":{}}}`
	request = `{"publicKey":{"rpId":"example.org","challenge":"EBESExQVFhcYGRobHB0eHw"}}`
)

func authenticator(t testing.TB, o *passkeytest.Options) *passkeytest.Authenticator {
	t.Helper()
	a, err := passkeytest.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// answer is what a Relying Party reads.
type answer struct {
	ID, RawID, Type         string
	AuthenticatorAttachment string
	ClientExtensionResults  map[string]map[string]any
	Response                struct {
		ClientDataJSON, AttestationObject, AuthenticatorData, Signature string
		UserHandle                                                      *string
		Transports                                                      []string
	}
}

func parse(t testing.TB, text []byte, err error) answer {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var a answer
	if err := json.Unmarshal(text, &a); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return a
}

func raw(t testing.TB, text string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestGoodAnswer(t *testing.T) {
	a := authenticator(t, &passkeytest.Options{Algorithm: -7})
	response, err := a.Create([]byte(creation), origin)
	c := parse(t, response, err)
	cred := a.Credentials()[0]
	if c.ID != c.RawID || !bytes.Equal(raw(t, c.ID), cred.ID) || c.Type != "public-key" || c.AuthenticatorAttachment != "platform" {
		t.Errorf("%s", response)
	}
	want := `{"type":"webauthn.create","challenge":"AAECAwQFBgcICQoLDA0ODw","origin":"https://example.org","crossOrigin":false}`
	if got := raw(t, c.Response.ClientDataJSON); string(got) != want {
		t.Errorf("client data %s", got)
	}
	if !bytes.Equal(cred.UserHandle, []byte{1, 2, 3}) || c.ClientExtensionResults["credProps"]["rk"] != true || c.ClientExtensionResults["prf"]["enabled"] != true {
		t.Errorf("%s", response)
	}
	object, err := cbor.TextMap(raw(t, c.Response.AttestationObject))
	if err != nil {
		t.Fatal(err)
	}
	authData, _ := cbor.Bytes(object["authData"])
	key, err := cred.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256([]byte("example.org"))
	wantData := append(append(hash[:], 0x45, 0, 0, 0, 0), make([]byte, 16)...)
	wantData = append(append(append(wantData, 0, 32), cred.ID...), key...)
	if !bytes.Equal(authData, wantData) || !bytes.Equal(raw(t, c.Response.AuthenticatorData), authData) {
		t.Errorf("authenticator data\n%x, want\n%x", authData, wantData)
	}

	response, err = a.Get([]byte(request), origin)
	g := parse(t, response, err)
	if *g.Response.UserHandle != "AQID" || g.ID != c.ID || strings.Contains(string(response), "results") {
		t.Errorf("%s", response)
	}
	if got := raw(t, g.Response.AuthenticatorData); len(got) != 37 || got[32] != 0x05 {
		t.Errorf("%x", got)
	}
}

// TestChanges: each change shows where it should.
func TestChanges(t *testing.T) {
	a := authenticator(t, &passkeytest.Options{Synced: true, Count: true, Attestation: passkeytest.Self})
	if _, err := a.Create([]byte(creation), origin); err != nil {
		t.Fatal(err)
	}
	good, err := a.Get([]byte(request), origin)
	if err != nil {
		t.Fatal(err)
	}
	if data := raw(t, parse(t, good, nil).Response.AuthenticatorData); data[32] != 0x1d || data[36] != 2 {
		t.Errorf("synced and counting: %x", data)
	}
	for _, tt := range []struct {
		name   string
		change passkeytest.Change
		want   string // in the client data, the authenticator data (hex) or the response
	}{
		{"type", func(d *passkeytest.Draft) { d.Type = "payment.get" }, `{"type":"payment.get",`},
		{"type, another kind", passkeytest.Set("clientData.type", 7), `{"type":7,"challenge"`},
		{"no challenge", passkeytest.Remove("clientData.challenge"), `"webauthn.get","origin"`},
		{"more client data", passkeytest.Set("clientData.tokenBinding", map[string]any{"status": "x"}), `"tokenBinding":{"status":"x"}}`},
		{"top origin", func(d *passkeytest.Draft) { d.CrossOrigin, d.TopOrigin = true, "https://a.example" }, `"crossOrigin":true,"topOrigin":"https://a.example"}`},
		{"flags and count", func(d *passkeytest.Draft) { d.Flags, d.SignCount = 0, 258 }, "0000000102"},
		{"RP ID", func(d *passkeytest.Draft) { d.RPID = "" }, "e3b0c44298fc1c14"},
		{"extensions", func(d *passkeytest.Draft) { d.Extensions = map[string]any{"x": 1} }, "a1617801"},
		{"bytes", passkeytest.Edit(passkeytest.AuthenticatorData, passkeytest.Overwrite(0, 1, 2, 3)), "010203"},
		{"more bytes", passkeytest.Edit(passkeytest.AuthenticatorData, passkeytest.Append(9, 9)), "0909"},
		{"no user handle", func(d *passkeytest.Draft) { d.UserHandle = nil }, "-userHandle"},
		{"no id", passkeytest.Remove("id"), `-"id"`},
		{"prf results", passkeytest.Set("clientExtensionResults.prf", map[string]any{"results": "x"}), `{"prf":{"results":"x"}}`},
		{"response", passkeytest.Edit(passkeytest.Response, passkeytest.Truncate(1)), "-}}"},
	} {
		response, err := a.Get([]byte(request), origin, tt.change)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		text := string(response)
		var v answer
		if json.Unmarshal(response, &v) == nil {
			text += fmt.Sprintf("%s %x", raw(t, v.Response.ClientDataJSON), raw(t, v.Response.AuthenticatorData))
		}
		without, gone := strings.CutPrefix(tt.want, "-")
		if strings.Contains(text, without) == gone {
			t.Errorf("%s: want %s in %s", tt.name, tt.want, text)
		}
	}
}

// TestUse: another passkey answers, allowed or not, with its own key, flags,
// counter and user handle.
func TestUse(t *testing.T) {
	mine, other := authenticator(t, &passkeytest.Options{}), authenticator(t, &passkeytest.Options{Synced: true, Count: true})
	for _, a := range []*passkeytest.Authenticator{mine, other} {
		if _, err := a.Create([]byte(creation), origin); err != nil {
			t.Fatal(err)
		}
	}
	c := other.Credentials()[0]
	for name, options := range map[string]string{
		"allowed":     request,
		"not allowed": `{"rpId":"example.org","challenge":"AA","allowCredentials":[{"type":"public-key","id":"AA"}]}`,
	} {
		response, err := mine.Get([]byte(options), origin, passkeytest.Use(c))
		got := parse(t, response, err)
		data := raw(t, got.Response.AuthenticatorData)
		if !bytes.Equal(raw(t, got.ID), c.ID) || data[32] != 0x1d || data[36] != 1 || *got.Response.UserHandle != "AQID" {
			t.Errorf("%s: %s", name, response)
		}
	}
}

// TestExport: a passkey survives a file, and prints nothing of its key.
func TestExport(t *testing.T) {
	for _, alg := range []int{-7, -8, -35, -36, -37, -257, -65535} {
		a := authenticator(t, &passkeytest.Options{Algorithm: alg})
		if _, err := a.Create([]byte(creation), origin); err != nil {
			t.Fatal(err)
		}
		c := a.Credentials()[0]
		file, err := c.Export()
		if err != nil {
			t.Fatal(err)
		}
		back, err := passkeytest.ParseCredential(file)
		if err != nil {
			t.Fatal(err)
		}
		again, err := back.Export()
		if err != nil || !bytes.Equal(again, file) {
			t.Errorf("algorithm %d: %s, then %s (%v)", alg, file, again, err)
		}
		b := authenticator(t, &passkeytest.Options{Credentials: []passkeytest.Credential{back}})
		if _, err := b.Get([]byte(request), origin); err != nil {
			t.Error(err)
		}

		text, err := json.Marshal(map[string]any{"c": c, "p": &c})
		if err != nil {
			t.Fatal(err)
		}
		var log strings.Builder
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "c", c, "in", struct{ C any }{c})
		for _, s := range []string{string(text), log.String(), fmt.Sprintf("%v %+v %#v %s", c, &c, c, c)} {
			if !strings.Contains(s, "[redacted]") || strings.Contains(s, "example.org") {
				t.Error(s)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	a := authenticator(t, &passkeytest.Options{})
	if _, err := a.Create([]byte(creation), origin); err != nil {
		t.Fatal(err)
	}
	c := a.Credentials()[0]
	exclude := strings.Replace(creation, `"extensions"`, `"excludeCredentials":[{"type":"public-key","id":"`+base64.RawURLEncoding.EncodeToString(c.ID)+`"}],"extensions"`, 1)
	file, err := c.Export()
	if err != nil {
		t.Fatal(err)
	}
	create := func(options string, changes ...passkeytest.Change) func() error {
		return func() error { _, err := a.Create([]byte(options), origin, changes...); return err }
	}
	read := func(old, new string) func() error {
		return func() error {
			_, err := passkeytest.ParseCredential([]byte(strings.Replace(string(file), old, new, 1)))
			return err
		}
	}
	for _, tt := range []struct {
		name string
		do   func() error
		want string
	}{
		{"excluded", create(exclude), "excludeCredentials names"},
		{"no algorithm", create(strings.NewReplacer("-8", "-9", "-7", "-9").Replace(creation)), "offers none of"},
		{"no JSON", create("x"), "not those of WebAuthn"},
		{"nothing to remove", create(creation, passkeytest.Remove("response.signature")), "there is none"},
		{"too late", create(creation, func(d *passkeytest.Draft) { d.Attestation = passkeytest.Certified }), "chosen with Options.Attestation"},
		{"other RP", func() error { _, err := a.Get([]byte(`{"rpId":"example.com","challenge":"AA"}`), origin); return err }, "no passkey for RP ID"},
		{"not allowed", func() error {
			_, err := a.Get([]byte(`{"rpId":"example.org","challenge":"AA","allowCredentials":[{"type":"public-key","id":"AA"}]}`), origin)
			return err
		}, "no passkey for RP ID"},
		{"version", read(`"v":1`, `"v":2`), "version 2"},
		{"unknown member", read(`"v":1`, `"v":1,"w":1`), "unknown field"},
		{"other algorithm", read(`"alg":-8`, `"alg":-7`), "does not sign with COSE algorithm -7"},
		{"no key", func() error {
			_, err := passkeytest.New(&passkeytest.Options{Credentials: []passkeytest.Credential{{ID: []byte{1}}}})
			return err
		}, "without a key"},
		{"unknown algorithm", func() error { _, err := passkeytest.New(&passkeytest.Options{Algorithm: 5}); return err }, "Options.Algorithm 5"},
	} {
		if err := tt.do(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// TestMalformed: what the edits of bytes are for is indeed refused by a strict
// reader.
func TestMalformed(t *testing.T) {
	good, err := cbor.Marshal(map[string]any{"a": 1, "b": []byte{1, 2}})
	if err != nil {
		t.Fatal(err)
	}
	for name, edit := range map[string]func([]byte) []byte{
		"truncate": passkeytest.Truncate(1), "append": passkeytest.Append(0), "duplicate": passkeytest.DuplicateKey, "huge": passkeytest.HugeLength,
	} {
		var v any
		if err := cbor.Unmarshal(edit(good), &v); err == nil {
			t.Errorf("%s: %v", name, v)
		}
	}
	if got := passkeytest.Flip([]byte{1, 2}); !bytes.Equal(got, []byte{1, 3}) {
		t.Errorf("%x", got)
	}
}
