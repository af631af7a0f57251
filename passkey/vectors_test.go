package passkey_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	folder "github.com/staunchid/staunch/internal/vectors"
	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// vectors reads a file of the W3C's test vectors (WebAuthn L3 §16), which are
// not part of the repository.
func vectors(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder.Dir(t, "webauthn"), name))
	must(t, err)
	must(t, json.Unmarshal(text, into))
}

// encoded is a response with the fields of a vector.
func encoded(t *testing.T, id hexBytes, fields map[string]hexBytes) []byte {
	t.Helper()
	inner := map[string]string{}
	for name, b := range fields {
		inner[name] = b64(b)
	}
	text, err := json.Marshal(map[string]any{"id": b64(id), "rawId": b64(id), "type": "public-key", "response": inner, "clientExtensionResults": map[string]any{}})
	must(t, err)
	return text
}

// foreign is a Relying Party for vectors; frames are expected only if it says so.
func foreign(t *testing.T, frames bool) *world {
	w := newWorld(t, &passkeytest.Options{})
	var tops []string
	if frames {
		tops = []string{"https://example.com"}
	}
	passkey.Foreign(w.rp, tops...)
	var err error
	w.page, err = w.rp.For(passkey.Dialog{Origin: otherPage}) // that of the vectors
	must(t, err)
	return w
}

func (v *w3cVector) create(t *testing.T, w *world) (*passkey.Registration, error) {
	t.Helper()
	c, _, err := w.page.Create(passkey.Enrol, w.user, nil, now)
	must(t, err)
	c.Challenge = v.Registration.Challenge // 128 bytes of one
	return w.rp.VerifyCreation(c, encoded(t, v.Registration.CredentialID, map[string]hexBytes{
		"clientDataJSON": v.Registration.ClientDataJSON, "attestationObject": v.Registration.AttestationObject,
	}), now)
}

func (v *w3cVector) get(t *testing.T, w *world) (*passkey.Assertion, error) {
	t.Helper()
	stored := passkey.Stored{Record: passkey.Record{RPID: "example.org", Account: w.user.Account, ID: v.Registration.CredentialID, Key: v.Expected.Key}}
	if v.Expected.Flags["BE"] {
		stored.Record.Flags = passkeytest.BackupEligible
	}
	c, _, err := w.page.Request(passkey.StepUp, []passkey.Record{stored.Record}, nil, now)
	must(t, err)
	c.Challenge = v.Authentication.Challenge
	response := encoded(t, v.Registration.CredentialID, map[string]hexBytes{
		"clientDataJSON": v.Authentication.ClientDataJSON, "authenticatorData": v.Authentication.AuthenticatorData,
		"signature": v.Authentication.Signature,
	})
	id, err := passkey.UnverifiedCredentialID(response)
	if err != nil || !bytes.Equal(id, v.Registration.CredentialID) {
		t.Errorf("credential ID %x, %v", id, err)
	}
	return w.rp.VerifyAssertion(c, w.user, stored, response, now)
}

// TestW3C runs the 15 pairs of the specification. Three statements cannot be
// verified: that of a TPM of no manufacturer, and two under roots that are not
// those of Google and Apple. Ed448 is unknown to the standard library.
func TestW3C(t *testing.T) {
	noCreation := map[string]bool{"tpm-es256": true, "android-key-es256": true, "apple-es256": true}
	noAssertion := map[string]bool{"packed-ed448": true}
	framed := map[string]bool{"none-es256-crossOrigin": true, "none-es256-topOrigin": true}
	var file struct{ Vectors []w3cVector }
	vectors(t, "webauthn-l3-vectors.json", &file)
	creations, assertions := 0, 0
	for _, v := range file.Vectors {
		t.Run(v.ID, func(t *testing.T) {
			r, err := v.create(t, foreign(t, true))
			switch {
			case (err != nil) != noCreation[v.ID]:
				t.Errorf("creation: %v", err)
			case err == nil:
				creations++
				if !bytes.Equal(r.Record.ID, v.Registration.CredentialID) || !bytes.Equal(r.Record.Key, v.Expected.Key) {
					t.Error("creation: not the ID or key of the vector")
				}
			}
			a, err := v.get(t, foreign(t, true))
			switch {
			case (err != nil) != noAssertion[v.ID]:
				t.Errorf("assertion: %v", err)
			case err == nil:
				assertions++
				if a.BackupEligibleChanged {
					t.Error("assertion: backup eligibility changed")
				}
			}
			// Without frames, as ours always is.
			if _, err := v.create(t, foreign(t, false)); (err != nil) != (noCreation[v.ID] || framed[v.ID]) {
				t.Errorf("creation without frames: %v", err)
			}
			if _, err := v.get(t, foreign(t, false)); (err != nil) != (noAssertion[v.ID] || framed[v.ID]) {
				t.Errorf("assertion without frames: %v", err)
			}
		})
	}
	if len(file.Vectors) != 15 || creations != 12 || assertions != 14 {
		t.Errorf("%d vectors, %d creations and %d assertions are good; want 15, 12 and 14", len(file.Vectors), creations, assertions)
	}
}

// TestW3CSecrets: what the vectors of prf give a client is refused here.
func TestW3CSecrets(t *testing.T) {
	var file struct {
		Cases []struct {
			Output1 hexBytes `json:"output1"`
		}
	}
	vectors(t, "webauthn-l3-prf-vectors.json", &file)
	if len(file.Cases) != 3 {
		t.Fatalf("%d cases", len(file.Cases))
	}
	for _, c := range file.Cases {
		both(t, passkey.ErrSecretSent, func(d *passkeytest.Draft) {
			d.ClientExtensions = map[string]any{"prf": map[string]any{"results": map[string]any{"first": b64(c.Output1)}}}
		})
	}
}
