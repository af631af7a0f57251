package appattest

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/smallstep/pkcs7"
)

// maxReceipt bounds the CMS before anything reads it. Real receipts have less
// than 4 KiB.
const maxReceipt = 16 << 10

// maxReceiptCertificates bounds the certificates in the CMS. Real receipts have
// three.
const maxReceiptCertificates = 8

// Receipt is what a receipt says. After a [*Failure] these are claims that
// nobody verified.
type Receipt struct {
	Type        string      // "ATTEST": of an attestation; "RECEIPT": of Apple's server
	AppID       string      // field 2: team id "." bundle id
	KeySPKI     []byte      // field 3: of the attested certificate, DER
	KeyID       []byte      // SHA-256 of its point
	Environment Environment // field 7

	CreationTime time.Time // field 12
	NotBefore    time.Time // field 19: not to be exchanged earlier; zero: absent
	Expiration   time.Time // field 21
	RiskMetric   *uint32   // field 17; nil: absent

	Chain []*x509.Certificate // of the CMS, as sent
}

// VerifyReceipt verifies a receipt, at most 16 KiB of CMS, at the time it says
// it was created: its signer's certificate lives about 13 months, it may be
// kept longer. Whether it is expired, of which app and for which key is the
// caller's part.
//
// The error wraps [ErrMalformed], and then the Receipt is nil; or it is a
// [*Failure] with code [ReceiptInvalid], and then the Receipt holds what was
// claimed, or is nil if the payload could not be read.
//
// The order is that of Apple's page "Assessing fraud risk", section "Validate
// the receipt", but for the payload, which says at which time to verify.
func VerifyReceipt(cms []byte, roots Roots) (*Receipt, error) {
	return verifyReceipt(cms, roots, rootCAG3SPKI)
}

// verifyReceipt is VerifyReceipt; under the root with this key, the signer must
// be marked as Apple's signer of receipts.
func verifyReceipt(cms []byte, roots Roots, markedSPKI string) (*Receipt, error) {
	if len(cms) > maxReceipt {
		return nil, fmt.Errorf("%w: receipt of %d bytes", ErrMalformed, len(cms))
	}
	if !isBER(cms) {
		return nil, fmt.Errorf("%w: receipt: not one BER value", ErrMalformed)
	}
	p7, err := parseCMS(cms)
	if err != nil {
		return nil, fmt.Errorf("%w: receipt: %w", ErrMalformed, err)
	}
	r, err := parsePayload(p7.Content)
	if err != nil {
		return nil, fail(ReceiptInvalid, "payload: %v", err)
	}
	r.Chain = p7.Certificates
	err = contain(func() error { return verifyCMS(p7, roots.Receipt, markedSPKI, r.CreationTime) })
	if errors.Is(err, ErrMalformed) {
		return nil, err
	}
	if err != nil {
		return r, fail(ReceiptInvalid, "%v", err)
	}
	return r, nil
}

// parseCMS reads a CMS SignedData.
func parseCMS(cms []byte) (p7 *pkcs7.PKCS7, err error) {
	err = contain(func() error {
		p7, err = pkcs7.Parse(cms)
		return err
	})
	if err != nil {
		return nil, err
	}
	if p7.Content == nil { // as the library leaves it for other types
		return nil, errors.New("no SignedData with content")
	}
	return p7, nil
}

// contain makes an ErrMalformed of a panic in call: the CMS library is not
// ours, and what it reads comes from strangers.
func contain(call func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: panic in the CMS library: %v", ErrMalformed, p)
		}
	}()
	return call()
}

// verifyCMS checks the one signature of p7 and the chain of its signer up to a
// root at a time (RFC 5652, Section 5.6; RFC 5280, Section 6).
func verifyCMS(p7 *pkcs7.PKCS7, roots []*x509.Certificate, markedSPKI string, at time.Time) error {
	if len(p7.Signers) != 1 {
		return fmt.Errorf("%d signers", len(p7.Signers))
	}
	// The library takes SHA-1 and others, too. RFC 5754, Sections 2 and 3.3.
	if digest := p7.Signers[0].DigestAlgorithm.Algorithm.String(); !slices.Contains(digestAlgorithms[:], digest) {
		return fmt.Errorf("digest algorithm %s", digest)
	}
	if algorithm := p7.Signers[0].DigestEncryptionAlgorithm.Algorithm.String(); !slices.Contains(signatureAlgorithms[:], algorithm) {
		return fmt.Errorf("signature algorithm %s", algorithm)
	}
	if len(p7.Signers[0].AuthenticatedAttributes) > 0 { // RFC 5652, Section 11.1; the parser does not look
		var contentType asn1.ObjectIdentifier
		if err := p7.UnmarshalSignedAttribute(pkcs7.OIDAttributeContentType, &contentType); err != nil || !contentType.Equal(pkcs7.OIDData) {
			return errors.New("signed attributes are of another content type")
		}
	}
	// What is searched for a chain is bounded in number and in cost.
	if n := len(p7.Certificates); n > maxReceiptCertificates {
		return fmt.Errorf("%d certificates", n)
	}
	for _, cert := range p7.Certificates {
		if _, ok := cert.PublicKey.(*ecdsa.PublicKey); !ok {
			return fmt.Errorf("a certificate with a key of type %s", cert.PublicKeyAlgorithm)
		}
	}
	root, err := anchorOf(p7, roots, at)
	if err != nil {
		return err
	}
	// Apple Root CA - G3 stands above CAs that certify keys of other parties
	// (Apple Pay merchants, for one). Only the signer of receipts has this
	// extension.
	if spkiHash(root) == markedSPKI && !hasExtension(p7.GetOnlySigner(), receiptSigner) {
		return errors.New("the signer is not Apple's signer of receipts")
	}
	return nil
}

// anchorOf returns the root under which the signature and the signer's chain
// verify: one of roots itself, not a certificate that came along.
func anchorOf(p7 *pkcs7.PKCS7, roots []*x509.Certificate, at time.Time) (*x509.Certificate, error) {
	err := errors.New("no root is trusted")
	for _, root := range roots {
		pool := x509.NewCertPool()
		pool.AddCert(root)
		if err = p7.VerifyWithChainAtTime(pool, at); err == nil {
			return root, nil
		}
	}
	return nil, err
}

// What a receipt may be signed with: SHA-256, SHA-384, SHA-512, and ECDSA with
// them.
var (
	digestAlgorithms    = [...]string{"2.16.840.1.101.3.4.2.1", "2.16.840.1.101.3.4.2.2", "2.16.840.1.101.3.4.2.3"}
	signatureAlgorithms = [...]string{"1.2.840.10045.4.3.2", "1.2.840.10045.4.3.3", "1.2.840.10045.4.3.4"}
)

// receiptSigner is the extension of the certificate "Application Attestation
// Fraud Receipt Signing".
const receiptSigner = "1.2.840.113635.100.12.15"

func hasExtension(cert *x509.Certificate, oid string) bool {
	for _, e := range cert.Extensions {
		if e.Id.String() == oid {
			return true
		}
	}
	return false
}
