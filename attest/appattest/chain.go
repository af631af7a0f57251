package appattest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	_ "crypto/sha512" // SHA-384 and SHA-512 of crypto.Hash
	"crypto/x509"
	"time"
)

// Cache remembers one fact: the certificate with this SHA-256 of its DER
// verifies under the key with this SHA-256 of its SubjectPublicKeyInfo. It
// says nothing of trust: names, dates, constraints and the pinned key are
// checked on every use. It is filled with CA 1 only, never with a leaf, and
// only after the whole chain verified. It must be safe for concurrent use.
type Cache interface {
	Verified(cert, spki [32]byte) bool
	Remember(cert, spki [32]byte)
}

// verifyChain checks leaf, CA 1 and, if it was sent, the root: against the
// pinned keys and at now. Extended key usages and unknown extensions are not
// judged.
func verifyChain(chain []*x509.Certificate, roots []*x509.Certificate, cache Cache, now time.Time) *Failure {
	if len(chain) != 2 && len(chain) != 3 {
		return fail(ChainLength, "%d certificates", len(chain))
	}
	if len(chain) == 3 && !pinned(chain[2], roots) {
		return failAt(2, ChainLength, "a third certificate whose key is no root's")
	}
	leaf, ca := chain[0], chain[1]

	root, cached := issuerOf(ca, roots, cache)
	if root == nil {
		return failAt(1, RootUnknown, "does not verify under a trusted key")
	}
	if !verifies(leaf, ca) {
		return failAt(0, Signature, "does not verify under the certificate above it")
	}

	// RFC 5280, Section 6.1.3 (a)(4), (a)(2) and 6.1.4 (k), (n).
	switch {
	case !bytes.Equal(ca.RawIssuer, root.RawSubject):
		return failAt(1, CAConstraints, "issuer is not the root's subject")
	case !bytes.Equal(leaf.RawIssuer, ca.RawSubject):
		return failAt(0, CAConstraints, "issuer is not the subject of the certificate above it")
	case !ca.BasicConstraintsValid || !ca.IsCA:
		return failAt(1, CAConstraints, "no CA")
	case ca.KeyUsage&x509.KeyUsageCertSign == 0:
		return failAt(1, CAConstraints, "may not sign certificates")
	}
	for i := 1; i >= 0; i-- {
		if now.Before(chain[i].NotBefore) || now.After(chain[i].NotAfter) {
			return failAt(i, CertTime, "valid from %s to %s", chain[i].NotBefore.Format(time.RFC3339), chain[i].NotAfter.Format(time.RFC3339))
		}
	}

	if cache != nil && !cached {
		cache.Remember(sha256.Sum256(ca.Raw), sha256.Sum256(root.RawSubjectPublicKeyInfo))
	}
	return nil
}

// pinned reports whether cert has the key of a root.
func pinned(cert *x509.Certificate, roots []*x509.Certificate) bool {
	for _, root := range roots {
		if bytes.Equal(cert.RawSubjectPublicKeyInfo, root.RawSubjectPublicKeyInfo) {
			return true
		}
	}
	return false
}

// issuerOf returns the root under whose key cert verifies, and whether the
// cache knew it; nil if there is none.
func issuerOf(cert *x509.Certificate, roots []*x509.Certificate, cache Cache) (root *x509.Certificate, cached bool) {
	if cache != nil {
		digest := sha256.Sum256(cert.Raw)
		for _, root := range roots {
			if cache.Verified(digest, sha256.Sum256(root.RawSubjectPublicKeyInfo)) {
				return root, true
			}
		}
	}
	for _, root := range roots {
		if verifies(cert, root) {
			return root, false
		}
	}
	return nil, false
}

// verifies reports whether the signature of cert, over its original bytes,
// verifies under the key of parent. Only ECDSA with SHA-2 is known: Apple uses
// no other here. It is the signature alone that is checked.
func verifies(cert, parent *x509.Certificate) bool {
	var hash crypto.Hash
	switch cert.SignatureAlgorithm {
	case x509.ECDSAWithSHA256:
		hash = crypto.SHA256
	case x509.ECDSAWithSHA384:
		hash = crypto.SHA384
	case x509.ECDSAWithSHA512:
		hash = crypto.SHA512
	default:
		return false
	}
	key, ok := parent.PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve.Params().BitSize < 256 {
		return false
	}
	h := hash.New()
	h.Write(cert.RawTBSCertificate)
	return ecdsa.VerifyASN1(key, h.Sum(nil), cert.Signature)
}
