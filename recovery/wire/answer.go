package wire

import (
	"math"

	"github.com/staunchid/staunch/internal/cbor"
)

// Answer is what a vault tells the phone, sealed.
type Answer struct {
	Verdict     Verdict
	Gen         uint32
	Ver         uint64
	Used, Limit uint8 // Limit 0: nothing is registered and nothing configured
	State       State

	// Each is there with one operation only, and when the verdict is ok.
	Ya       Element    // evaluate: the vault's half of the exchange
	E        Element    // evaluate
	Proof    *Proof     // evaluate, if wanted
	S        *Scalar    // release
	BlobHash *Hash      // release
	Slots    *SlotViews // status
}

// Proof is a DLEQ proof that an evaluation used the share behind K_i: the
// challenge, then the response.
type Proof [64]byte

// SlotViews is what the two slots of a record hold.
type SlotViews struct {
	Current, Other *SlotView // nil: empty
}

// SlotView is what a status shows of a slot.
type SlotView struct {
	Reg      RegID
	BlobHash Hash
}

// Code walks the map.
func (a *Answer) Code(c *cbor.Coder) {
	c.Map(func(f *cbor.Fields) {
		f.Key(1)
		cbor.Uint(c, &a.Verdict, 0, uint64(VerdictMalformed))
		f.Key(2)
		cbor.Uint(c, &a.Gen, 0, math.MaxUint32)
		f.Key(3)
		cbor.Uint(c, &a.Ver, 0, math.MaxUint64)
		f.Key(4)
		cbor.Uint(c, &a.Used, 0, math.MaxUint8)
		f.Key(5)
		cbor.Uint(c, &a.Limit, 0, MaxLimit)
		f.Key(6)
		a.State.code(c)
		if f.Optional(7, a.Ya != nil) {
			codeElement(c, &a.Ya)
		}
		if f.Optional(8, a.E != nil) {
			codeElement(c, &a.E)
		}
		if f.Optional(9, a.Proof != nil) {
			c.Fixed(present(c, &a.Proof)[:])
		}
		if f.Optional(10, a.S != nil) {
			present(c, &a.S).Code(c)
		}
		if f.Optional(11, a.BlobHash != nil) {
			present(c, &a.BlobHash).Code(c)
		}
		if f.Optional(12, a.Slots != nil) {
			present(c, &a.Slots).code(c)
		}
	})
}

// present makes room for what is being read.
func present[T any](c *cbor.Coder, v **T) *T {
	if c.Reading() {
		*v = new(T)
	}
	return *v
}

func (s *SlotViews) code(c *cbor.Coder) {
	c.Array(2)
	for _, v := range []**SlotView{&s.Current, &s.Other} {
		if c.Null(*v != nil) {
			present(c, v).Code(c)
		}
	}
}

// Code walks [reg, blob-hash].
func (s *SlotView) Code(c *cbor.Coder) {
	c.Array(2)
	s.Reg.Code(c)
	s.BlobHash.Code(c)
}
