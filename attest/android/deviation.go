package android

import (
	"fmt"
	"strings"
)

// Check names a rule that good phones break without any harm to authenticity.
// Whether breaking it matters is the caller's policy.
type Check string

// The checks. Positions are those where the deviation can occur.
const (
	CheckLeafValidity      Check = "leaf_validity"      // 0: now is outside the leaf's dates
	CheckCertExpired       Check = "cert_expired"       // 1, 2: an issuer of a factory chain has expired
	CheckCABit             Check = "ca_bit"             // an issuer without BasicConstraints cA=TRUE
	CheckKeyCertSign       Check = "key_cert_sign"      // an issuer whose KeyUsage lacks keyCertSign
	CheckPathLength        Check = "path_length"        // pathLenConstraint smaller than the issuers below
	CheckCriticalExtension Check = "critical_extension" // below the root: a critical extension nobody here knows
	CheckCertEncoding      Check = "cert_encoding"      // below the root: not quite DER
	CheckIssuerName        Check = "issuer_name"        // 0: Issuer leaves out parts of the Subject above
	CheckRootMissing       Check = "root_missing"       // the root's place: it was left out
)

// Deviation is a departure from RFC 5280 or DER at one position of a chain
// whose authenticity is established all the same.
type Deviation struct {
	Check    Check
	Position int
	Detail   string // for people
}

func (v *verification) deviate(check Check, position int, detail string) {
	v.a.Deviations = append(v.a.Deviations, Deviation{check, position, detail})
}

// findDeviations adds the path rules of RFC 5280, Section 6.1.4 that are
// judged by the caller.
func (v *verification) findDeviations() {
	leaf := v.a.Leaf()
	if v.now.Before(leaf.NotBefore) || v.now.After(leaf.NotAfter) {
		v.deviate(CheckLeafValidity, 0, fmt.Sprintf("valid %s to %s, checked at %s", date(leaf.NotBefore), date(leaf.NotAfter), date(v.now)))
	}
	issuers := v.a.Chain[1:v.a.Root]
	for i, c := range issuers {
		if !c.isCA { // k
			v.deviate(CheckCABit, i+1, "issuer without BasicConstraints cA=TRUE")
		}
	}
	for i, c := range issuers {
		if c.hasKeyUsage && !c.keyCertSign { // n
			v.deviate(CheckKeyCertSign, i+1, "issuer whose KeyUsage lacks keyCertSign")
		}
	}
	for i, c := range issuers {
		if c.pathLen >= 0 && c.pathLen < i { // m: i issuers are below position i+1
			v.deviate(CheckPathLength, i+1, fmt.Sprintf("pathLenConstraint %d with %d issuers below", c.pathLen, i))
		}
	}
	below := v.a.Chain[:v.a.Root]
	for i, c := range below {
		if c.unknownCritical != "" { // o
			v.deviate(CheckCriticalExtension, i, "critical extension "+c.unknownCritical)
		}
	}
	for i, c := range below {
		if len(c.encodings) > 0 {
			v.deviate(CheckCertEncoding, i, strings.Join(c.encodings, ", "))
		}
	}
}
