package passkey_test

import (
	"crypto/x509"
	"time"

	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// fidoStructure is what answers of both kinds have: id, type and response.
func fidoStructure() []fidoItem {
	set, remove := passkeytest.Set, passkeytest.Remove
	return []fidoItem{
		{id: "F-1", what: "no id", change: remove("id"), want: passkey.ErrMalformed},
		{id: "F-2", what: "id is a number", change: set("id", 7), want: passkey.ErrMalformed},
		{id: "F-3", what: "id is not base64url", change: set("id", "+/+/=="), want: passkey.ErrMalformed},
		{id: "F-4", what: "no type", change: remove("type"), want: passkey.ErrMalformed},
		{id: "F-5", what: "type is null", change: set("type", nil), want: passkey.ErrMalformed},
		{id: "F-6", what: "type is another", change: set("type", "password"), want: passkey.ErrMalformed},
		{id: "F-7", what: "no response", change: remove("response"), want: passkey.ErrMalformed},
		{id: "F-8", what: "response is text", change: set("response", "x"), want: passkey.ErrMalformed},
		{id: "F-9", what: "no clientDataJSON", change: remove("response.clientDataJSON"), want: passkey.ErrMalformed},
		{id: "F-10", what: "clientDataJSON is an object", change: set("response.clientDataJSON", map[string]any{}), want: passkey.ErrMalformed},
		{id: "F-11", what: "clientDataJSON is empty", change: set("response.clientDataJSON", ""), want: passkey.ErrMalformed},
	}
}

func fidoAttestationStructure() []fidoItem {
	set, remove := passkeytest.Set, passkeytest.Remove
	return append(fidoStructure(),
		fidoItem{id: "P-1", what: "good; excluded from then on"},
		fidoItem{id: "F-12", what: "no attestationObject", change: remove("response.attestationObject"), want: passkey.ErrMalformed},
		fidoItem{id: "F-13", what: "attestationObject is a number", change: set("response.attestationObject", 7), want: passkey.ErrMalformed},
		fidoItem{id: "F-14", what: "attestationObject is empty", change: set("response.attestationObject", ""), want: passkey.ErrMalformed},
	)
}

// fidoClientData is Resp-2 of both: what is signed is the changed client data.
func fidoClientData(right, wrong string) []fidoItem {
	set, remove := passkeytest.Set, passkeytest.Remove
	return []fidoItem{
		{id: "F-1", what: "no type", change: remove("clientData.type"), want: passkey.ErrRefused},
		{id: "F-2", what: "type is a number", change: set("clientData.type", 7), want: passkey.ErrMalformed},
		{id: "F-3", what: "type is empty", change: set("clientData.type", ""), want: passkey.ErrRefused},
		{id: "F-4", what: "type is another", change: set("clientData.type", right+"x"), want: passkey.ErrRefused},
		{id: "F-5", what: "type of the other ceremony", change: set("clientData.type", wrong), want: passkey.ErrRefused},
		{id: "F-6", what: "no challenge", change: remove("clientData.challenge"), want: passkey.ErrRefused},
		{id: "F-7", what: "challenge is an array", change: set("clientData.challenge", []int{1}), want: passkey.ErrMalformed},
		{id: "F-8", what: "challenge is empty", change: set("clientData.challenge", ""), want: passkey.ErrRefused},
		{id: "F-9", what: "challenge is padded", change: func(d *passkeytest.Draft) {
			set("clientData.challenge", padded(d.Challenge))(d)
		}, want: passkey.ErrRefused},
		{id: "F-10", what: "another challenge", change: func(d *passkeytest.Draft) { d.Challenge = passkeytest.Flip(d.Challenge) }, want: passkey.ErrRefused},
		{id: "F-11", what: "no origin", change: remove("clientData.origin"), want: passkey.ErrRefused},
		{id: "F-12", what: "origin is a number", change: set("clientData.origin", 7), want: passkey.ErrMalformed},
		{id: "F-13", what: "origin is empty", change: set("clientData.origin", ""), want: passkey.ErrRefused},
		{id: "F-14", what: "another origin", change: set("clientData.origin", "https://example.com"), want: passkey.ErrRefused},
		{id: "F-15", what: "tokenBinding is text", change: set("clientData.tokenBinding", "x"), want: passkey.ErrMalformed},
		{id: "F-16", what: "tokenBinding without status", change: set("clientData.tokenBinding", map[string]any{"id": "AA"}), want: passkey.ErrRefused},
		{id: "F-17", what: "tokenBinding.status is another", change: set("clientData.tokenBinding", map[string]any{"status": "x"}), want: passkey.ErrRefused},
	}
}

func fidoAttestationObject() []fidoItem {
	set, remove, edit := passkeytest.Set, passkeytest.Remove, passkeytest.Edit
	self := passkeytest.Options{Attestation: passkeytest.Self}
	short := func(b []byte) []byte { return b[:37] } // without attested credential data
	items := []fidoItem{
		{id: "P-1", what: "with extension data", change: func(d *passkeytest.Draft) { d.Extensions = map[string]any{"credProtect": 2} }},
		{id: "F-1", what: "not a CBOR map", change: edit(passkeytest.AttestationObject, passkeytest.Overwrite(0, 0x83)), want: passkey.ErrMalformed},
		{id: "F-2", what: "no fmt", change: remove("attestationObject.fmt"), want: passkey.ErrRefused},
		{id: "F-3", what: "fmt is a number", change: set("attestationObject.fmt", 7), want: passkey.ErrMalformed},
		{id: "F-4", what: "no attStmt", change: remove("attestationObject.attStmt"), want: passkey.ErrRefused},
		{id: "F-5", what: "attStmt is an array", change: set("attestationObject.attStmt", []int{1}), want: passkey.ErrMalformed},
		{id: "F-6", what: "no authData", change: remove("attestationObject.authData"), want: passkey.ErrMalformed},
		{id: "F-7", what: "authData is text", change: set("attestationObject.authData", "x"), want: passkey.ErrMalformed},
		{id: "F-8", what: "authData is empty", change: set("attestationObject.authData", []byte{}), want: passkey.ErrMalformed},
		{id: "F-9", what: "AT not set, but attested data", change: func(d *passkeytest.Draft) { d.Flags &^= passkeytest.AttestedData }, want: passkey.ErrMalformed},
		{id: "F-10", what: "AT not set, no attested data", change: func(d *passkeytest.Draft) {
			d.Flags &^= passkeytest.AttestedData
			edit(passkeytest.AuthenticatorData, short)(d)
		}, want: passkey.ErrMalformed},
		{id: "F-11", what: "AT set, no attested data", change: edit(passkeytest.AuthenticatorData, short), want: passkey.ErrMalformed},
		{id: "F-12", what: "leftover bytes", change: edit(passkeytest.AuthenticatorData, passkeytest.Append(0, 0)), want: passkey.ErrMalformed},
		{id: "F-13", what: "attStmt is empty", change: set("attestationObject.attStmt", map[string]any{}), want: passkey.ErrRefused},
		{id: "F-14", what: "no alg", change: remove("attestationObject.attStmt.alg"), want: passkey.ErrRefused},
		{id: "F-15", what: "alg is text", change: set("attestationObject.attStmt.alg", "-7"), want: passkey.ErrRefused},
		{id: "F-16", what: "alg is another", change: set("attestationObject.attStmt.alg", -257), want: passkey.ErrRefused},
		{id: "F-17", what: "no sig", change: remove("attestationObject.attStmt.sig"), want: passkey.ErrRefused},
		{id: "F-18", what: "sig is text", change: set("attestationObject.attStmt.sig", "x"), want: passkey.ErrRefused},
		{id: "F-19", what: "sig is empty", change: set("attestationObject.attStmt.sig", []byte{}), want: passkey.ErrRefused},
	}
	for i := range items {
		items[i].opts = self
	}
	return items
}

// fidoAlgorithms is Resp-4. We offer EdDSA, ES256 and RS256 and no other, so
// the optional rest and RS1 are refused.
func fidoAlgorithms() []fidoItem {
	alg := func(id, what string, alg int, want error) fidoItem {
		return fidoItem{id: id, what: what, opts: passkeytest.Options{Algorithm: alg, Attestation: passkeytest.Self}, want: want}
	}
	return []fidoItem{
		alg("P-2", "PS256", -37, passkey.ErrRefused),
		alg("P-3", "PS384", -38, passkey.ErrRefused),
		alg("P-4", "PS512", -39, passkey.ErrRefused),
		alg("P-5", "RS256", -257, nil),
		alg("P-6", "RS384", -258, passkey.ErrRefused),
		alg("P-7", "RS512", -259, passkey.ErrRefused),
		alg("P-8", "RS1", -65535, passkey.ErrRefused),
		alg("P-9", "ES256", -7, nil),
		alg("P-10", "ES384", -35, passkey.ErrRefused),
		alg("P-11", "ES512", -36, passkey.ErrRefused),
		alg("P-12", "EdDSA", -8, nil),
	}
}

func fidoPackedFull() []fidoItem {
	set, remove, edit := passkeytest.Set, passkeytest.Remove, passkeytest.Edit
	dates := func(from, to int) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			c.NotBefore = time.Date(from, 1, 1, 0, 0, 0, 0, time.UTC)
			c.NotAfter = time.Date(to, 1, 1, 0, 0, 0, 0, time.UTC)
		}
	}
	items := []fidoItem{
		{id: "P-1", what: "good"},
		{id: "F-1", what: "unknown fmt", change: func(d *passkeytest.Draft) { d.Format = "packed2" }, want: passkey.ErrRefused},
		{id: "F-2", what: "bad signature", change: edit(passkeytest.Signature, passkeytest.Flip), want: passkey.ErrRefused},
		{id: "F-3", what: "no x5c", change: remove("attestationObject.attStmt.x5c"), want: passkey.ErrRefused},
		{id: "F-4", what: "x5c is bytes", change: set("attestationObject.attStmt.x5c", []byte{1}), want: passkey.ErrRefused},
		{id: "F-5", what: "x5c is empty", change: set("attestationObject.attStmt.x5c", []any{}), want: passkey.ErrRefused},
		{id: "F-6", what: "the leaf has expired", change: func(d *passkeytest.Draft) { d.Leaf = dates(2020, 2021) }, want: passkey.ErrRefused},
		{id: "F-7", what: "the leaf is not yet valid", change: func(d *passkeytest.Draft) { d.Leaf = dates(2089, 2090) }, want: passkey.ErrRefused},
		{id: "F-13", what: "signed with another key than the leaf's", change: func(d *passkeytest.Draft) {
			d.Chain = func(c [][]byte) [][]byte { return [][]byte{c[2]} }
		}, want: passkey.ErrRefused},
		{id: "F-14", what: "signed with the credential's key", change: func(d *passkeytest.Draft) { d.Sign = d.Credential.Sign }, want: passkey.ErrRefused},
	}
	for i := range items {
		items[i].opts.Attestation = passkeytest.Certified
	}
	chain := func(f func(c [][]byte) [][]byte) passkeytest.Change {
		return func(d *passkeytest.Draft) { d.Chain = f }
	}
	return append(items, fidoModels(
		fidoItem{id: "P-2", what: "the chain leads to a root in the metadata"},
		fidoItem{id: "F-9", what: "the intermediate is missing", change: chain(func(c [][]byte) [][]byte { return c[:1] }), want: errFinding},
		fidoItem{id: "F-10", what: "the root is in the chain", change: chain(func(c [][]byte) [][]byte { return c })},
		fidoItem{id: "F-11", what: "the root before the intermediate", change: chain(func(c [][]byte) [][]byte { return [][]byte{c[0], c[2], c[1]} })},
		fidoItem{id: "F-12", what: "the intermediate has expired", change: func(d *passkeytest.Draft) { d.Intermediate = dates(2020, 2021) }, want: passkey.ErrRefused},
	)...)
}

func fidoPackedSelf() []fidoItem {
	self := passkeytest.Options{Attestation: passkeytest.Self}
	full := passkeytest.Options{Attestation: passkeytest.Certified}
	return []fidoItem{
		{id: "P-1", what: "good", opts: self},
		{id: "F-1", what: "bad signature", opts: self, change: passkeytest.Edit(passkeytest.Signature, passkeytest.Flip), want: passkey.ErrRefused},
		{id: "F-2", what: "self signature with x5c", opts: full, change: func(d *passkeytest.Draft) { d.Sign = d.Credential.Sign }, want: passkey.ErrRefused},
		{id: "F-3", what: "unknown fmt", opts: self, change: func(d *passkeytest.Draft) { d.Format = "packed2" }, want: passkey.ErrRefused},
	}
}

func fidoNone() []fidoItem {
	full := passkeytest.Options{Attestation: passkeytest.Certified}
	return []fidoItem{
		{id: "P-1", what: "good"},
		{id: "P-2", what: "good, of a counting authenticator", opts: passkeytest.Options{Count: true}},
		{id: "F-1", what: "a packed statement under fmt none", opts: full, change: func(d *passkeytest.Draft) { d.Format = "none" }, want: passkey.ErrRefused},
	}
}

func fidoU2F() []fidoItem {
	items := []fidoItem{
		{id: "P-1", what: "good"},
		{id: "F-1", what: "AAGUID is not 0", change: func(d *passkeytest.Draft) { d.AAGUID[0] = 1 }}, // WebAuthn L3 §8.6 does not ask for it
		{id: "F-2", what: "bad signature", change: passkeytest.Edit(passkeytest.Signature, passkeytest.Flip), want: passkey.ErrRefused},
	}
	for i := range items {
		items[i].opts = passkeytest.Options{Algorithm: -7, Attestation: passkeytest.U2F, Attachment: "cross-platform", Transports: []string{"usb"}}
	}
	return items
}

// fidoTPM is Resp-9, without the item on SHA-1.
func fidoTPM() []fidoItem {
	edit := passkeytest.Edit
	items := []fidoItem{
		{id: "P-1", what: "good"},
		{id: "P-3", what: "the name is not of nameAlg", change: edit(passkeytest.PubArea, passkeytest.Overwrite(2, 0, 0x0c)), want: passkey.ErrRefused},
		{id: "F-1", what: "the root before the AIK certificate", change: func(d *passkeytest.Draft) {
			d.Chain = func(c [][]byte) [][]byte { return [][]byte{c[1], c[0]} }
		}, want: passkey.ErrRefused},
		{id: "F-2", what: "extraData is another hash", change: func(d *passkeytest.Draft) { d.SignedHash = make([]byte, 32) }, want: passkey.ErrRefused},
		{id: "F-3", what: "magic is another", change: edit(passkeytest.CertInfo, passkeytest.Overwrite(0, 0xfe)), want: passkey.ErrRefused},
		{id: "F-4", what: "pubArea of another key", change: edit(passkeytest.PubArea, passkeytest.Flip), want: passkey.ErrRefused},
	}
	for i := range items {
		items[i].opts = passkeytest.Options{Algorithm: -7, Attestation: passkeytest.TPM}
	}
	return items
}
