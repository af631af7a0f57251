package android

import (
	"container/list"
	"crypto/sha256"
	"sync"
)

// Cache remembers one fact about an issuer: "certificate D verifies under key
// K", by the SHA-256 of D's DER and of K's SubjectPublicKeyInfo, and what was
// read from D. Such a fact cannot go stale. It says nothing of trust: names,
// dates, revocation, the place of the KeyDescription and the walk to a trusted
// key run on every use.
//
// It is bounded, safe for concurrent use, and filled only by chains that
// verified as a whole. The issuers' signatures, P-384 and RSA-4096, are most of
// the cost of a verification, and few issuers sign for many phones.
type Cache struct{ shards [cacheShards]cacheShard }

const (
	cacheShards  = 16
	cacheEntries = 4096 // in all shards together
)

// fact is what is remembered of one certificate.
type fact struct {
	certificate, key [sha256.Size]byte
	parsed           *Certificate // never changed; nil for one that this package did not read
}

type cacheShard struct {
	mu    sync.Mutex
	facts map[[sha256.Size]byte]*list.Element // of *fact, by certificate; guarded by mu
	order list.List                           // most recently used first; guarded by mu
}

// NewCache returns an empty Cache of at most 4096 facts.
func NewCache() *Cache { return &Cache{} }

// lookup returns what is known of a certificate, or nil.
func (c *Cache) lookup(certificate [sha256.Size]byte) *fact {
	s := &c.shards[certificate[0]%cacheShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.facts[certificate]
	if !ok {
		return nil
	}
	s.order.MoveToFront(e)
	return e.Value.(*fact)
}

// Verified reports whether certificate is known to verify under key, both by
// their SHA-256.
func (c *Cache) Verified(certificate, key [sha256.Size]byte) bool {
	f := c.lookup(certificate)
	return f != nil && f.key == key
}

// Remember keeps the fact that certificate verifies under key. Only a caller
// that has verified the whole chain, up to a trusted key, may call it.
func (c *Cache) Remember(certificate, key [sha256.Size]byte) {
	c.remember(&fact{certificate: certificate, key: key})
}

func (c *Cache) remember(f *fact) {
	s := &c.shards[f.certificate[0]%cacheShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.facts[f.certificate]; ok {
		e.Value = f
		s.order.MoveToFront(e)
		return
	}
	if s.facts == nil {
		s.facts = make(map[[sha256.Size]byte]*list.Element)
	}
	s.facts[f.certificate] = s.order.PushFront(f)
	if len(s.facts) > cacheEntries/cacheShards {
		oldest := s.order.Back()
		delete(s.facts, s.order.Remove(oldest).(*fact).certificate)
	}
}
