package android

import "crypto/sha256"

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
