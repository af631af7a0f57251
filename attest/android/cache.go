package android

import (
	"container/list"
	"crypto/sha256"
	"sync"
)

// Cache remembers one fact about issuers: "certificate D verifies under key
// K", by the SHA-256 of D's DER and of K's SubjectPublicKeyInfo. Such a fact
// cannot go stale. It says nothing of trust: names, dates, revocation, the
// place of the KeyDescription and the walk to a trusted key run on every use.
//
// It is bounded, safe for concurrent use, and filled only by chains that
// verified as a whole. The issuers' signatures, P-384 and RSA-4096, are most of
// the cost of a verification, and few issuers sign for many phones.
type Cache struct{ shards [cacheShards]cacheShard }

const (
	cacheShards  = 16
	cacheEntries = 4096 // in all shards together
)

type fact struct{ certificate, key [sha256.Size]byte }

type cacheShard struct {
	mu    sync.Mutex
	facts map[fact]*list.Element // of fact; guarded by mu
	order list.List              // most recently used first; guarded by mu
}

// NewCache returns an empty Cache of at most 4096 facts.
func NewCache() *Cache { return &Cache{} }

func (c *Cache) shard(f fact) *cacheShard { return &c.shards[f.certificate[0]%cacheShards] }

// Verified reports whether certificate is known to verify under key, both by
// their SHA-256.
func (c *Cache) Verified(certificate, key [sha256.Size]byte) bool {
	f := fact{certificate, key}
	s := c.shard(f)
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.facts[f]
	if ok {
		s.order.MoveToFront(e)
	}
	return ok
}

// Remember keeps the fact that certificate verifies under key. Only a caller
// that has verified the whole chain, up to a trusted key, may call it.
func (c *Cache) Remember(certificate, key [sha256.Size]byte) {
	f := fact{certificate, key}
	s := c.shard(f)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.facts[f]; ok {
		return
	}
	if s.facts == nil {
		s.facts = make(map[fact]*list.Element)
	}
	s.facts[f] = s.order.PushFront(f)
	if len(s.facts) > cacheEntries/cacheShards {
		oldest := s.order.Back()
		delete(s.facts, s.order.Remove(oldest).(fact))
	}
}
