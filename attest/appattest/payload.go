package appattest

import (
	"crypto/x509"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/staunchid/staunch/internal/der"
)

// The fields of a receipt that are read, Apple's page "Assessing fraud risk".
// Field 4, the client hash, is never read: Apple's server mangles it.
const (
	fieldAppID        = 2
	fieldCertificate  = 3
	fieldType         = 6
	fieldEnvironment  = 7
	fieldCreationTime = 12
	fieldRiskMetric   = 17
	fieldNotBefore    = 19
	fieldExpiration   = 21
)

// The types of a receipt.
const (
	typeAttest  = "ATTEST"  // in an attestation object
	typeReceipt = "RECEIPT" // of Apple's server, with a risk metric
)

// parsePayload reads the content of a receipt:
// SET OF SEQUENCE {type INTEGER, version INTEGER, value OCTET STRING}.
// The fields come in any order; unknown ones are skipped.
func parsePayload(b []byte) (*Receipt, error) {
	set, err := der.Open(b, der.Set)
	if err != nil {
		return nil, err
	}
	fields := make(map[uint64]string)
	for !set.Empty() {
		number, value, err := nextField(&set)
		if err != nil {
			return nil, err
		}
		switch number {
		case fieldAppID, fieldCertificate, fieldType, fieldEnvironment,
			fieldCreationTime, fieldRiskMetric, fieldNotBefore, fieldExpiration:
			if _, there := fields[number]; there {
				return nil, fmt.Errorf("field %d occurs twice", number)
			}
			fields[number] = value
		}
	}
	return receiptOf(fields)
}

// nextField reads one field.
func nextField(set *der.Reader) (number uint64, value string, err error) {
	element, err := set.Expect(der.Sequence)
	if err != nil {
		return 0, "", err
	}
	field, err := element.Open()
	if err != nil {
		return 0, "", err
	}
	typ, err := field.Expect(der.Integer)
	if err != nil {
		return 0, "", err
	}
	if number, err = typ.Uint64(); err != nil {
		return 0, "", err
	}
	if _, err = field.Expect(der.Integer); err != nil { // version
		return 0, "", err
	}
	octets, err := field.Expect(der.OctetString)
	if err != nil {
		return 0, "", err
	}
	return number, string(octets.Body), field.Done()
}

// receiptOf makes a Receipt of the fields.
func receiptOf(fields map[uint64]string) (*Receipt, error) {
	for _, number := range []uint64{fieldAppID, fieldCertificate, fieldType, fieldEnvironment, fieldCreationTime, fieldExpiration} {
		if fields[number] == "" {
			return nil, fmt.Errorf("field %d is missing", number)
		}
	}
	r := &Receipt{Type: fields[fieldType], AppID: fields[fieldAppID]}
	if r.Type != typeAttest && r.Type != typeReceipt {
		return nil, fmt.Errorf("field %d: unknown type %.16q", fieldType, r.Type)
	}
	if !utf8.ValidString(r.AppID) {
		return nil, fmt.Errorf("field %d is no text", fieldAppID)
	}
	switch environment := fields[fieldEnvironment]; environment {
	case "production":
		r.Environment = Production
	case "sandbox":
		r.Environment = Development
	default:
		return nil, fmt.Errorf("field %d: unknown environment %.16q", fieldEnvironment, environment)
	}

	cert, err := x509.ParseCertificate([]byte(fields[fieldCertificate]))
	if err != nil {
		return nil, fmt.Errorf("field %d: %w", fieldCertificate, err)
	}
	point, ok := p256Point(cert.PublicKey)
	if !ok {
		return nil, fmt.Errorf("field %d: the key is not on P-256", fieldCertificate)
	}
	r.KeySPKI, r.KeyID = cert.RawSubjectPublicKeyInfo, keyIDOf(point)

	for _, t := range []struct {
		number uint64
		to     *time.Time
	}{{fieldCreationTime, &r.CreationTime}, {fieldNotBefore, &r.NotBefore}, {fieldExpiration, &r.Expiration}} {
		value, there := fields[t.number]
		if !there {
			continue
		}
		if *t.to, err = parseTime(value); err != nil {
			return nil, fmt.Errorf("field %d: %w", t.number, err)
		}
	}
	if value, there := fields[fieldRiskMetric]; there {
		metric, err := strconv.ParseUint(value, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("field %d: %w", fieldRiskMetric, err)
		}
		r.RiskMetric = new(uint32(metric))
	}
	return r, nil
}

// parseTime reads a time of RFC 3339 with 0 to 9 digits of fraction.
func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || len(fraction(s)) > 9 || strings.Contains(s, ",") { // time.Parse takes more digits, and a comma
		return time.Time{}, fmt.Errorf("%.40q is no time", s)
	}
	if t.Year() < 2000 { // the zero time would mean "now" to crypto/x509
		return time.Time{}, fmt.Errorf("%.40q is too early", s)
	}
	return t.UTC(), nil
}

// fraction returns the digits after the point of s.
func fraction(s string) string {
	_, after, _ := strings.Cut(s, ".")
	if end := strings.IndexAny(after, "Z+-"); end >= 0 {
		return after[:end]
	}
	return after
}
