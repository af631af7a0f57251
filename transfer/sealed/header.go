package sealed

import (
	"encoding/binary"
	"fmt"
)

// Sizes that the format fixes.
const (
	HeaderSize = 64
	RecordSize = 64 << 10 // plaintext under one tag
	TagSize    = 16
	MaxRecords = 64 // in a segment
)

const (
	magic    = "SXS1"
	maxPlain = MaxRecords * RecordSize
	maxFirst = 1<<47 - MaxRecords // records whose bytes can be counted in 63 bits
	zeros    = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
)

// Header says which part of which stream a segment is.
type Header struct {
	Revision uint32
	First    uint64   // number of its first record
	Plain    uint32   // bytes of plaintext
	Salt     [32]byte // drawn by Seal
}

// ParseHeader reads the first HeaderSize bytes of b. The error is ErrSegment.
func ParseHeader(b []byte) (h Header, err error) {
	if len(b) < HeaderSize {
		return h, fmt.Errorf("%w: %d bytes, a header has %d", ErrSegment, len(b), HeaderSize)
	}
	if string(b[:4]) != magic {
		return h, fmt.Errorf("%w: it begins with %q, not with %q", ErrSegment, b[:4], magic)
	}
	if string(b[20:32]) != zeros {
		return h, fmt.Errorf("%w: bytes 20 to 31 of its header are not zero", ErrSegment)
	}
	h = Header{
		Revision: binary.BigEndian.Uint32(b[4:]),
		First:    binary.BigEndian.Uint64(b[8:]),
		Plain:    binary.BigEndian.Uint32(b[16:]),
		Salt:     [32]byte(b[32:64]),
	}
	if err := h.check(); err != nil {
		return Header{}, err
	}
	return h, nil
}

// check is what every header must meet, read or to be written.
func (h Header) check() error {
	if h.Plain == 0 || h.Plain > maxPlain { // spec/transfer.md, "Segment": 1 ≤ r ≤ 64
		return fmt.Errorf("%w: %d bytes of plaintext, not within 1 and %d", ErrSegment, h.Plain, maxPlain)
	}
	if h.First > maxFirst {
		return fmt.Errorf("%w: its first record is %d, the last that can be counted is %d", ErrSegment, h.First, uint64(maxFirst))
	}
	return nil
}

// Records says how many records the segment has.
func (h Header) Records() int { return (int(h.Plain) + RecordSize - 1) / RecordSize }

// Size is the length of the whole segment in bytes.
func (h Header) Size() int64 {
	return HeaderSize + int64(h.Plain) + int64(h.Records())*TagSize
}

// Append appends the header's HeaderSize bytes.
func (h Header) Append(dst []byte) []byte {
	dst = append(dst, magic...)
	dst = binary.BigEndian.AppendUint32(dst, h.Revision)
	dst = binary.BigEndian.AppendUint64(dst, h.First)
	dst = binary.BigEndian.AppendUint32(dst, h.Plain)
	dst = append(dst, zeros...)
	return append(dst, h.Salt[:]...)
}
