package appattest

import (
	"crypto/x509"
	"time"
)

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
// it was created. Whether it is expired, of which app and for which key is the
// caller's part.
//
// The error wraps [ErrMalformed], and then the Receipt is nil; or it is a
// [*Failure] with code [ReceiptInvalid], and then the Receipt holds what was
// claimed, or is nil if the payload could not be read.
func VerifyReceipt(cms []byte, roots Roots) (*Receipt, error) {
	return nil, ErrMalformed
}
