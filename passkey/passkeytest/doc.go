// Package passkeytest is a software authenticator, with the browser or the
// platform in front of it: it answers the options of a WebAuthn Relying Party
// as navigator.credentials.create() and get() would, in the form of toJSON().
// A test of a server that takes passkeys needs no browser and no security key,
// and `staunch phone` keeps its passkey with it.
//
//	a, err := passkeytest.New(&passkeytest.Options{})
//	response, err := a.Create(creationOptions, "https://example.org")
//	response, err = a.Get(requestOptions, "https://example.org")
//
// The options are the JSON that the Relying Party made, with or without the
// member publicKey around it. The passkey is discoverable and device-bound
// (Options.Synced makes it a synced one), the person is always present and
// verified, and the signature counter stays 0 unless Options.Count is set.
//
// # Authenticators that are different
//
// A test of a Relying Party is one good answer and small changes to it. A
// Change is any function on the Draft of the answer, which holds every field
// that a client or an authenticator writes:
//
//	a.Get(options, origin, func(d *passkeytest.Draft) { d.Flags &^= passkeytest.UserVerified })
//	a.Get(options, origin, func(d *passkeytest.Draft) { d.RPID = "example.com" })
//
// What the Draft has no field for is changed by name or as bytes. Set and
// Remove name a member of the client data, of the attestation object, or of
// the response; Edit changes the bytes of a Part:
//
//	a.Create(options, origin, passkeytest.Set("clientData.type", 7))
//	a.Create(options, origin, passkeytest.Remove("attestationObject.attStmt.sig"))
//	a.Get(options, origin, passkeytest.Remove("response.signature"))
//	a.Create(options, origin, passkeytest.Edit(passkeytest.CredentialKey, passkeytest.DuplicateKey))
//
// Whatever is changed, what is signed afterwards is signed again: the answer is
// wrong in that one way and in no other. Only changes of the signature, of the
// attestation object and of the response come after it.
//
// # What it does not do
//
// It verifies nothing, and it is no browser: it signs for the origin that it is
// told, whether or not the RP ID belongs to that origin. It never returns
// results of the prf extension unless a Change puts some there. It needs
// neither clock nor network; randomness is crypto/rand.
//
// Specifications: WebAuthn Level 3, in particular §5.1.3, §5.1.4.1, §5.8.1, §6.1,
// §6.5, §8.2, §8.3, §8.6; RFC 9052 and RFC 9053 (COSE keys); CTAP 2.1, Section 8
// (fido-u2f); TPM 2.0 Library, Part 2: Structures.
package passkeytest
