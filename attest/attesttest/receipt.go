package attesttest

import (
	"crypto"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"strconv"
	"time"
)

// ReceiptDraft is an App Attest receipt while it can still be changed. Every
// field is a field of Apple's payload; an empty one is not written.
type ReceiptDraft struct {
	AppID          string                  // field 2
	Certificate    []byte                  // field 3, DER; in an attestation nil is its leaf
	ClientHash     []byte                  // field 4
	Token          string                  // field 5
	Type           string                  // field 6, ATTEST or RECEIPT
	Environment    string                  // field 7, production or sandbox
	CreationTime   string                  // field 12
	RiskMetric     string                  // field 17, text
	NotBefore      string                  // field 19
	ExpirationTime string                  // field 21
	Payload        []byte                  // instead of all the fields above
	Chain          []*Certificate          // signer, issuer, root; all are sent
	Chunk          int                     // bytes of content a chunk, in BER with indefinite lengths; 0: DER
	AfterSigning   func(cms []byte) []byte // changes the finished receipt; nil: nothing
}

// receiptTime writes Apple's format with milliseconds.
func receiptTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// newReceipt is an ATTEST receipt, as it comes inside an attestation.
func (k *AppleKey) newReceipt(now time.Time) *ReceiptDraft {
	environment := "production"
	if k.phone.Development {
		environment = "sandbox"
	}
	clientHash := sha256.Sum256(k.ID())
	token := sha256.Sum256(k.Point())
	ca := k.phone.ca
	return &ReceiptDraft{
		AppID:          k.phone.AppID(),
		ClientHash:     clientHash[:],
		Token:          base64.StdEncoding.EncodeToString(token[:]),
		Type:           "ATTEST",
		Environment:    environment,
		CreationTime:   receiptTime(now),
		ExpirationTime: receiptTime(now.AddDate(0, 0, 90)),
		Chain:          []*Certificate{ca.receiptSigner.clone(), ca.receiptIssuer.clone(), ca.receiptRoot.clone()},
		Chunk:          1000,
	}
}

// Receipt is what Apple's server answers at now when an old receipt is
// exchanged: a RECEIPT with the risk metric. The key must have been attested.
func (k *AppleKey) Receipt(now time.Time, riskMetric int, opts ...func(*ReceiptDraft)) ([]byte, error) {
	if k.leaf == nil {
		return nil, errNotAttested
	}
	r := k.newReceipt(now)
	r.Certificate = k.leaf
	r.Type = "RECEIPT"
	r.RiskMetric = strconv.Itoa(riskMetric)
	r.NotBefore = receiptTime(now.AddDate(0, 0, 1))
	r.Chunk = 0
	for _, opt := range opts {
		opt(r)
	}
	return r.encode()
}

func (r *ReceiptDraft) payload() []byte {
	if r.Payload != nil {
		return r.Payload
	}
	var fields [][]byte
	add := func(kind int64, value []byte) {
		if len(value) > 0 {
			fields = append(fields, tlv(tagSequence, derInteger(tagInteger, kind), derInteger(tagInteger, 1), derOctets(value)))
		}
	}
	// The order of Apple's server in 2026: no order.
	add(17, []byte(r.RiskMetric))
	add(6, []byte(r.Type))
	add(2, []byte(r.AppID))
	add(3, r.Certificate)
	add(4, r.ClientHash)
	add(5, []byte(r.Token))
	add(7, []byte(r.Environment))
	add(12, []byte(r.CreationTime))
	add(19, []byte(r.NotBefore))
	add(21, []byte(r.ExpirationTime))
	return tlv(tagSet, fields...)
}

// encode writes CMS SignedData (RFC 5652, Section 5.1) without signed
// attributes, as Apple does.
func (r *ReceiptDraft) encode() ([]byte, error) {
	payload := r.payload()
	certs, err := encodeChain(r.Chain)
	if err != nil {
		return nil, err
	}
	if len(r.Chain) < 2 || r.Chain[0].Key == nil || r.Chain[0].Serial == nil { // the CMS names issuer and serial
		return nil, errNoSigner
	}
	signer := r.Chain[0].Key
	sig, err := signBytes(signer, crypto.SHA256, payload)
	if err != nil {
		return nil, err
	}
	issuerName := r.Chain[0].Issuer
	if issuerName == nil {
		issuerName = r.Chain[1].Subject
	}
	sha := tlv(tagSequence, derOID(asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}), derNull())
	signerInfo := tlv(tagSequence,
		derInteger(tagInteger, 1),
		tlv(tagSequence, issuerName, tlv(tagInteger, r.Chain[0].Serial)),
		sha,
		signatureAlgorithm(signer, crypto.SHA256),
		derOctets(sig),
	)
	parts := [][]byte{derInteger(tagInteger, 1), tlv(tagSet, sha)}
	signedData := derOID(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2})
	data := derOID(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1})
	var cms []byte
	if r.Chunk == 0 {
		parts = append(parts, tlv(tagSequence, data, explicit(0, derOctets(payload))), explicit(0, certs...), tlv(tagSet, signerInfo))
		cms = tlv(tagSequence, signedData, explicit(0, tlv(tagSequence, parts...)))
	} else {
		var chunks [][]byte
		for rest := payload; len(rest) > 0; {
			n := min(r.Chunk, len(rest))
			chunks = append(chunks, derOctets(rest[:n]))
			rest = rest[n:]
		}
		content := indefinite(tagSequence, data, indefinite(0xa0, indefinite(tagOctetString|0x20, chunks...)))
		parts = append(parts, content, indefinite(0xa0, certs...), tlv(tagSet, signerInfo))
		cms = indefinite(tagSequence, signedData, indefinite(0xa0, indefinite(tagSequence, parts...)))
	}
	if r.AfterSigning != nil {
		cms = r.AfterSigning(cms)
	}
	return cms, nil
}

// indefinite writes X.690, Section 8.1.3.6: BER only.
func indefinite(tag byte, contents ...[]byte) []byte {
	out := []byte{tag, 0x80}
	for _, c := range contents {
		out = append(out, c...)
	}
	return append(out, 0, 0)
}
