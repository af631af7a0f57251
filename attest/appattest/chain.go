package appattest

// Cache remembers one fact: the certificate with this SHA-256 of its DER
// verifies under the key with this SHA-256 of its SubjectPublicKeyInfo. It
// says nothing of trust: names, dates, constraints and the pinned key are
// checked on every use. It is filled with CA 1 only, never with a leaf, and
// only after the whole chain verified. It must be safe for concurrent use.
type Cache interface {
	Verified(cert, spki [32]byte) bool
	Remember(cert, spki [32]byte)
}
