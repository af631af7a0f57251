package android

import (
	"crypto/sha256"
	"encoding/hex"
)

// ParseCertificate and Encodings show what reading a certificate gives.
func ParseCertificate(raw []byte) (*Certificate, error) { return parseCertificate(raw) }

func (c *Certificate) Encodings() []string { return c.encodings }

// Len is the number of facts in the cache.
func (c *Cache) Len() (n int) {
	for i := range c.shards {
		c.shards[i].mu.Lock()
		n += len(c.shards[i].facts)
		c.shards[i].mu.Unlock()
	}
	return n
}

// Knows is Verified by the encodings themselves.
func (c *Cache) Knows(cert, above *Certificate) bool {
	return c.Verified(sha256.Sum256(cert.Raw), above.SPKISHA256())
}

// Keys are the SHA-256 of the trusted keys, in hex.
func (r Roots) Keys() (keys []string) {
	for _, a := range r.anchors {
		keys = append(keys, hex.EncodeToString(a.sha256[:]))
	}
	return keys
}

// Forget spoils the roots in place, as nobody should be able to for others.
func (r Roots) Forget() { clear(r.anchors) }

func IsSoftwareRoot(spki [sha256.Size]byte) bool { return isSoftwareRoot(spki) }
