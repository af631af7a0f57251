package attesttest

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/hex"
	"time"

	"github.com/staunchid/staunch/attest"
)

// androidBaselines are good phones of all kinds.
func androidBaselines() []Deviation {
	return []Deviation{
		{Name: "android-rkp", Change: "nothing: rkp under the P-384 root", make: chain(rkp)},
		{Name: "android-rkp-rsa-root", Change: "rkp under the RSA root, as before 2026", make: chain(rkpRSA)},
		{Name: "android-rkp-strongbox", Change: "key in the StrongBox, rkp", make: chain(rkpStrongBox)},
		{Name: "android-factory", Change: "factory chain", make: chain(factory)},
		{Name: "android-factory-strongbox", Change: "key in the StrongBox, factory chain", make: chain(factoryStrongBox)},
		{Name: "android-rsa-key", Change: "RSA leaf", make: chain(func(p *AndroidPhone) { p.Provisioning, p.Algorithm = Factory, "RSA-2048" })},
		{Name: "android-rsa-batch", Change: "batch key RSA-2048, as in the factory chains of RSA keys", make: chain(factory, rsaBatch(2048))},
		{Name: "android-p384-key", Change: "P-384 leaf", make: chain(func(p *AndroidPhone) { p.Algorithm = "EC-P384" })},
		{Name: "android-p521-key", Change: "P-521 leaf", make: chain(func(p *AndroidPhone) { p.Algorithm = "EC-P521" })},
		{Name: "android-mldsa-key", Change: "ML-DSA-65 leaf of Android 17: attests, and cannot sign requests yet",
			make: chain(func(p *AndroidPhone) { p.Algorithm = "ML-DSA-65" })},
		{Name: "android-batch-sha384", Change: "P-256 batch key that signs with SHA-384", make: chain(factory, at(0, func(c *Certificate) { c.Hash = crypto.SHA384 }))},
		{Name: "android-version-1", Change: "attestation version 1 with Keymaster 2: no verifiedBootHash",
			make: chain(factory, func(d *AndroidDraft) {
				d.Description.AttestationVersion, d.Description.KeyMintVersion = 1, 2
				d.Description.HardwareEnforced.SetDER(704, RootOfTrust{VerifiedBootKey: demoBootKey(), DeviceLocked: true}.DER())
				d.Description.HardwareEnforced.Remove(718, 719)
				d.Description.SoftwareEnforced.Remove(724)
			})},
		{Name: "android-root-reissued", Change: "another certificate of the same root key, which has expired",
			make: chain(factory, func(d *AndroidDraft) {
				root := d.Chain[3]
				root.DER, root.Serial = nil, nil
				root.NotBefore, root.NotAfter = d.Now.Add(-10*year), d.Now.Add(-180*24*time.Hour)
			})},
		{Name: "android-self-signed-listed", Change: "own operating system on a locked phone, whose boot key the policy lists",
			set:  map[string]string{"boot": `"listed"`, "boot_keys": `["` + hex.EncodeToString(demoOwnBootKey()) + `"]`},
			make: chain(boot(func(r *RootOfTrust) { r.VerifiedBootKey, r.VerifiedBootState = demoOwnBootKey(), 1 }))},
		{Name: "android-odd-extension", Change: "a CRLDistributionPoints of one zero byte, which nobody reads",
			make: chain(factory, at(1, func(c *Certificate) {
				c.Extensions = append(c.Extensions, Extension{OID: asn1.ObjectIdentifier{2, 5, 29, 31}, Value: []byte{0}})
			}))},
		{Name: "android-rdn-order", Change: "the names of the issuers in another order", make: chain(rkpRSA,
			at(1, func(c *Certificate) { c.Subject = Name("O", "TEE", "CN", "0123456789abcdef0123456789abcdef") }),
			at(3, func(c *Certificate) { c.Subject = Name("CN", "Droid CA2", "O", "Google LLC") }))},
		{Name: "android-batch-older-than-issuer", Change: "an rkp batch certificate that starts before its issuer",
			make: chain(rkp, func(d *AndroidDraft) { d.Chain[1].NotBefore = d.Chain[2].NotBefore.Add(-24 * time.Hour) })},
		{Name: "android-clock-unset", Change: "the clock was never set: creationDateTime in 1970", make: chain(rkp, software(func(l *AuthorizationList) { l.SetInteger(701, 86400000) }))},
		{Name: "android-description-critical", Change: "the KeyDescription is marked critical",
			make: chain(rkp, at(0, func(c *Certificate) { c.Extension(oidKeyDescription()).Critical = true }))},
	}
}

// chainDeviations end verification: no policy and no exception ever sees them.
func chainDeviations() []Deviation {
	return []Deviation{
		{Name: "chain-of-two", Change: "leaf and root only", Code: "android.chain_length", Class: attest.Abuse, Position: NoPosition, Effects: hard(),
			make: chain(factory, func(d *AndroidDraft) { d.Chain = []*Certificate{d.Chain[0], d.Chain[3]} })},
		{Name: "chain-of-three", Change: "the batch key is signed by the root itself", Code: "android.chain_length", Class: attest.Abuse, Position: NoPosition, Effects: hard(),
			make: chain(factory, func(d *AndroidDraft) { d.Chain = []*Certificate{d.Chain[0], d.Chain[1], d.Chain[3]} })},
		{Name: "chain-of-nine", Change: "nine certificates", Code: "android.chain_length", Class: attest.Abuse, Position: NoPosition, Effects: hard(),
			make: chain(rkp).then(func(s *Sample) {
				for len(s.Chain) < 9 {
					s.Chain = append(s.Chain, s.Chain[len(s.Chain)-1])
				}
			})},
		{Name: "factory-with-extra-issuer", Change: "one issuer more than factory chains have", Code: "android.chain_length", Class: attest.Abuse, Position: NoPosition, Effects: hard(),
			make: chain(factory, insertIssuer(1))},
		{Name: "rkp-without-batch", Change: "the leaf is signed by Droid CA3", Code: "android.chain_length", Class: attest.Abuse, Position: NoPosition, Effects: hard(),
			make: chain(rkp, func(d *AndroidDraft) { d.Chain = append(d.Chain[:1], d.Chain[2:]...) })},
		{Name: "rkp-name-forged", Change: "an issuer that is called Droid CA2, of another organisation: no rkp, so too long", Code: "android.chain_length", Class: attest.Abuse, Position: NoPosition, Effects: hard(),
			make: chain(rkp, at(3, func(c *Certificate) { c.Subject = Name("O", "Vendor", "CN", "Droid CA2") }))},
		{Name: "rkp-with-extra-issuer", Change: "one issuer more than rkp chains have", Code: "android.chain_length", Class: attest.Abuse, Position: NoPosition, Effects: hard(),
			make: chain(rkp, insertIssuer(1))},

		{Name: "false-leaf", Change: "the app signs a false certificate, with a description of its own, with its attested key",
			Code: "android.chain_extended", Class: attest.Abuse, Position: 1, Effects: hard(), make: chain(factory, falseLeaf(true))},
		{Name: "false-leaf-rkp", Change: "the same under rkp",
			Code: "android.chain_extended", Class: attest.Abuse, Position: 1, Effects: hard(), make: chain(rkp, falseLeaf(true))},
		{Name: "false-leaf-bare", Change: "the false certificate has no description: the attested one stands at position 1",
			Code: "android.chain_extended", Class: attest.Abuse, Position: 1, Effects: hard(), make: chain(factory, falseLeaf(false))},
		{Name: "false-leaf-root-omitted", Change: "the same with the root left out, to keep the number of certificates",
			Code: "android.chain_extended", Class: attest.Abuse, Position: 1, Effects: hard(),
			make: chain(factory, falseLeaf(true), func(d *AndroidDraft) { d.Chain[4].Omit = true })},
		{Name: "attest-key", Change: "a batch certificate with a description: the length is right, ATTEST_KEY",
			Code: "android.chain_extended", Class: attest.Abuse, Position: 1, Effects: hard(),
			make: chain(factory, func(d *AndroidDraft) {
				d.Chain[1].Extensions = append(d.Chain[1].Extensions, Extension{OID: oidKeyDescription()})
			})},
		{Name: "attest-key-critical", Change: "the same, marked critical", Code: "android.chain_extended", Class: attest.Abuse, Position: 2, Effects: hard(),
			make: chain(rkp, func(d *AndroidDraft) {
				d.Chain[2].Extensions = append(d.Chain[2].Extensions, Extension{OID: oidKeyDescription(), Critical: true})
			})},

		{Name: "software-root-ec", Change: "emulator: under the AOSP software root (EC)", Code: "android.software_root", Class: attest.Environment, Position: 2, Effects: hard(),
			make: chain(rkp, softwareRoot(aospSoftwareEC))},
		{Name: "software-root-rsa", Change: "emulator: under the AOSP software root (RSA)", Code: "android.software_root", Class: attest.Environment, Position: 2, Effects: hard(),
			make: chain(rkp, softwareRoot(aospSoftwareRSA))},

		{Name: "root-look-alike", Change: "Subject and serial of the trusted root, another key", Code: "android.root_unknown", Class: attest.Abuse, Position: 3, Effects: hard(),
			make: chain(factory, at(3, rekeyRoot))},
		{Name: "root-look-alike-rkp", Change: "the same under rkp", Code: "android.root_unknown", Class: attest.Abuse, Position: 4, Effects: hard(),
			make: chain(rkp, at(4, rekeyRoot))},
		{Name: "root-omitted-unknown", Change: "no root, and the last issuer names one that nobody trusts", Code: "android.root_unknown", Class: attest.Abuse, Position: 2, Effects: hard(),
			make: chain(factory, at(3, func(c *Certificate) {
				rekeyRoot(c)
				c.Subject, c.Omit = Name("SERIALNUMBER", "0123456789abcdef"), true
			}))},
		{Name: "root-omitted-forged", Change: "no root; the last issuer names a trusted one, whose key has not signed it", Code: "android.root_unknown", Class: attest.Abuse, Position: 2, Effects: hard(),
			make: chain(factory, at(3, func(c *Certificate) {
				rekeyRoot(c)
				c.Omit = true
			}))},

		{Name: "leaf-signature", Change: "the leaf is signed by a key of the attacker", Code: "android.signature", Class: attest.Abuse, Position: 0, Effects: hard(),
			make: chain(rkp, at(0, func(c *Certificate) { c.Signer = newECKey(elliptic.P256()) }))},
		{Name: "leaf-altered", Change: "one bit of the leaf's description flipped after signing", Code: "android.signature", Class: attest.Abuse, Position: 0, Effects: hard(),
			make: chain(rkp, at(0, func(c *Certificate) { c.AfterSigning = flipIn(demoBootKey()) }))},
		{Name: "batch-signature", Change: "the batch certificate is signed by a key of the attacker", Code: "android.signature", Class: attest.Abuse, Position: 1, Effects: hard(),
			make: chain(factory, at(1, func(c *Certificate) { c.Signer = newECKey(elliptic.P384()) }))},
		{Name: "issuer-signature", Change: "the certificate under the root is signed by a key of the attacker", Code: "android.signature", Class: attest.Abuse, Position: 3, Effects: hard(),
			make: chain(rkp, at(3, func(c *Certificate) { c.Signer = newECKey(elliptic.P384()) }))},

		{Name: "leaf-sha1", Change: "ECDSA with SHA-1", Code: "android.signature_algorithm", Class: attest.Abuse, Position: 0, Effects: hard(),
			make: chain(factory, at(0, func(c *Certificate) { c.Hash = crypto.SHA1 }))},
		{Name: "issuer-rsa-sha1", Change: "RSA with SHA-1 by the root", Code: "android.signature_algorithm", Class: attest.Abuse, Position: 2, Effects: hard(),
			make: chain(factory, at(2, func(c *Certificate) { c.Hash = crypto.SHA1 }))},
		{Name: "leaf-ed25519-claim", Change: "an ECDSA signature labelled Ed25519", Code: "android.signature_algorithm", Class: attest.Abuse, Position: 0, Effects: hard(),
			make: chain(rkp, at(0, func(c *Certificate) { c.Algorithm = tlv(tagSequence, derOID(asn1.ObjectIdentifier{1, 3, 101, 112})) }))},

		{Name: "leaf-under-p224", Change: "a batch key on P-224", Code: "android.signature_algorithm", Class: attest.Abuse, Position: 0, Effects: hard(),
			make: chain(factory, at(1, rekeyed(newECKey(elliptic.P224()))))},
		{Name: "leaf-under-rsa-1024", Change: "a batch key of 1024 bits", Code: "android.signature_algorithm", Class: attest.Abuse, Position: 0, Effects: hard(),
			make: chain(factory, rsaBatch(1024))},

		{Name: "description-missing", Change: "the leaf has no KeyDescription", Code: "android.kd_missing", Class: attest.Abuse, Position: 0, Effects: hard(),
			make: chain(rkp, at(0, func(c *Certificate) { c.RemoveExtension(oidKeyDescription()) }))},

		{Name: "leaf-issuer-other", Change: "the leaf names another issuer", Code: "android.issuer_name", Class: attest.Honest, Position: 0, Effects: hard(),
			make: chain(factory, at(0, func(c *Certificate) { c.Issuer = Name("CN", "Android Keystore") }))},
		{Name: "leaf-issuer-empty", Change: "the leaf names no issuer", Code: "android.issuer_name", Class: attest.Honest, Position: 0, Effects: hard(),
			make: chain(factory, at(0, func(c *Certificate) { c.Issuer = Name() }))},
		{Name: "leaf-issuer-grandparent", Change: "the leaf names the issuer's issuer", Code: "android.issuer_name", Class: attest.Honest, Position: 0, Effects: hard(),
			make: chain(factory, func(d *AndroidDraft) { d.Chain[0].Issuer = d.Chain[2].Subject })},
		{Name: "batch-issuer-other", Change: "the batch certificate names another issuer", Code: "android.issuer_name", Class: attest.Honest, Position: 1, Effects: hard(),
			make: chain(factory, at(1, func(c *Certificate) { c.Issuer = Name("CN", "Factory") }))},
		{Name: "batch-issuer-subset", Change: "the batch certificate names half of its issuer: tolerated at the leaf only", Code: "android.issuer_name", Class: attest.Honest, Position: 1, Effects: hard(),
			make: chain(factory, at(2, func(c *Certificate) { c.Subject = Name("SERIALNUMBER", "77aa77aa77aa77aa", "T", "TEE") }),
				at(1, func(c *Certificate) { c.Issuer = Name("T", "TEE") }))},

		{Name: "challenge-other", Change: "made for another challenge", Code: "common.challenge_mismatch", Class: attest.Abuse, Position: NoPosition, Effects: hard(),
			make: chain(rkp, func(d *AndroidDraft) { d.Description.AttestationChallenge[0] ^= 1 })},
		{Name: "challenge-empty", Change: "made for no challenge", Code: "common.challenge_mismatch", Class: attest.Abuse, Position: NoPosition, Effects: hard(),
			make: chain(rkp, func(d *AndroidDraft) { d.Description.AttestationChallenge = nil })},
		{Name: "challenge-prefix", Change: "made for the beginning of the challenge", Code: "common.challenge_mismatch", Class: attest.Abuse, Position: NoPosition, Effects: hard(),
			make: chain(rkp, func(d *AndroidDraft) { d.Description.AttestationChallenge = d.Description.AttestationChallenge[:16] })},
		{Name: "challenge-not-checked", Change: "the server gives no challenge to compare with", Code: "common.challenge_not_checked", Class: attest.PolicyClass, Position: NoPosition, Effects: notes(),
			make: chain(rkp).then(func(s *Sample) { s.Challenge = nil })},
	}
}

// insertIssuer puts one more CA at a position.
func insertIssuer(position int) AndroidOption {
	return func(d *AndroidDraft) {
		c := issuer(elliptic.P256(), Name("CN", "one more", "O", "TEE"), d.Now.Add(-48*time.Hour), d.Now.Add(20*24*time.Hour))
		d.Chain = append(d.Chain[:position:position], append([]*Certificate{c}, d.Chain[position:]...)...)
	}
}

// falseLeaf puts a certificate below the attested one, signed with its key.
func falseLeaf(described bool) AndroidOption {
	return func(d *AndroidDraft) {
		key := newECKey(elliptic.P256())
		c := &Certificate{
			Serial: []byte{1}, Subject: Name("CN", "Android Keystore Key"),
			NotBefore: d.Now.Add(-time.Minute), NotAfter: d.Now.Add(year), PublicKey: spkiOf(key),
			Extensions: []Extension{keyUsage(usageDigitalSignature)},
		}
		if described {
			c.Extensions = append(c.Extensions, Extension{OID: oidKeyDescription()})
		}
		d.Chain = append([]*Certificate{c}, d.Chain...)
	}
}

// rekeyRoot keeps everything of a root but its key.
func rekeyRoot(c *Certificate) {
	key := newECKey(elliptic.P384())
	c.DER, c.Key, c.Signer, c.PublicKey = nil, key, key, spkiOf(key)
}

// rekeyed gives an issuer another key.
func rekeyed(key crypto.Signer) func(*Certificate) {
	return func(c *Certificate) { c.Key, c.PublicKey = key, spkiOf(key) }
}

// rsaBatch gives the batch certificate an RSA key.
func rsaBatch(bits int) AndroidOption {
	return func(d *AndroidDraft) {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			panic("attesttest: " + err.Error()) // crypto/rand does not fail, and 1024 bits are allowed
		}
		rekeyed(key)(d.Chain[1])
	}
}

// flipIn flips a bit in the first occurrence of what.
func flipIn(what []byte) func([]byte) []byte {
	return func(der []byte) []byte {
		if i := bytes.Index(der, what); i >= 0 {
			der[i] ^= 1
		}
		return der
	}
}

// softwareRoot makes a chain as emulators have it. Its root has the public key
// of AOSP's; the certificates below are not signed with the private one, which
// this package does not need: the root alone decides.
func softwareRoot(spki string) AndroidOption {
	return func(d *AndroidDraft) {
		public, err := hex.DecodeString(spki)
		if err != nil {
			panic("attesttest: the AOSP root is not hex") // a constant
		}
		d.Description.AttestationSecurityLevel, d.Description.KeyMintSecurityLevel = Software, Software
		inter := issuer(elliptic.P256(), Name("CN", "Android Keystore Software Attestation Intermediate"), d.Now.Add(-5*year), d.Now.Add(5*year))
		key := newECKey(elliptic.P256())
		root := &Certificate{
			Subject:   Name("O", "Google, Inc.", "OU", "Android", "CN", "Android Keystore Software Attestation Root"),
			NotBefore: d.Now.Add(-10 * year), NotAfter: d.Now.Add(10 * year),
			PublicKey: public, Key: key, Signer: key,
			Extensions: []Extension{basicConstraints(true, -1), keyUsage(usageCertSign)},
		}
		d.Chain = []*Certificate{d.Chain[0], inter, root}
	}
}

// The public keys of AOSP's software roots (SubjectPublicKeyInfo, hex). Their
// private keys are part of Android's source: emulators and phones without a
// hardware key store attest with them, and so can everybody.
const (
	aospSoftwareEC = "3059301306072a8648ce3d020106082a8648ce3d03010703420004ee5d5ec7e1c0db6d03a67ee6b61bec4d6a5d6a682e0fff7f490e7d771f44226d" +
		"bdb1affa16cbc7adc577d2569caab7b02d54015d3e432b2a8ed74eec487541a4"
	aospSoftwareRSA = "30819f300d06092a864886f70d010101050003818d0030818902818100a26badeb6e2e4461efd50e82e6b794d175231f779b639163fff7aaff0b72474e" +
		"c02c43ec337cd7aced403e8c28a066d5f7870b3397de0eb84e1340abafa527bf9569a031db065265f844595761f0bbf2174bb7418064c0280e8f5277" +
		"8edbd247b645e919c8e98bc3dbc2913fd7d750c41d3566f957e497960b09acce9235859b0203010001"
)
