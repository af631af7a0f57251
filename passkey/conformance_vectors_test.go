package passkey_test

import (
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/staunchid/staunch/account"
	folder "github.com/staunchid/staunch/internal/vectors"
	"github.com/staunchid/staunch/passkey"
)

// hexBytes are as the vectors write bytes.
type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

// w3cVector is what the second opinion needs of a pair of WebAuthn L3 §16.
type w3cVector struct {
	ID           string `json:"id"`
	Registration struct {
		Challenge         hexBytes `json:"challenge"`
		CredentialID      hexBytes `json:"credential_id"`
		ClientDataJSON    hexBytes `json:"clientDataJSON"`
		AttestationObject hexBytes `json:"attestationObject"`
	} `json:"registration"`
	Authentication struct {
		Challenge         hexBytes `json:"challenge"`
		ClientDataJSON    hexBytes `json:"clientDataJSON"`
		AuthenticatorData hexBytes `json:"authenticatorData"`
		Signature         hexBytes `json:"signature"`
	} `json:"authentication"`
	Expected struct {
		Key   hexBytes        `json:"credentialPublicKeyCOSE"`
		Flags map[string]bool `json:"registrationFlags"`
	} `json:"expected"`
}

// fidoTopOrigin is the one that the vectors name.
const fidoTopOrigin = "https://example.com"

// vectorQuestions gives the W3C vectors, as they are, to our Relying Party,
// which wants user verification and no frames and so refuses many of them, and
// to one with the rules that they were made for.
func vectorQuestions(t *testing.T) []question {
	t.Helper()
	dir, found := folder.Find(t, "webauthn")
	if !found && os.Getenv("CI") != "true" {
		t.Log("without the W3C vectors, which are not found at " + dir)
		return nil
	}
	data, err := os.ReadFile(filepath.Join(dir, "webauthn-l3-vectors.json"))
	if err != nil {
		t.Fatalf("WebAuthn vectors: %v; set STAUNCH_VECTORS to the folder that has webauthn/", err)
	}
	var all struct {
		Root struct {
			Certificate hexBytes `json:"attestation_ca_cert"`
		} `json:"attestationRoot"`
		Vectors []w3cVector `json:"vectors"`
	}
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	root := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: all.Root.Certificate}))
	var questions []question
	for _, v := range all.Vectors {
		for rules, foreign := range map[string]bool{"W3C": false, "W3C-foreign": true} {
			created, asserted := v.exchanges(t, foreign)
			q := created.question(rules + "-creation " + v.ID)
			q.Roots = []string{root}
			questions = append(questions, q, asserted.question(rules+"-assertion "+v.ID))
		}
	}
	return questions
}

// exchanges has our Relying Party decide about both halves of a vector.
func (v *w3cVector) exchanges(t *testing.T, foreign bool) (created, asserted *exchange) {
	t.Helper()
	s := newFIDOServer(t, nil)
	if foreign {
		passkey.Foreign(s.rp, fidoTopOrigin)
	}
	user := passkey.User{Account: account.ID("a_" + strings.Repeat("w", 26)), Handle: make([]byte, 64)}
	response := func(inner map[string]hexBytes) []byte {
		fields := map[string]string{}
		for name, b := range inner {
			fields[name] = base64url(b)
		}
		id := base64url(v.Registration.CredentialID)
		text, err := json.Marshal(map[string]any{"id": id, "rawId": id, "type": "public-key", "response": fields, "clientExtensionResults": map[string]any{}})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}

	c, _, err := s.rp.Create(passkey.Enrol, user, nil, s.now)
	if err != nil {
		t.Fatal(err)
	}
	c.Challenge = v.Registration.Challenge
	created = &exchange{kind: "create", foreign: foreign, ceremony: c, response: response(map[string]hexBytes{
		"clientDataJSON": v.Registration.ClientDataJSON, "attestationObject": v.Registration.AttestationObject,
	})}
	_, created.err = s.rp.VerifyCreation(c, created.response, s.now)

	stored := passkey.Stored{Record: passkey.Record{RPID: fidoRPID, Account: user.Account, ID: v.Registration.CredentialID, Key: v.Expected.Key}}
	if v.Expected.Flags["BE"] {
		stored.Record.Flags |= 0x08
	}
	c, _, err = s.rp.Request(passkey.StepUp, []passkey.Record{stored.Record}, nil, s.now)
	if err != nil {
		t.Fatal(err)
	}
	c.Challenge = v.Authentication.Challenge
	asserted = &exchange{kind: "get", foreign: foreign, ceremony: c, stored: stored, response: response(map[string]hexBytes{
		"clientDataJSON": v.Authentication.ClientDataJSON, "authenticatorData": v.Authentication.AuthenticatorData,
		"signature": v.Authentication.Signature,
	})}
	_, asserted.err = s.rp.VerifyAssertion(c, user, stored, asserted.response, s.now)
	return created, asserted
}
