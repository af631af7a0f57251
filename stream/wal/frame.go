package wal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/staunchid/staunch/internal/cbor"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/stream"
)

// A frame is length 4 || CRC-32C 4 || body, both big-endian; the CRC is over the
// length and the body, so that a damaged length is seen as well. The body is an
// entry, or a mark: an array as well, whose first item is 0.
const (
	header   = 8
	maxFrame = stream.MaxEntry
)

// castagnoli is a constant table.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendFrame appends the frame of body.
func appendFrame(b, body []byte) []byte {
	length := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	b = append(b, length...)
	b = binary.BigEndian.AppendUint32(b, sum(length, body))
	return append(b, body...)
}

func sum(length, body []byte) uint32 {
	return crc32.Update(crc32.Checksum(length, castagnoli), castagnoli, body)
}

var (
	errShort = errors.New("it ends within a frame")
	errSum   = errors.New("its checksum is wrong")
	errSize  = fmt.Errorf("its length is 0 or above %d", maxFrame)
)

// nextFrame gives the body of the first frame of b, and what follows it.
func nextFrame(b []byte) (body, rest []byte, err error) {
	if len(b) < header {
		return nil, nil, errShort
	}
	n := binary.BigEndian.Uint32(b)
	switch {
	case n == 0 || n > maxFrame:
		return nil, nil, errSize
	case uint32(len(b)-header) < n:
		return nil, nil, errShort
	}
	body, rest = b[header:header+n], b[header+n:]
	if sum(b[:4], body) != binary.BigEndian.Uint32(b[4:]) {
		return nil, nil, errSum
	}
	return body, rest, nil
}

// torn reports whether b, which does not begin with a frame, is what a power cut
// leaves of the last writes: nothing but zeros, or bytes among which no whole
// frame is to be found. If there is one, something before it was damaged later,
// and cutting would lose entries that were acknowledged.
func torn(b []byte) bool {
	if len(bytes.Trim(b, "\x00")) == 0 {
		return true
	}
	for i := 1; i+header < len(b); i++ {
		if _, _, err := nextFrame(b[i:]); err == nil {
			return false
		}
	}
	return true
}

// mark says that the entry at a place is done.
type mark struct {
	_       struct{} `cbor:",toarray"`
	Zero    uint
	Segment uint64
	Offset  int64
}

func encodeMark(p place) ([]byte, error) {
	return cbor.Marshal(markOf(p))
}

// decode reads an entry, or a mark: then m is not nil.
func decode(body []byte) (r recovery.Record, m *mark, err error) {
	if len(body) < 2 || body[1] != 0 {
		r, err = stream.Decode(body)
		return r, nil, err
	}
	m = new(mark)
	if err := cbor.Unmarshal(body, m); err != nil {
		return recovery.Record{}, nil, fmt.Errorf("%w: %w", stream.ErrMalformed, err)
	}
	if again, err := cbor.Marshal(*m); err != nil || !bytes.Equal(again, body) { // RFC 8949, Section 4.2.1
		return recovery.Record{}, nil, fmt.Errorf("%w: a mark not in its one form", stream.ErrMalformed)
	}
	return recovery.Record{}, m, nil
}
