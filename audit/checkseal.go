package audit

import (
	"cmp"
	"crypto/ed25519"
	"crypto/sha256"
	"hash"
	"slices"
	"strconv"
)

// sealed are the seals while the entries that they cover are read: those come
// by account, and a seal covers entries of many.
type sealed struct {
	all     []openSeal // by number
	last    Seal
	key     int             // in Keys: which signed the last seal
	missing map[uint64]bool // seals that are not there, and are named by an entry
}

type openSeal struct {
	number, count, seen uint64
	digest              [32]byte
	have                hash.Hash // over the entries seen
}

// seal checks a seal as far as that goes without the entries.
func (c *checker) seal(s Seal) error {
	c.report.Seals++
	follows := s.Number == c.seals.last.Number+1 && s.Prev == s.follows(c.app, c.seals.last)
	if !follows || s.Count == 0 {
		c.sealProblem(SealBreak, s.Number)
	}
	if !c.signed(s) {
		c.sealProblem(SealSignature, s.Number)
	}
	c.seals.all = append(c.seals.all, openSeal{number: s.Number, count: s.Count, digest: s.Digest, have: sha256.New()})
	c.seals.last = s
	return nil
}

// signed tries the key of the seal before first: a key makes many.
func (c *checker) signed(s Seal) bool {
	for i := range c.opts.Keys {
		i = (c.seals.key + i) % len(c.opts.Keys)
		if s.Verify(c.app, []ed25519.PublicKey{c.opts.Keys[i]}) {
			c.seals.key = i
			return true
		}
	}
	return false
}

// covered adds e to what its seal covers.
func (c *checker) covered(e *Entry) {
	if e.Seal == 0 {
		c.report.Unsealed++
		return
	}
	s := c.seals.find(e.Seal)
	if s == nil {
		if !c.seals.missing[e.Seal] {
			if c.seals.missing == nil {
				c.seals.missing = map[uint64]bool{}
			}
			c.seals.missing[e.Seal] = true
			c.sealProblem(SealBreak, e.Seal)
		}
		return
	}
	s.seen++
	c.hash = e.Hash // for what is written to an interface is moved to the heap
	s.have.Write(c.hash[:])
}

// find gives the seal with this number, nil if there is none.
func (s *sealed) find(number uint64) *openSeal {
	if i := number - 1; i < uint64(len(s.all)) && s.all[i].number == number { // so it is, unless one is missing
		return &s.all[i]
	}
	i, ok := slices.BinarySearchFunc(s.all, number, func(s openSeal, n uint64) int { return cmp.Compare(s.number, n) })
	if !ok {
		return nil
	}
	return &s.all[i]
}

// sealsDone compares what each seal covers with what was there.
func (c *checker) sealsDone() {
	for _, s := range c.seals.all {
		if s.seen != s.count || [32]byte(s.have.Sum(nil)) != s.digest {
			c.sealProblem(SealBreak, s.number)
		}
	}
}

func (c *checker) sealProblem(kind string, number uint64) {
	c.report.add(kind, "", "seal "+strconv.FormatUint(number, 10), 0)
}
