package attesttest

import (
	"bytes"
	"crypto/elliptic"
	"crypto/sha256"
	"time"

	"github.com/staunchid/staunch/attest"
)

// message is what the app signs in the rows about assertions.
func message() []byte { return []byte(`"@method": POST`) }

// assertion makes an apple-assertion sample: the second one of a key whose
// first one the server has stored.
func assertion(phone func(*ApplePhone), opts ...AppleOption) maker {
	return func(l *lab, now time.Time) (Sample, error) {
		_, ca, err := l.cas(now)
		if err != nil {
			return Sample{}, err
		}
		p := ca.Phone()
		phone(p)
		key := p.GenerateKey()
		key.counter = 1
		hash := sha256.Sum256(message())
		object, err := key.Assert(now, hash[:], opts...)
		if err != nil {
			return Sample{}, err
		}
		return Sample{
			Format: attest.FormatAppleAssertion, Object: object, ClientData: message(), PublicKey: key.PublicKey(), Counter: 1,
			AppID: DemoTeamID + "." + DemoBundleID, At: now,
		}, nil
	}
}

// assertionDeviations are about requests that a phone signs ("Validating apps
// that connect to your server", Verify the assertion).
func assertionDeviations() []Deviation {
	row := func(code, name, change string, e Effects, m maker) Deviation {
		return Deviation{Name: "assertion-" + name, Change: change, Code: code, Class: attest.Abuse, Position: NoPosition, Effects: e, make: m}
	}
	as := func(f AppleOption) maker { return assertion(iOS27, f) }
	const invalid = "apple.assertion_signature"
	return []Deviation{
		row("", "ios27", "assertion of iOS 27", Effects{}, assertion(iOS27)),
		row("", "ios26", "assertion of iOS 26: 37 bytes", Effects{}, assertion(iOS26)),
		row("", "ios27-flag", "assertion of iOS 27 with the flag for the map", Effects{}, assertion(iOS27, flagged)),
		row("", "counter-far", "the counter is a million ahead: phones lose answers", Effects{}, as(func(d *AppleDraft) { d.Counter = 1 << 20 })),
		row("", "point", "the server has the key as a point", Effects{}, assertion(iOS27).then(func(s *Sample) { s.PublicKey = s.PublicKey[len(s.PublicKey)-65:] })),
		row(invalid, "other-key", "signed by another key", hard(), assertion(iOS27).then(func(s *Sample) { s.PublicKey = spkiOf(newECKey(elliptic.P256())) })),
		row(invalid, "other-message", "signed for another message", hard(), assertion(iOS27).then(func(s *Sample) { s.ClientData = append(message(), '!') })),
		row(invalid, "altered-counter", "the counter was raised after signing", hard(), as(func(d *AppleDraft) {
			sum := sha256.Sum256(append(assertionData(d), d.ClientDataHash...))
			d.Nonce = sum[:]
			d.Counter += 7
		})),
		row(invalid, "nonce-not-hashed", "the signature is over the nonce, not over its hash", hard(), as(func(d *AppleDraft) {
			sum := sha256.Sum256(append(assertionData(d), d.ClientDataHash...))
			d.Digest = sum[:]
		})),
		row(invalid, "garbage", "a signature that is no DER", hard(), as(func(d *AppleDraft) { d.Signature = []byte("signature") })),
		row("apple.auth_data", "short", "authenticator data of 36 bytes", hard(), as(func(d *AppleDraft) { d.AuthenticatorData = assertionData(d)[:36] })),
		row("apple.auth_data", "flag-without-map", "flag 0x80 and no map", hard(), assertion(iOS26, flagged)),
		row("apple.trailing_data", "trailing", "a byte behind the counter", hard(), assertion(iOS26, func(d *AppleDraft) { d.Trailing = []byte{0} })),
		row("apple.extension_malformed", "category-text", "the category is a text", hard(), as(entry(categoryKey, "4"))),
		row("apple.counter_replay", "replay", "the counter that the server has stored", hard(), as(func(d *AppleDraft) { d.Counter = 1 })),
		row("apple.counter_replay", "counter-lower", "an older counter", hard(), assertion(iOS27).then(func(s *Sample) { s.Counter = 100 })),
		row("apple.app_id_mismatch", "app-other", "made in another app", hard(), assertion(func(p *ApplePhone) { p.BundleID = "com.example.other" })),
	}
}

// assertionData is the fixed part of an assertion's authenticator data.
func assertionData(d *AppleDraft) []byte {
	out := append(bytes.Clone(d.RPIDHash), d.Flags, byte(d.Counter>>24), byte(d.Counter>>16), byte(d.Counter>>8), byte(d.Counter))
	return append(out, d.extensions()...)
}
