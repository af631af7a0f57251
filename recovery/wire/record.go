package wire

import (
	"math"

	"github.com/staunchid/staunch/internal/cbor"
)

// MaxResets is how many times of resets a record remembers.
const MaxResets = 5

// Record is what a vault knows of one account.
type Record struct {
	Suite                 Suite
	State                 State
	Limit                 uint8
	Charges, Base, Closed uint32
	Gen                   uint32
	Ver                   uint64
	Last, Redo            ID16
	Current, Other        *Slot
	Resets                []uint32 // seconds since 1970 of the resets by activate, oldest first
}

// Code walks the map.
func (r *Record) Code(c *cbor.Coder) {
	c.Map(func(f *cbor.Fields) {
		f.Key(1)
		c.Const(1)
		f.Key(2)
		r.Suite.code(c)
		f.Key(3)
		r.State.code(c)
		f.Key(4)
		codeLimit(c, &r.Limit)
		for k, v := range []*uint32{&r.Charges, &r.Base, &r.Closed, &r.Gen} {
			f.Key(uint64(5 + k))
			cbor.Uint(c, v, 0, math.MaxUint32)
		}
		f.Key(9)
		cbor.Uint(c, &r.Ver, 0, math.MaxUint64)
		f.Key(10)
		r.Last.Code(c)
		f.Key(11)
		r.Redo.Code(c)
		f.Key(12)
		r.codeSlot(c, &r.Current)
		f.Key(13)
		r.codeSlot(c, &r.Other)
		f.Key(14)
		cbor.Slice(c, &r.Resets, 0, MaxResets, func(t *uint32) { cbor.Uint(c, t, 0, math.MaxUint32) })
	})
}

func (r *Record) codeSlot(c *cbor.Coder, s **Slot) {
	if c.Null(*s != nil) {
		present(c, s).code(c, r.Suite)
	}
}

// Mark is the part of the record that witnesses keep.
func (r *Record) Mark(acct Acct) Mark {
	return Mark{
		Acct: acct, Gen: r.Gen, Ver: r.Ver, Charges: r.Charges, Base: r.Base, Closed: r.Closed,
		State: r.State, Last: r.Last, Redo: r.Redo,
	}
}

// Slot is one registration in a record.
type Slot struct {
	Reg      RegID
	K, S     Scalar
	PRS      PRS
	Manage   PublicKey
	BlobHash Hash
}

func (s *Slot) code(c *cbor.Coder, suite Suite) {
	c.Array(6)
	s.Reg.Code(c)
	s.K.Code(c)
	s.S.Code(c)
	s.PRS.Code(c)
	codeSized(c, &s.Manage, suite.PublicSize())
	s.BlobHash.Code(c)
}

// View is what a status shows of the slot; nil of an empty one.
func (s *Slot) View() *SlotView {
	if s == nil {
		return nil
	}
	return &SlotView{Reg: s.Reg, BlobHash: s.BlobHash}
}

// Wipe overwrites the shares and the password-related string.
func (s *Slot) Wipe() {
	if s != nil {
		s.K.Wipe()
		s.S.Wipe()
		s.PRS.Wipe()
	}
}

// Mark is the short truth about an account's count, which witnesses keep.
type Mark struct {
	Acct                  Acct
	Gen                   uint32
	Ver                   uint64
	Charges, Base, Closed uint32
	State                 State
	Last, Redo            ID16
}

// Code walks the array.
func (m *Mark) Code(c *cbor.Coder) {
	c.Array(9)
	m.Acct.Code(c)
	cbor.Uint(c, &m.Gen, 0, math.MaxUint32)
	cbor.Uint(c, &m.Ver, 0, math.MaxUint64)
	for _, v := range []*uint32{&m.Charges, &m.Base, &m.Closed} {
		cbor.Uint(c, v, 0, math.MaxUint32)
	}
	m.State.code(c)
	m.Last.Code(c)
	m.Redo.Code(c)
}

// MaxMark is the length of the longest encoded mark.
const MaxMark = 82

// Tagged is an encoded mark with the vault's tag, which no witness can make: see
// MarkKey.
type Tagged struct {
	Mark []byte // an encoded Mark
	Tag  ID16
}

// Code walks [mark, tag].
func (t *Tagged) Code(c *cbor.Coder) {
	c.Array(2)
	cbor.Octets(c, &t.Mark, 1, MaxMark)
	t.Tag.Code(c)
}

// MaxWitnesses bounds a view and a configuration.
const MaxWitnesses = 16

// View is which lives of the witnesses one of them knows.
type View map[string]Incarnation

// Incarnation is one life of a witness, from start to stop.
type Incarnation struct {
	Number uint64
	Boot   ID16
}

// Code walks the map.
func (v *View) Code(c *cbor.Coder) {
	m := map[string]Incarnation(*v)
	cbor.TextKeys(c, &m, 32, 1, MaxWitnesses, func(i *Incarnation) { i.Code(c) })
	for id := range m {
		if !ValidVaultID(id) {
			c.Failf("%q names no witness", id)
		}
	}
	*v = m
}

// Code walks [incarnation, boot].
func (i *Incarnation) Code(c *cbor.Coder) {
	c.Array(2)
	cbor.Uint(c, &i.Number, 0, math.MaxUint64)
	i.Boot.Code(c)
}
