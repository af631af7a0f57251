package attesttest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"time"
)

// Certificate is an X.509 certificate before it is signed. Every field of RFC
// 5280, Section 4.1 that a phone or a factory can get wrong can be set; the
// zero value of a field says what the comment says.
type Certificate struct {
	Serial         []byte    // contents octets of the INTEGER, as they are written; nil: 16 random ones
	Issuer         []byte    // DER Name; nil: the Subject of the certificate above
	Subject        []byte    // DER Name, see Name
	NotBefore      time.Time // unless NotBeforeDER is set
	NotAfter       time.Time // unless NotAfterDER is set
	NotBeforeDER   []byte    // the whole element, for odd encodings of a time
	NotAfterDER    []byte
	PublicKey      []byte // DER SubjectPublicKeyInfo
	Extensions     []Extension
	Key            crypto.Signer           // the private key of PublicKey, which signs the certificate below; nil if it signs nothing
	Signer         crypto.Signer           // signs this certificate; nil: Key of the certificate above
	Hash           crypto.Hash             // of the signature; 0: SHA-384 with a P-384 signer, else SHA-256
	Algorithm      []byte                  // DER AlgorithmIdentifier inside the signed part; nil: what signer and hash need
	OuterAlgorithm []byte                  // the second copy, outside of the signed part; nil: as Algorithm
	AfterSigning   func(der []byte) []byte // changes the finished certificate; nil: nothing
	DER            []byte                  // a finished certificate, used as it is instead of all the fields but Subject and Key
	Omit           bool                    // the phone does not send it

	signed *signed // the outcome of the last signing
}

// signed remembers a signature, so that an unchanged issuer keeps its bytes.
type signed struct {
	tbs, outer, der []byte
	signer          crypto.Signer
}

// Extension is one X.509 extension (RFC 5280, Section 4.2).
type Extension struct {
	OID      asn1.ObjectIdentifier
	Critical bool
	Value    []byte // contents of the OCTET STRING

	CriticalDER []byte // the element that says critical, instead of Critical
	DER         []byte // the whole Extension element instead of all the above
}

func (e Extension) encode() []byte {
	switch {
	case e.DER != nil:
		return e.DER
	case e.CriticalDER != nil:
		return tlv(tagSequence, derOID(e.OID), e.CriticalDER, derOctets(e.Value))
	case e.Critical:
		return tlv(tagSequence, derOID(e.OID), derBool(true), derOctets(e.Value))
	default:
		return tlv(tagSequence, derOID(e.OID), derOctets(e.Value))
	}
}

// Extension returns the extension with this OID, to be changed in place, or nil.
func (c *Certificate) Extension(oid asn1.ObjectIdentifier) *Extension {
	for i := range c.Extensions {
		if c.Extensions[i].OID.Equal(oid) {
			return &c.Extensions[i]
		}
	}
	return nil
}

// RemoveExtension removes every extension with this OID.
func (c *Certificate) RemoveExtension(oid asn1.ObjectIdentifier) {
	kept := c.Extensions[:0]
	for _, e := range c.Extensions {
		if !e.OID.Equal(oid) {
			kept = append(kept, e)
		}
	}
	c.Extensions = kept
}

// Name encodes a distinguished name, one attribute an RDN, in the order given:
// Name("CN", "Droid CA2", "O", "Google LLC"). The types are CN, SERIALNUMBER,
// C, ST, O, OU, and T (title); an unknown one panics.
func Name(pairs ...string) []byte {
	var rdns [][]byte
	for i := 0; i+1 < len(pairs); i += 2 {
		rdns = append(rdns, tlv(tagSet, attribute(pairs[i], pairs[i+1])))
	}
	return tlv(tagSequence, rdns...)
}

func attribute(kind, value string) []byte {
	last, ok := map[string]int{"CN": 3, "SERIALNUMBER": 5, "C": 6, "ST": 8, "O": 10, "OU": 11, "T": 12}[kind]
	if !ok {
		panic("attesttest: unknown attribute type " + kind)
	}
	return tlv(tagSequence, derOID(asn1.ObjectIdentifier{2, 5, 4, last}), tlv(tagUTF8String, []byte(value)))
}

// spkiOf is for keys that crypto/x509 knows.
func spkiOf(key crypto.Signer) []byte {
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		panic("attesttest: " + err.Error()) // only keys made by this package get here
	}
	return der
}

// clone is deep as far as options may write: an option that changes a byte of
// an issuer must not change the CA.
func (c *Certificate) clone() *Certificate {
	d := *c
	d.Serial, d.Subject, d.PublicKey, d.DER = bytes.Clone(c.Serial), bytes.Clone(c.Subject), bytes.Clone(c.PublicKey), bytes.Clone(c.DER)
	d.Extensions = make([]Extension, len(c.Extensions))
	for i, e := range c.Extensions {
		e.Value = bytes.Clone(e.Value)
		d.Extensions[i] = e
	}
	return &d
}

// errNoSigner: an option has left a certificate without a key to sign it.
var errNoSigner = errors.New("attesttest: no key to sign the certificate")

// encode signs c. above is the certificate over it, nil for the topmost.
func (c *Certificate) encode(above *Certificate) ([]byte, error) {
	der := c.DER
	if der == nil {
		var err error
		if der, err = c.sign(above); err != nil {
			return nil, err
		}
	}
	if c.AfterSigning != nil {
		der = c.AfterSigning(bytes.Clone(der))
	}
	return der, nil
}

func (c *Certificate) sign(above *Certificate) ([]byte, error) {
	signer, issuer := c.Signer, c.Issuer
	if above != nil {
		if signer == nil {
			signer = above.Key
		}
		if issuer == nil {
			issuer = above.Subject
		}
	}
	if above == nil && issuer == nil {
		issuer = c.Subject
	}
	if signer == nil {
		return nil, errNoSigner
	}
	if c.Serial == nil {
		c.Serial = make([]byte, 16)
		rand.Read(c.Serial)
		c.Serial[0] = c.Serial[0]&0x3f | 0x40 // positive and minimal
	}
	hash := c.Hash
	if hash == 0 {
		hash = hashFor(signer)
	}
	algorithm := c.Algorithm
	if algorithm == nil {
		algorithm = signatureAlgorithm(signer, hash)
	}
	outer := c.OuterAlgorithm
	if outer == nil {
		outer = algorithm
	}
	notBefore, notAfter := c.NotBeforeDER, c.NotAfterDER
	if notBefore == nil {
		notBefore = derTime(c.NotBefore)
	}
	if notAfter == nil {
		notAfter = derTime(c.NotAfter)
	}
	parts := [][]byte{
		explicit(0, derInteger(tagInteger, 2)), // v3
		tlv(tagInteger, c.Serial),
		algorithm,
		issuer,
		tlv(tagSequence, notBefore, notAfter),
		c.Subject,
		c.PublicKey,
	}
	if len(c.Extensions) > 0 {
		var list [][]byte
		for _, e := range c.Extensions {
			list = append(list, e.encode())
		}
		parts = append(parts, explicit(3, tlv(tagSequence, list...)))
	}
	tbs := tlv(tagSequence, parts...)
	if s := c.signed; s != nil && s.signer == signer && bytes.Equal(s.tbs, tbs) && bytes.Equal(s.outer, outer) {
		return s.der, nil
	}
	sig, err := signBytes(signer, hash, tbs)
	if err != nil {
		return nil, err
	}
	der := tlv(tagSequence, tbs, outer, derBits(sig))
	c.signed = &signed{tbs, outer, der, signer}
	return der, nil
}

func signBytes(signer crypto.Signer, hash crypto.Hash, msg []byte) ([]byte, error) {
	var digest []byte
	if hash == crypto.SHA1 {
		sum := sha1.Sum(msg)
		digest = sum[:]
	} else {
		h := hash.New()
		h.Write(msg)
		digest = h.Sum(nil)
	}
	sig, err := signer.Sign(rand.Reader, digest, hash)
	if err != nil {
		return nil, fmt.Errorf("attesttest: sign: %w", err)
	}
	return sig, nil
}

func hashFor(signer crypto.Signer) crypto.Hash {
	if k, ok := signer.(*ecdsa.PrivateKey); ok && k.Curve.Params().BitSize == 384 {
		return crypto.SHA384
	}
	return crypto.SHA256
}

// signatureAlgorithm is the AlgorithmIdentifier of RFC 5758, Section 3.2 (no
// parameters) or RFC 4055, Section 5 (NULL).
func signatureAlgorithm(signer crypto.Signer, hash crypto.Hash) []byte {
	if _, ok := signer.(*rsa.PrivateKey); ok {
		last := map[crypto.Hash]int{crypto.SHA1: 5, crypto.SHA256: 11, crypto.SHA384: 12, crypto.SHA512: 13}[hash]
		return tlv(tagSequence, derOID(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, last}), derNull())
	}
	if hash == crypto.SHA1 {
		return tlv(tagSequence, derOID(asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 1}))
	}
	last := map[crypto.Hash]int{crypto.SHA256: 2, crypto.SHA384: 3, crypto.SHA512: 4}[hash]
	return tlv(tagSequence, derOID(asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, last}))
}

// encodeChain signs the chain from the top down, leaf first in the result, and
// leaves out what is not sent.
func encodeChain(chain []*Certificate) ([][]byte, error) {
	out := make([][]byte, 0, len(chain))
	for i, c := range chain {
		var above *Certificate
		if i+1 < len(chain) {
			above = chain[i+1]
		}
		der, err := c.encode(above)
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w", i, err)
		}
		if !c.Omit {
			out = append(out, der)
		}
	}
	return out, nil
}

// Extensions that issuers carry (RFC 5280, Sections 4.2.1.3 and 4.2.1.9).

func oidKeyUsage() asn1.ObjectIdentifier         { return asn1.ObjectIdentifier{2, 5, 29, 15} }
func oidBasicConstraints() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{2, 5, 29, 19} }

// basicConstraints with pathLen < 0 has no pathLenConstraint.
func basicConstraints(ca bool, pathLen int64) Extension {
	var body [][]byte
	if ca {
		body = append(body, derBool(true))
	}
	if pathLen >= 0 {
		body = append(body, derInteger(tagInteger, pathLen))
	}
	return Extension{OID: oidBasicConstraints(), Critical: true, Value: tlv(tagSequence, body...)}
}

// Key usages, as the whole BIT STRING with its count of unused bits.
const (
	usageDigitalSignature = "\x03\x02\x07\x80"
	usageCertSign         = "\x03\x02\x02\x04"
	usageCertAndCRLSign   = "\x03\x02\x01\x06"
)

func keyUsage(bits string) Extension {
	return Extension{OID: oidKeyUsage(), Critical: true, Value: []byte(bits)}
}
