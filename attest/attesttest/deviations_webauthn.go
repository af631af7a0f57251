package attesttest

import (
	"bytes"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/staunchid/staunch/attest"
)

// clientData is what a browser or a platform hashes for the authenticator.
func clientData(challenge []byte) []byte {
	return fmt.Appendf(nil, `{"type":"webauthn.create","challenge":%q,"origin":"https://%s"}`,
		base64.RawURLEncoding.EncodeToString(challenge), DemoRPID)
}

// webAuthn makes an android-key sample.
func webAuthn(phone func(*AndroidPhone), opts ...AndroidOption) maker {
	return webAuthnWith(phone, clientData, opts...)
}

// webAuthnWith is webAuthn with client data of its own.
func webAuthnWith(phone func(*AndroidPhone), clientData func(challenge []byte) []byte, opts ...AndroidOption) maker {
	return func(l *lab, now time.Time) (Sample, error) {
		ca, _, err := l.cas(now)
		if err != nil {
			return Sample{}, err
		}
		p := ca.Phone()
		phone(p)
		data := clientData(challenge())
		hash := sha256.Sum256(data)
		_, object, err := p.Register(now, DemoRPID, hash[:], opts...)
		if err != nil {
			return Sample{}, err
		}
		return Sample{
			Format: attest.FormatAndroidKey, Object: object, Challenge: challenge(), ClientData: data,
			StatusList: statusList(now, time.Hour), At: now,
		}, nil
	}
}

// webAuthnDeviations are about the object around the chain (WebAuthn L3 §8.4).
func webAuthnDeviations() []Deviation {
	edit := func(f func(*WebAuthnDraft)) maker {
		return webAuthn(rkp, func(d *AndroidDraft) { f(d.WebAuthn) })
	}
	authData := Deviation{Code: "android.webauthn_auth_data", Class: attest.Abuse, Position: NoPosition, Effects: hard()}
	signature := Deviation{Code: "android.webauthn_signature", Class: attest.Abuse, Position: NoPosition, Effects: hard()}
	key := Deviation{Code: "android.webauthn_key", Class: attest.Abuse, Position: NoPosition, Effects: hard()}
	mismatch := Deviation{Code: "common.challenge_mismatch", Class: attest.Abuse, Position: NoPosition, Effects: hard()}
	row := func(d Deviation, name, change string, m maker) Deviation {
		d.Name, d.Change, d.make = "webauthn-"+name, change, m
		return d
	}
	otherKey := func(w *WebAuthnDraft) { w.CredentialKey = coseKey(&newECKey(elliptic.P256()).PublicKey) }
	zeros := make([]byte, 16)
	return []Deviation{
		row(Deviation{}, "rkp", "android-key object, rkp", webAuthn(rkp)),
		row(Deviation{}, "factory", "android-key object, factory chain", webAuthn(factory)),
		row(Deviation{}, "p384", "android-key object with a P-384 key and ES384", webAuthn(func(p *AndroidPhone) { p.Algorithm = "EC-P384" })),
		row(Deviation{}, "challenge-base64", "client data with the challenge in padded base64", webAuthnWith(rkp, func(challenge []byte) []byte {
			return fmt.Appendf(nil, `{"challenge":%q}`, base64.StdEncoding.EncodeToString(challenge))
		})),
		row(mismatch, "challenge-twice", "client data with two challenges", webAuthnWith(rkp, func(challenge []byte) []byte {
			text := base64.RawURLEncoding.EncodeToString(challenge)
			return fmt.Appendf(nil, `{"challenge":"AAAA","challenge":%q}`, text)
		})),
		row(mismatch, "client-data-not-json", "client data that is no JSON object", webAuthnWith(rkp, func(challenge []byte) []byte { return challenge })),
		row(Deviation{}, "no-challenge", "the server gives the hash of the client data only", webAuthn(rkp).then(func(s *Sample) {
			hash := sha256.Sum256(s.ClientData)
			s.Challenge, s.ClientData, s.ClientDataHash = nil, nil, hash[:]
		})),
		row(Deviation{Code: "common.challenge_not_checked", Class: attest.PolicyClass, Position: NoPosition, Effects: notes()},
			"not-checked", "the server gives neither challenge nor client data", webAuthn(rkp).then(func(s *Sample) { s.Challenge, s.ClientData = nil, nil })),

		row(authData, "truncated", "authenticator data that ends in the credential id", edit(func(w *WebAuthnDraft) {
			w.AuthenticatorData = authenticatorData(w.RPIDHash, w.Flags, 0, w.AAGUID, make([]byte, 32), nil)[:70]
		})),
		row(authData, "no-credential", "authenticator data without a credential", edit(func(w *WebAuthnDraft) {
			w.AuthenticatorData = append(bytes.Clone(w.RPIDHash), 0x05, 0, 0, 0, 0)
		})),
		row(authData, "flag-missing", "the flag for attested credential data is not set", edit(func(w *WebAuthnDraft) { w.Flags = 0x05 })),
		row(authData, "trailing", "bytes behind the key", edit(func(w *WebAuthnDraft) {
			w.CredentialKey = append(coseKey(&newECKey(elliptic.P256()).PublicKey), 0xff)
		})),
		row(signature, "sig-made-up", "sig is made up: r = s = 1", edit(func(w *WebAuthnDraft) {
			w.Signature = tlv(tagSequence, derInteger(tagInteger, 1), derInteger(tagInteger, 1))
		})),
		row(signature, "sig-garbage", "sig is no DER", edit(func(w *WebAuthnDraft) { w.Signature = []byte("signature") })),
		row(signature, "sig-other-data", "sig over another client data hash", edit(func(w *WebAuthnDraft) { w.ClientDataHash[0] ^= 1 })),
		row(signature, "sig-algorithm", "alg says ES384, the signature is ES256", edit(func(w *WebAuthnDraft) { w.Algorithm = -35 })),
		row(key, "key-other", "the COSE key is not the attested one", edit(otherKey)),
		row(mismatch, "challenge-other", "the key was attested for another client data hash", webAuthn(rkp, func(d *AndroidDraft) {
			d.Description.AttestationChallenge[0] ^= 1
		})),
		row(mismatch, "client-data-other", "the client data holds another challenge than the server sent", webAuthn(rkp).then(func(s *Sample) {
			s.Challenge = bytes.Clone(s.Challenge)
			s.Challenge[0] ^= 1
		})),
		row(Deviation{Code: "android.rp_id", Class: attest.Abuse, Position: NoPosition, Effects: refused()}, "rp-other", "made for another Relying Party",
			edit(func(w *WebAuthnDraft) { sum := sha256.Sum256([]byte("evil.example.com")); w.RPIDHash = sum[:] })),
		row(Deviation{}, "aaguid-zero", "an AAGUID of zeros, which nobody judges", edit(func(w *WebAuthnDraft) { w.AAGUID = zeros })),
		row(Deviation{Code: "android.root_unknown", Class: attest.Abuse, Position: 4, Effects: hard()}, "root-look-alike", "the chain ends in a look-alike",
			webAuthn(rkp, at(4, rekeyRoot))),
		row(Deviation{Code: "android.chain_extended", Class: attest.Abuse, Position: 1, Effects: hard()}, "false-leaf", "the chain was extended by an attested key",
			webAuthn(rkp, falseLeaf(true))),
		row(Deviation{Code: "android.ca_bit", Class: attest.Honest, Position: 1, Effects: byRule(), Check: "ca_bit"}, "batch-not-ca", "the batch certificate is no CA",
			webAuthn(factory, at(1, setBasicConstraints(basicConstraints(false, -1))))),
	}
}
