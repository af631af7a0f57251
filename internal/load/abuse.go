package load

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"time"

	"github.com/staunchid/staunch/attest/attesttest"
)

// registerAbuse is something that an attacker does to register a key, with the
// code that must refuse it. It changes a good phone.
type registerAbuse struct {
	name    string
	code    string
	foreign bool // issuers under roots of the attacker
	android func(*attesttest.AndroidPhone)
	draft   attesttest.AndroidOption
	apple   func(*attesttest.ApplePhone)

	from challengeFrom
}

// challengeFrom is where an attacker has a challenge from.
type challengeFrom int

const (
	fresh     challengeFrom = iota // the server has issued it for his account
	unrelated                      // so, but the evidence is older and answers another
	used                           // it has served already
	stolen                         // the server has issued it for another account
	raced                          // two keys are registered with it at the same time
)

// registerAbuses are those of a platform, in the order in which phones try them.
func registerAbuses(platform string) []*registerAbuse {
	replays := func(mismatch string) []*registerAbuse {
		return []*registerAbuse{
			{name: "evidence kept from another day", code: mismatch, from: unrelated},
			{name: "challenge that was used", code: "common.challenge_used", from: used},
			{name: "challenge used twice at once", code: "common.challenge_used", from: raced},
			{name: "challenge of another account", code: "common.challenge_unknown", from: stolen},
		}
	}
	if platform == apple {
		return append([]*registerAbuse{
			{name: "roots of the attacker", code: "apple.root_unknown", foreign: true},
			{name: "app of another team", code: "apple.app_id_mismatch", apple: func(p *attesttest.ApplePhone) { p.TeamID = "CLONE98765" }},
		}, replays("apple.nonce_mismatch")...)
	}
	return append([]*registerAbuse{
		{name: "roots of the attacker", code: "android.root_unknown", foreign: true},
		{name: "key store in software", code: "android.level_software", android: func(p *attesttest.AndroidPhone) {
			p.Provisioning, p.Level = attesttest.Factory, attesttest.Software
		}},
		{name: "repackaged app", code: "android.app_signer", android: func(p *attesttest.AndroidPhone) {
			p.App.Signers = [][]byte{make([]byte, 32)}
		}},
		{name: "unlocked boot loader", code: "android.boot_unlocked", android: func(p *attesttest.AndroidPhone) {
			p.Boot.DeviceLocked, p.Boot.VerifiedBootState = false, 2
		}},
		{name: "certificate signed by an attested key", code: "android.chain_extended", draft: extendChain},
		{name: "altered certificate", code: "android.signature", draft: func(d *attesttest.AndroidDraft) {
			d.Leaf().AfterSigning = func(der []byte) []byte {
				der[len(der)-1] ^= 1 // in the signature
				return der
			}
		}},
		{name: "imported key", code: "android.origin", draft: func(d *attesttest.AndroidDraft) {
			d.Description.HardwareEnforced.SetInteger(702, 2)
		}},
	}, replays("common.challenge_mismatch")...)
}

// extendChain signs a certificate of the attacker's with the attested key.
func extendChain(d *attesttest.AndroidDraft) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic("load: " + err.Error()) // crypto/rand does not fail
	}
	spki, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
	if err != nil {
		panic("load: " + err.Error()) // the key is the standard library's
	}
	d.Chain = append([]*attesttest.Certificate{{
		Serial: []byte{1}, Subject: attesttest.Name("CN", "Android Keystore Key"), PublicKey: spki, Key: k,
		NotBefore: d.Now.Add(-time.Minute), NotAfter: d.Now.Add(24 * time.Hour),
		Extensions: []attesttest.Extension{{OID: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 1, 17}}}, // KeyDescription
	}}, d.Chain...)
}
