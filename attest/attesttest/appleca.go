package attesttest

import (
	"crypto/elliptic"
	"encoding/asn1"
	"encoding/hex"
	"time"
)

// AppleCA stands in for Apple: the App Attest root with CA 1, and the root
// under which receipts are signed. It is safe for concurrent use.
type AppleCA struct {
	root, ca1                                 *Certificate
	receiptRoot, receiptIssuer, receiptSigner *Certificate
}

// TestAppleCA returns the CA whose roots are TestRootsPEM, with issuers that
// are valid at now.
func TestAppleCA(now time.Time) (*AppleCA, error) {
	key, err := parseKey(publicAppleKey)
	if err != nil {
		return nil, err
	}
	receiptKey, err := parseKey(publicReceiptKey)
	if err != nil {
		return nil, err
	}
	root, err := rootFromPEM(publicAppleRoot, key)
	if err != nil {
		return nil, err
	}
	receiptRoot, err := rootFromPEM(publicReceiptRoot, receiptKey)
	if err != nil {
		return nil, err
	}
	return newAppleCA(now, root, receiptRoot)
}

// NewAppleCA returns a CA with roots of its own; RootsPEM says what a policy
// must trust.
func NewAppleCA(now time.Time) (*AppleCA, error) {
	root, err := newRoot(now, newECKey(elliptic.P384()), Name("CN", "App Attestation Root CA "+randomHex(4), "O", "Staunch Test"))
	if err != nil {
		return nil, err
	}
	receiptRoot, err := newRoot(now, newECKey(elliptic.P384()), Name("CN", "Receipt Root CA "+randomHex(4), "O", "Staunch Test"))
	if err != nil {
		return nil, err
	}
	return newAppleCA(now, root, receiptRoot)
}

// RootsPEM returns the certificates of both roots, that of attestations first.
func (ca *AppleCA) RootsPEM() []string {
	return []string{certPEM(ca.root.DER), certPEM(ca.receiptRoot.DER)}
}

func newAppleCA(now time.Time, root, receiptRoot *Certificate) (*AppleCA, error) {
	ca := &AppleCA{root: root, receiptRoot: receiptRoot}
	ca.ca1 = issuer(elliptic.P384(), Name("CN", "Apple App Attestation CA 1", "O", "Apple Inc.", "ST", "California"), now.Add(-5*year), now.Add(5*year))
	ca.ca1.Extensions = []Extension{basicConstraints(true, 0), keyUsage(usageCertAndCRLSign)}
	ca.receiptIssuer = issuer(elliptic.P256(), Name("CN", "Apple Application Integration CA 5 - G1", "OU", "Apple Certification Authority", "O", "Apple Inc.", "C", "US"), now.Add(-5*year), now.Add(10*year))
	ca.receiptIssuer.Extensions = []Extension{
		basicConstraints(true, -1), keyUsage(usageCertAndCRLSign),
		{OID: oidApple(6, 2, 3), Value: derNull()},
	}
	ca.receiptSigner = ca.newReceiptSigner(now.Add(-190*24*time.Hour), now.Add(205*24*time.Hour)) // 13 months
	if err := presign(ca.ca1, root); err != nil {
		return nil, err
	}
	return ca, presign(ca.receiptSigner, ca.receiptIssuer, receiptRoot)
}

func (ca *AppleCA) newReceiptSigner(notBefore, notAfter time.Time) *Certificate {
	c := issuer(elliptic.P256(), Name("CN", "Application Attestation Fraud Receipt Signing", "O", "Apple Inc.", "C", "US"), notBefore, notAfter)
	c.Extensions = []Extension{
		basicConstraints(false, -1), keyUsage(usageDigitalSignature),
		{OID: oidApple(12, 15), Value: derNull()},
	}
	return c
}

func oidApple(arcs ...int) asn1.ObjectIdentifier {
	return append(asn1.ObjectIdentifier{1, 2, 840, 113635, 100}, arcs...)
}

// chain is a leaf of 2026 under copies of CA 1 and of the root, which is not sent.
func (ca *AppleCA) chain(k *AppleKey, now time.Time) []*Certificate {
	p := k.phone
	leaf := &Certificate{
		Subject:   Name("CN", k.commonName(), "OU", "AAA Certification", "O", "Apple Inc.", "ST", "California"),
		NotBefore: now.Add(-24 * time.Hour), // leafs start a day early
		NotAfter:  now.Add(48 * time.Hour),
		PublicKey: spkiOf(k.key), Key: k.key,
		Extensions: []Extension{
			basicConstraints(false, -1),
			keyUsage("\x03\x02\x04\xf0"),
			{OID: asn1.ObjectIdentifier{2, 5, 29, 37}, Value: tlv(tagSequence, derOID(oidApple(4, 24)))}, // EKU of 2026
			{OID: oidApple(8, 5), Value: tlv(tagSequence, explicit(4, derInteger(tagInteger, 10)), explicit(1204, derOctets([]byte(p.AppID()))), explicit(5, derOctets([]byte("sks "))))},
			{OID: oidApple(8, 7), Value: osVersion(p.OSVersion, p.Build)},
			{OID: oidApple(8, 2)}, // filled in when the nonce is known
		},
	}
	if p.MacOS {
		leaf.Extensions = append(leaf.Extensions, Extension{OID: oidApple(8, 6), Value: accessControl(macOSAccessControl())})
	}
	root := ca.root.clone()
	root.Omit = true
	return []*Certificate{leaf, ca.ca1.clone(), root}
}

// osVersion is extension .8.7.
func osVersion(version, build string) []byte {
	return tlv(tagSequence,
		explicit(1400, derOctets([]byte(version))),
		explicit(1403, derOctets([]byte(build))),
		explicit(1026, derOctets([]byte("iphoneos"))),
	)
}

// accessControl is extension .8.6.
func accessControl(acl []byte) []byte { return tlv(tagSequence, explicit(3, derOctets(acl))) }

// macOSAccessControl is the access control list of a key on a Mac with full
// security and System Integrity Protection.
func macOSAccessControl() []byte {
	b, err := hex.DecodeString("30400c023131303a30090c026f6ba1030101ff30090c026f61a1030101ff300b0c046f64656ca1030101ff30150c046f73676ea0060c04727365633005a603020101")
	if err != nil {
		panic("attesttest: the access control list is not hex") // a constant
	}
	return b
}
