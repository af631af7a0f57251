package passkey_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// moreGroups is what the public list leaves out. Names of items are ours.
func moreGroups() []fidoGroup {
	return []fidoGroup{
		{name: "Attestation-Client", items: append(moreClientData("webauthn.create"), moreFlags(passkeytest.AttestedData)...)},
		{name: "Attestation-Bytes", items: moreAttestations()},
		{name: "Assertion-Client", items: append(moreClientData("webauthn.get"), moreFlags(0)...)},
		{name: "Assertion-Bytes", items: moreAssertions()},
	}
}

// moreClientData is what a browser or a page may do wrong, in answers of both
// kinds.
func moreClientData(kind string) []fidoItem {
	set, edit := passkeytest.Set, passkeytest.Edit
	from := func(origin string) passkeytest.Change { return func(d *passkeytest.Draft) { d.Origin = origin } }
	return []fidoItem{
		{id: "crossOrigin", change: func(d *passkeytest.Draft) { d.CrossOrigin = true }, want: passkey.ErrRefused},
		{id: "topOrigin", change: func(d *passkeytest.Draft) { d.CrossOrigin, d.TopOrigin = true, "https://example.com" }, want: passkey.ErrRefused},
		{id: "topOrigin-own", change: func(d *passkeytest.Draft) { d.CrossOrigin, d.TopOrigin = true, fidoOrigin }, want: passkey.ErrRefused},
		{id: "topOrigin-alone", change: func(d *passkeytest.Draft) { d.TopOrigin = "https://example.com" }, want: passkey.ErrRefused},
		{id: "origin-http", change: from("http://example.org"), want: passkey.ErrRefused},
		{id: "origin-sub", change: from("https://a.example.org"), want: passkey.ErrRefused},
		{id: "origin-suffix", change: from("https://example.org.example.com"), want: passkey.ErrRefused},
		{id: "origin-user", change: from("https://example.org@example.com"), want: passkey.ErrRefused},
		{id: "origin-port", change: from("https://example.org:8443"), want: passkey.ErrRefused},
		{id: "origin-null", change: from("null"), want: passkey.ErrRefused},
		{id: "origin-app", change: from("android:apk-key-hash:AAAA"), want: passkey.ErrRefused},
		{id: "more-members", change: set("clientData.other_keys_can_be_added_here", "do not compare")},
		{id: "tokenBinding-supported", change: set("clientData.tokenBinding", map[string]any{"status": "supported"})},
		{id: "not-JSON", change: edit(passkeytest.ClientData, passkeytest.Truncate(1)), want: passkey.ErrMalformed},
		{id: "trailing-JSON", change: edit(passkeytest.ClientData, passkeytest.Append([]byte("{}")...)), want: passkey.ErrMalformed},
		{id: "bad-UTF-8", change: edit(passkeytest.ClientData, passkeytest.Overwrite(9, 0xff)), want: passkey.ErrRefused},
		{id: "type-case", change: set("clientData.type", strings.ToUpper(kind)), want: passkey.ErrRefused},
		{id: "rawId-other", change: set("rawId", "AAAA"), want: passkey.ErrMalformed},
		{id: "id-padded", change: func(d *passkeytest.Draft) { set("id", padded(d.CredentialID))(d) }, want: passkey.ErrMalformed},
		{id: "attachment-unknown", change: func(d *passkeytest.Draft) { d.Attachment = "x" }},
		{id: "prf-results", change: set("clientExtensionResults.prf", map[string]any{"results": map[string]any{"first": "AAAA"}}), want: passkey.ErrSecretSent},
		{id: "response-cut", change: edit(passkeytest.Response, passkeytest.Truncate(1)), want: passkey.ErrMalformed},
		{id: "response-64KiB", change: set("padding", strings.Repeat("x", 64<<10)), want: passkey.ErrMalformed},
	}
}

// moreFlags is about the flags of authenticator data, and its first bytes.
func moreFlags(always byte) []fidoItem {
	const good = passkeytest.UserPresent | passkeytest.UserVerified
	flags := func(f byte) passkeytest.Change { return func(d *passkeytest.Draft) { d.Flags = f | always } }
	synced := passkeytest.Options{Synced: true}
	return []fidoItem{
		{id: "UP-0", change: flags(passkeytest.UserVerified), want: passkey.ErrNotVerified},
		{id: "UV-0", change: flags(passkeytest.UserPresent), want: passkey.ErrNotVerified},
		{id: "BS-without-BE", change: flags(good | passkeytest.BackupState), want: passkey.ErrRefused},
		{id: "synced", opts: synced},
		{id: "synced-not-yet", opts: synced, change: flags(good | passkeytest.BackupEligible)},
		{id: "reserved-flags", change: flags(good | 0x22)},
		{id: "ED-without-extensions", change: flags(good | passkeytest.ExtensionData), want: passkey.ErrMalformed},
		{id: "extensions-without-ED", change: func(d *passkeytest.Draft) {
			d.Extensions = map[string]any{"x": 1}
			f := d.Flags
			passkeytest.Edit(passkeytest.AuthenticatorData, passkeytest.Overwrite(32, f))(d)
		}, want: passkey.ErrMalformed},
		{id: "RP-ID-other", change: func(d *passkeytest.Draft) { d.RPID = "www.example.org" }, want: passkey.ErrRefused},
		{id: "RP-ID-origin", change: func(d *passkeytest.Draft) { d.RPID = fidoOrigin }, want: passkey.ErrRefused},
		{id: "authData-cut", change: passkeytest.Edit(passkeytest.AuthenticatorData, func(b []byte) []byte { return b[:36] }), want: passkey.ErrMalformed},
		{id: "counts", opts: passkeytest.Options{Count: true}},
	}
}

// moreAttestations are malformed CBOR and keys that are none. Self attestation
// signs what is changed, so that nothing else is wrong.
func moreAttestations() []fidoItem {
	const object, key = passkeytest.AttestationObject, passkeytest.CredentialKey
	edit := passkeytest.Edit
	long := func(n int) passkeytest.Change { return func(d *passkeytest.Draft) { d.CredentialID = make([]byte, n) } }
	es256 := passkeytest.Options{Algorithm: -7}
	return []fidoItem{
		{id: "object-cut", change: edit(object, passkeytest.Truncate(1)), want: passkey.ErrMalformed},
		{id: "object-trailing", change: edit(object, passkeytest.Append(0)), want: passkey.ErrMalformed},
		{id: "object-duplicate", change: edit(object, passkeytest.DuplicateKey), want: passkey.ErrMalformed},
		{id: "object-huge", change: edit(object, passkeytest.HugeLength), want: passkey.ErrMalformed},
		{id: "object-indefinite", change: edit(object, func(b []byte) []byte { return append(slices.Concat([]byte{0xbf}, b[1:]), 0xff) }), want: passkey.ErrMalformed},
		{id: "object-tagged", change: edit(object, func(b []byte) []byte { return slices.Concat([]byte{0xd9, 0xd9, 0xf7}, b) }), want: passkey.ErrMalformed},
		{id: "key-cut", change: edit(key, passkeytest.Truncate(1)), want: passkey.ErrMalformed},
		{id: "key-duplicate", opts: es256, change: edit(key, passkeytest.DuplicateKey), want: passkey.ErrMalformed},
		{id: "key-huge", change: edit(key, passkeytest.HugeLength), want: passkey.ErrMalformed},
		{id: "key-empty", change: edit(key, func([]byte) []byte { return []byte{0xa0} }), want: passkey.ErrRefused},
		{id: "statement-with-none", change: passkeytest.Set("attestationObject.attStmt", map[string]any{"x": 1}), want: passkey.ErrRefused},
		{id: "id-length-over", change: edit(passkeytest.AuthenticatorData, passkeytest.Overwrite(53, 0xff, 0xff)), want: passkey.ErrMalformed},
		{id: "id-length-under", change: edit(passkeytest.AuthenticatorData, passkeytest.Overwrite(53, 0, 1)), want: passkey.ErrMalformed},
		{id: "id-empty", change: long(0), want: passkey.ErrMalformed},
		{id: "id-1023", change: long(1023)},
		{id: "id-1024", change: long(1024), want: passkey.ErrMalformed},
		{id: "id-not-attested", change: func(d *passkeytest.Draft) {
			passkeytest.Set("id", "AAAA")(d)
			passkeytest.Set("rawId", "AAAA")(d)
		}, want: passkey.ErrRefused},
	}
}

func moreAssertions() []fidoItem {
	edit := passkeytest.Edit
	es256 := passkeytest.Options{Algorithm: -7}
	return []fidoItem{
		{id: "signature-cut", opts: es256, change: edit(passkeytest.Signature, passkeytest.Truncate(1)), want: passkey.ErrRefused},
		{id: "signature-trailing", opts: es256, change: edit(passkeytest.Signature, passkeytest.Append(0)), want: passkey.ErrRefused},
		{id: "user-handle-missing", change: func(d *passkeytest.Draft) { d.UserHandle = nil }},
		{id: "user-handle-other", change: func(d *passkeytest.Draft) { d.UserHandle = passkeytest.Flip(d.UserHandle) }, want: passkey.ErrRefused},
		{id: "BE-set", change: func(d *passkeytest.Draft) { d.Flags |= passkeytest.BackupEligible }, want: errFinding},
		{id: "BE-cleared", opts: passkeytest.Options{Synced: true}, change: func(d *passkeytest.Draft) {
			d.Flags &^= passkeytest.BackupEligible | passkeytest.BackupState
		}, want: errFinding},
		{id: "BE-set-bad-signature", change: func(d *passkeytest.Draft) {
			d.Flags |= passkeytest.BackupEligible
			edit(passkeytest.Signature, passkeytest.Flip)(d)
		}, want: passkey.ErrRefused},
		{id: "counter-back-to-0", opts: passkeytest.Options{Count: true}, change: func(d *passkeytest.Draft) { d.SignCount = 0 }, want: errFinding},
		{id: "another-passkey", change: another(), want: passkey.ErrUnknown},
		{id: "another-key", change: func(d *passkeytest.Draft) {
			id := d.CredentialID
			another()(d)
			d.CredentialID = id
		}, want: passkey.ErrRefused},
	}
}

// another answers with a passkey that the Relying Party has never seen.
func another() passkeytest.Change {
	a, err := passkeytest.New(&passkeytest.Options{})
	if err == nil {
		_, err = a.Create([]byte(`{"rp":{"id":"example.org"},"user":{"id":"AQ"},"challenge":"AQ","pubKeyCredParams":[{"type":"public-key","alg":-7}]}`), fidoOrigin)
	}
	if err != nil {
		panic(err) // fixed options
	}
	c := a.Credentials()[0]
	return func(d *passkeytest.Draft) {
		handle := d.UserHandle
		passkeytest.Use(c)(d)
		d.UserHandle = handle
	}
}

// TestMoreAnswers plays them.
func TestMoreAnswers(t *testing.T) {
	for _, g := range moreGroups() {
		t.Run(g.name, func(t *testing.T) {
			for _, i := range g.items {
				t.Run(i.id, func(t *testing.T) {
					if _, x := g.play(t, i); !errors.Is(x.err, i.want) {
						t.Fatalf("%v, want %v", x.err, i.want)
					}
				})
			}
		})
	}
}

// TestUnusableKeys: a public key that is none may be registered, for nothing is
// signed with it when there is no attestation. Then it never signs in.
func TestUnusableKeys(t *testing.T) {
	for name, edit := range map[string]func([]byte) []byte{
		"not on the curve":       passkeytest.Flip,
		"ECDSA called EdDSA":     passkeytest.Overwrite(4, 0x27),
		"P-256 called P-384":     passkeytest.Overwrite(6, 0x02),
		"P-256 called secp256k1": passkeytest.Overwrite(6, 0x08),
	} {
		auth, err := passkeytest.New(&passkeytest.Options{Algorithm: -7})
		if err != nil {
			t.Fatal(err)
		}
		c := &fidoClient{t: t, server: newFIDOServer(t, nil), auth: auth}
		if x := c.run("create", "alice", passkeytest.Edit(passkeytest.CredentialKey, edit)); x.err != nil {
			continue
		}
		if x := c.run("get", "alice"); !errors.Is(x.err, passkey.ErrRefused) {
			t.Errorf("%s: %v", name, x.err)
		}
	}
}
