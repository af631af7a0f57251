// Package attest answers one question about a phone's evidence: is this a
// genuine device, running our genuine app, and was the evidence made for us?
//
// Evidence is an Android key attestation (a bare chain of certificates, or a
// WebAuthn object of format android-key) or what Apple App Attest makes:
// attestations, assertions, receipts. [Parse] finds out which of them some
// bytes are. A [Verifier] verifies it and appraises it under a [Policy]; what
// comes out is a [Verdict].
//
//	verifier, err := attest.NewVerifier(nil)             // once
//	policy, err := attest.Genuine(attest.ProfileGoogle) // or NewPolicy, of a file
//	...
//	ev, want, err := attest.Parse(input, attest.FormatAuto)
//	if err != nil {
//		return err // cannot tell
//	}
//	want.Challenge = challenge // what we sent to the phone
//	verdict, err := verifier.Verify(ev, want, policy, now)
//	if err != nil {
//		return err // cannot tell
//	}
//	if !verdict.Accept() {
//		... // can tell, and this is it: verdict.Findings says why
//	}
//
// # Verification and appraisal
//
// Verification asks whether the evidence is authentic. It stops at the first
// check that fails; such a hard finding leaves [TierNone], and no policy and no
// exception ever sees the evidence. Appraisal then holds the facts against the
// policy and lists everything it finds. Each [Finding] has a stable code with a
// class, which tells suspected abuse from phones that are honest and odd, and
// an effect. [Codes] is the table of them.
//
// Both are functions of evidence, expectations, policy, revocation list and
// time: no network, no clock, no log. That is why a [Bundle] of these can be
// replayed years later, to the same verdict or to one whose difference can be
// explained.
//
// # What a policy says besides
//
// A policy file also holds what a service asks for around verdicts, and nothing
// of it changes what is true. [Policy.Stage] is the rollout: whether a rejecting
// verdict about this subject is enforced, or observed and let in. [Policy.Route]
// and [Policy.Request] are what a signed request must carry. [Policy.Risk] holds
// the signals that a server counts against the rules, and [Policy.Verdict]
// composes the verdict of what a service judges itself from findings whose class
// and effect stand in the table. [Verifier.Explain] tells which key of the file
// decided what. docs/policy.md is the page about the file.
//
// # What a verdict does not say
//
// That a person is present, or is the owner. That no kernel exploit has hooked
// the app on a locked phone. That an attestation key which nobody has listed
// yet was not stolen.
package attest

// Rules is the version of the verification and appraisal rules. It is raised
// when a change of the code may change a verdict, so that a replay can say why
// it differs.
const Rules = 1

// Format names what the evidence is.
type Format string

// The formats of evidence.
const (
	FormatAuto           Format = "auto" // find out
	FormatAndroidChain   Format = "android-chain"
	FormatAndroidKey     Format = "android-key"
	FormatAppleAppAttest Format = "apple-appattest"
	FormatAppleAssertion Format = "apple-assertion"
	FormatAppleReceipt   Format = "apple-receipt"

	// FormatAndroidRequest is a request that an Android key has signed. It is no
	// evidence that a Verifier takes: who keeps the keys judges it, and composes
	// its verdict with Policy.Verdict. (Apple's keys sign with assertions.)
	FormatAndroidRequest Format = "android-request"
)

// Evidence is what a phone sent, sorted by format and not yet believed.
type Evidence struct {
	Format Format
	Chain  [][]byte // android-chain: certificates in DER, leaf first
	Object []byte   // every other format: the object's bytes
}
