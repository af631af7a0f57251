// Package passkey is the WebAuthn Relying Party: it asks for passkeys, verifies
// what authenticators answer, and says what is odd about it. It wraps the
// library go-webauthn; no caller sees that.
//
// A [RelyingParty] is a function of its arguments. It keeps nothing, reads no
// clock and calls nobody: bytes, records and the time go in, facts come out.
// What must last between the two halves of a ceremony is in a [Ceremony], which
// the caller stores.
//
//	rp, err := passkey.New(&passkey.Options{
//		App: "demo", RPID: "example.org", Name: "Demo",
//		Origins: []string{"https://accounts.example.org"},
//	})
//	page, err := rp.For(passkey.Dialog{Origin: "https://accounts.example.org"})
//
//	ceremony, options, err := page.Create(passkey.Enrol, user, nil, now) // options go to the browser
//	registration, err := rp.VerifyCreation(ceremony, response, now)      // what it answered
//
//	ceremony, options, err = page.Request(passkey.SignIn, nil, nil, now)
//	id, err := passkey.UnverifiedCredentialID(response)                  // finds the row
//	assertion, err := rp.VerifyAssertion(ceremony, user, stored, response, now)
//	effect, findings := policy.Appraise(assertion)
//
// An error means that the answer proves nothing. A finding is a fact about a
// good answer; the [Policy] says what becomes of it, and its zero value refuses
// at every one. A person who was not present (UP), or not verified (UV), and a
// backup state without backup eligibility are refused by rule.
//
// # What the caller does
//
//   - A ceremony works once. The caller marks it used by compare-and-swap, in the
//     transaction that acts on the answer; a Ceremony with UsedAt gives [ErrUsed].
//   - It compares the purpose: VerifyAssertion takes a ceremony of any purpose
//     that asks for an assertion.
//   - It finds the account by the credential, never by the user handle, and keeps
//     (RP ID, credential ID) unique over all accounts, removed credentials
//     included.
//   - It writes the row anew as [Assertion.Next] says.
//   - Whether a synced passkey counts is a matter of the action:
//     Assertion.BackupEligible says that it is one.
//
// # The record
//
// What is kept of a credential is a [Record]: one line of JSON that never
// changes. Attestation object and client data are kept beside it, byte for byte,
// as [Evidence]; the record has their SHA-256. Name, state, counter and the
// flags of the last use are columns of the caller's row.
//
// Specification: Web Authentication Level 3 (https://www.w3.org/TR/webauthn-3/),
// cited as "WebAuthn L3". Where we differ: docs/divergences/passkey.md.
package passkey

import "errors"

// The errors on which a client can act. The text after the sentinel may hold
// what the library says; it is for the log and goes to no client.
var (
	// ErrMalformed: the response is not what a client sends. Send what
	// PublicKeyCredential.toJSON() returns, unchanged, at most 64 KiB.
	ErrMalformed = errors.New("passkey: malformed response")

	// ErrSecretSent: the response has results of the prf extension, which never
	// leave the client. Remove clientExtensionResults.prf.results before sending.
	// The response must not be logged.
	ErrSecretSent = errors.New("passkey: the response contains a secret; remove clientExtensionResults.prf.results")

	// ErrRefused: the response does not verify: wrong challenge, origin, RP ID,
	// account, credential or signature. Begin a new ceremony.
	ErrRefused = errors.New("passkey: refused")

	// ErrNotVerified: the authenticator did not see the person, or did not
	// verify him by face, finger or PIN. Begin again and let it.
	ErrNotVerified = errors.New("passkey: the person was not present or not verified")

	// ErrUnknown: there is no such credential here, or it was removed. The page
	// may tell the authenticator so (signalUnknownCredential).
	ErrUnknown = errors.New("passkey: no such credential")

	// ErrExpired: the ceremony is over, or there is none. Begin a new one.
	ErrExpired = errors.New("passkey: ceremony expired")

	// ErrUsed: the ceremony was finished before. If the answer got lost, sign in.
	ErrUsed = errors.New("passkey: ceremony used already")
)

// Purpose is what a ceremony is for. The zero Purpose is none.
type Purpose string

// The purposes. The first four make a passkey, the others use one.
const (
	Enrol   Purpose = "enrol"    // the first passkey of a new account
	Add     Purpose = "add"      // one more, for an account that has a session
	Join    Purpose = "join"     // that of a device which joins
	Recover Purpose = "recover"  // that of a phone which has recovered the account
	SignIn  Purpose = "sign_in"  // no account is named, or by handle
	StepUp  Purpose = "step_up"  // the same person again
	Approve Purpose = "approval" // this very action; the challenge comes from ApprovalChallenge
)

// creates reports whether a ceremony of this purpose makes a passkey.
func (p Purpose) creates() bool { return p == Enrol || p == Add || p == Join || p == Recover }

// requests reports whether it asks for an assertion.
func (p Purpose) requests() bool { return p == SignIn || p == StepUp || p == Approve }
