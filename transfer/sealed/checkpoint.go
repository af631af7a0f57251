package sealed

import (
	"crypto/sha256"
	"encoding"
	"fmt"
	"math"

	"github.com/staunchid/staunch/internal/cbor"
)

const (
	readerVersion = 1
	maxHashState  = 256 // bytes; that of SHA-256 has 108
)

// checkpoint is what is stored of a Reader.
type checkpoint struct {
	begun, ended, inside bool
	totals, seen         Totals
	heads                []byte // the state of the hash
	last                 Entry
	left                 uint64
	pending              []byte
}

func (s *checkpoint) code(c *cbor.Coder) {
	c.Map(func(f *cbor.Fields) {
		f.Key(0)
		c.Const(readerVersion)
		for i, flag := range []*bool{&s.begun, &s.ended, &s.inside} {
			f.Key(uint64(1 + i))
			c.Bool(flag)
		}
		for i, n := range []*uint64{&s.totals.Schema, &s.totals.Objects, &s.totals.Bytes, &s.seen.Objects, &s.seen.Bytes, &s.last.Size, &s.left} {
			f.Key(uint64(4 + i))
			cbor.Uint(c, n, 0, math.MaxUint64)
		}
		f.Key(11)
		cbor.Uint(c, &s.last.Kind, 0, uint64(Records))
		f.Key(12)
		cbor.String(c, &s.last.Path, 0, maxPath)
		f.Key(13)
		c.Int(&s.last.MTime, math.MinInt64, math.MaxInt64)
		f.Key(14)
		cbor.Octets(c, &s.heads, 1, maxHashState)
		f.Key(15)
		cbor.Octets(c, &s.pending, 0, 4+maxHead)
	})
}

// sound reports whether a Reader can be in this state.
func (s *checkpoint) sound() bool {
	return s.left <= s.last.Size && s.last.Size <= s.seen.Bytes && s.inside == (s.left > 0) &&
		s.seen.Objects <= s.totals.Objects && s.seen.Bytes <= s.totals.Bytes && s.totals.Bytes <= maxBytes &&
		(s.begun || s.seen == Totals{} && !s.ended) && (s.seen.Objects > 0) == (s.last.Kind != 0) &&
		(!s.ended || !s.inside) && (len(s.pending) == 0 || !s.inside && !s.ended)
}

// MarshalBinary is the state between two Writes, a few kilobytes at the most. It says
// nothing of what the sink has done: store it when that is durable.
func (r *Reader) MarshalBinary() ([]byte, error) {
	if r.err != nil {
		return nil, fmt.Errorf("%w: %w", errBroken, r.err)
	}
	heads, err := r.manifest.heads.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("sealed: checkpoint: %w", err)
	}
	m := &r.manifest
	s := checkpoint{m.begun, m.ended, r.inside, m.totals, m.seen, heads, m.last, r.left, r.pending}
	b, err := cbor.Encode(s.code)
	if err != nil {
		return nil, fmt.Errorf("sealed: checkpoint: %w", err)
	}
	return b, nil
}

// ResumeReader goes on where MarshalBinary was called, with the byte after it. It calls
// neither Start nor Entry again: a sink that writes files opens that of [Reader.At] and
// cuts it back. The error is ErrCheckpoint.
func ResumeReader(sink Sink, state []byte) (*Reader, error) {
	var s checkpoint
	if err := cbor.Decode(state, s.code); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	if !s.sound() {
		return nil, fmt.Errorf("%w: a state that no reader has been in", ErrCheckpoint)
	}
	heads := sha256.New()
	if err := heads.(encoding.BinaryUnmarshaler).UnmarshalBinary(s.heads); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	m := manifest{begun: s.begun, ended: s.ended, totals: s.totals, seen: s.seen, heads: heads, last: s.last}
	return &Reader{sink: sink, manifest: m, pending: s.pending, left: s.left, inside: s.inside}, nil
}
