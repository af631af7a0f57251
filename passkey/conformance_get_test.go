package passkey_test

import (
	"encoding/base64"

	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// padded is base64url with padding, which WebAuthn never has.
func padded(b []byte) string { return base64.URLEncoding.EncodeToString(b) }

func fidoAssertionStructure() []fidoItem {
	set, remove := passkeytest.Set, passkeytest.Remove
	return append(fidoStructure(),
		fidoItem{id: "P-1", what: "good"},
		fidoItem{id: "F-12", what: "no authenticatorData", change: remove("response.authenticatorData"), want: passkey.ErrMalformed},
		fidoItem{id: "F-13", what: "authenticatorData is a number", change: set("response.authenticatorData", 7), want: passkey.ErrMalformed},
		fidoItem{id: "F-14", what: "authenticatorData is not base64url", change: set("response.authenticatorData", "+/+/=="), want: passkey.ErrMalformed},
		fidoItem{id: "F-15", what: "authenticatorData is empty", change: set("response.authenticatorData", ""), want: passkey.ErrMalformed},
		fidoItem{id: "F-16", what: "no signature", change: remove("response.signature"), want: passkey.ErrRefused},
		fidoItem{id: "F-17", what: "signature is a number", change: set("response.signature", 7), want: passkey.ErrMalformed},
		fidoItem{id: "F-18", what: "signature is not base64url", change: set("response.signature", "+/+/=="), want: passkey.ErrMalformed},
		fidoItem{id: "F-19", what: "signature is empty", change: set("response.signature", ""), want: passkey.ErrRefused},
		fidoItem{id: "F-20", what: "bad signature", change: passkeytest.Edit(passkeytest.Signature, passkeytest.Flip), want: passkey.ErrRefused},
		fidoItem{id: "F-21", what: "userHandle is a number", change: set("response.userHandle", 7), want: passkey.ErrMalformed},
	)
}

// fidoAuthenticatorData is Resp-3. User verification is required whatever the
// client asks for, and user presence always: P-4, P-5 and P-7 are refused.
func fidoAuthenticatorData() []fidoItem {
	flags := func(f byte) passkeytest.Change { return func(d *passkeytest.Draft) { d.Flags = f } }
	count := passkeytest.Options{Count: true}
	return []fidoItem{
		{id: "P-1", what: "counter always 0"},
		{id: "P-2", what: "UV set, required", change: flags(passkeytest.UserPresent | passkeytest.UserVerified)},
		{id: "P-3", what: "UV and UP set, required", change: flags(passkeytest.UserPresent | passkeytest.UserVerified)},
		{id: "P-4", what: "neither UV nor UP, preferred", change: flags(0), want: passkey.ErrNotVerified},
		{id: "P-5", what: "UP set, discouraged", change: flags(passkeytest.UserPresent), want: passkey.ErrNotVerified},
		{id: "P-6", what: "UV set, discouraged", change: flags(passkeytest.UserPresent | passkeytest.UserVerified)},
		{id: "P-7", what: "neither UV nor UP, discouraged", change: flags(0), want: passkey.ErrNotVerified},
		{id: "P-8", what: "with extension data", change: func(d *passkeytest.Draft) { d.Extensions = map[string]any{"uvm": []int{1}} }},
		{id: "F-1", what: "leftover bytes", change: passkeytest.Edit(passkeytest.AuthenticatorData, passkeytest.Append(0, 0)), want: passkey.ErrMalformed},
		{id: "F-2", what: "RP ID of another", change: func(d *passkeytest.Draft) { d.RPID = "example.com" }, want: passkey.ErrRefused},
		{id: "F-3", what: "another hash is signed", change: func(d *passkeytest.Draft) { d.SignedHash = make([]byte, 32) }, want: passkey.ErrRefused},
		{id: "F-4", what: "counter does not go up", opts: count, change: func(d *passkeytest.Draft) { d.SignCount-- }, want: errFinding},
		{id: "F-5", what: "only UP, required", change: flags(passkeytest.UserPresent), want: passkey.ErrNotVerified},
	}
}
