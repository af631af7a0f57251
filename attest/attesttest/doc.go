// Package attesttest makes software phones: Android phones and iPhones whose
// evidence has the shape of what real ones send, under roots of its own. A test
// of a server that verifies attestations needs no phone on the desk, and
// neither does a developer on the first day.
//
// Make a CA, take a phone from it, and have the phone make a key for the
// server's challenge:
//
//	ca, err := attesttest.TestAndroidCA(now)
//	phone := ca.Phone()
//	key, err := phone.GenerateKey(now, challenge)
//	chain := key.Chain()           // what the app sends to register
//	sig, err := key.Sign(message)  // what it sends afterwards
//	err = key.SignRequest(now, r)  // a whole HTTP request, bound to the key
//
// An AppleCA gives phones with Attest, Assert and Receipt in the same way.
//
// # Trust
//
// The server must trust the CA. TestAndroidCA and TestAppleCA have fixed roots
// (TestRootsPEM) which DemoPolicy, the policy of `staunch dev`, accepts.
// THEIR PRIVATE KEYS ARE PUBLIC: a server that trusts them trusts everybody.
// NewAndroidCA and NewAppleCA make roots of their own, to test that a server
// does not trust just any root that looks right.
//
// # Phones that are different
//
// Every field that a phone or a factory writes can be changed by an option,
// which is any function on the draft of the evidence:
//
//	unlocked := func(d *attesttest.AndroidDraft) {
//		boot := attesttest.RootOfTrust{DeviceLocked: false, VerifiedBootState: 2}
//		d.Description.HardwareEnforced.SetDER(704, boot.DER())
//	}
//	key, err := phone.GenerateKey(now, challenge, unlocked)
//
// What the draft does not know it takes as raw bytes: a tag of any number, an
// extension, a whole certificate.
//
// A key that lies elsewhere, in a browser for example, is attested by its public
// half: AndroidPhone.AttestKey and, with what phones do wrong, Deviation.MakeFor.
//
// # The catalogue
//
// Deviations lists what phones in the field do wrong and what attackers do, one
// small change of one good phone a row, each with the finding that it must
// raise. Run it against your own rules:
//
//	for _, d := range attesttest.Deviations() {
//		sample, err := d.Make(now)
//		...
//	}
//
// The package verifies nothing. Times are arguments; randomness is crypto/rand.
//
// Specifications: Android Key Attestation and KeyDescription
// (source.android.com, Key and ID attestation), RFC 5280, Apple App Attest
// (Validating apps that connect to your server; Assessing fraud risk), WebAuthn
// Level 3 §8.4, RFC 5652, RFC 9421.
package attesttest
