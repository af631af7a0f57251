package vault

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"

	"github.com/staunchid/staunch/internal/cbor"
	"github.com/staunchid/staunch/recovery/wire"
)

// The kinds of entries of a journal.
const (
	entryMark     = 1 // [1, vault-id, tagged]: written, covering what was held
	entryMore     = 2 // [2, vault-id, tagged]: learnt in joining, beside what is held
	entryLife     = 3 // [3, witness-id, incarnation]
	entryHead     = 4 // [4, witness-id, head]
	entrySnapshot = 5 // [5, "", [number, digest]]
)

// entry is one thing that a witness learnt.
type entry struct {
	kind uint8
	name string // vault-id or witness-id
	mark wire.Tagged
	life wire.Incarnation
	head Head // for a snapshot: its number and digest
}

func (e *entry) Code(c *cbor.Coder) {
	c.Array(3)
	cbor.Uint(c, &e.kind, entryMark, entrySnapshot)
	cbor.String(c, &e.name, 0, 32)
	switch e.kind {
	case entryMark, entryMore:
		e.mark.Code(c)
	case entryLife:
		e.life.Code(c)
	default:
		e.head.Code(c)
	}
}

// chained is one batch: its number from 1, the hash of the batch before, and what
// it says. Its own hash is the SHA-256 of its encoding.
type chained struct {
	n       uint64
	prev    wire.Hash
	entries []entry
}

func (b *chained) Code(c *cbor.Coder) {
	c.Array(3)
	cbor.Uint(c, &b.n, 1, math.MaxUint64)
	b.prev.Code(c)
	cbor.Slice(c, &b.entries, 0, math.MaxInt32, func(e *entry) { e.Code(c) })
}

// encode and decode are without the bound of messages on a link.
func encode(v wire.Coded) ([]byte, error) {
	b, err := cbor.Encode(v.Code)
	if err == nil && len(b) > maxBody {
		err = fmt.Errorf("%d bytes do not fit into a frame", len(b))
	}
	return b, err
}

func decode(b []byte, v wire.Coded) error { return cbor.Decode(b, v.Code) }

// A frame is a length in 4 bytes, a CRC-32C in 4 bytes over length and body, and
// the body.
const (
	frameHead = 8
	maxBody   = 8 << 20
)

func checksum(length, body []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum(length, table), table, body)
}

func framed(body []byte) []byte {
	b := make([]byte, frameHead, frameHead+len(body))
	binary.BigEndian.PutUint32(b, uint32(len(body)))
	binary.BigEndian.PutUint32(b[4:], checksum(b[:4], body))
	return append(b, body...)
}

// errTorn: the frame is not whole.
var errTorn = errors.New("the frame is not whole")

// unframe returns the body of the first frame of b. io.EOF: b is empty.
func unframe(b []byte) (body, rest []byte, err error) {
	if len(b) == 0 {
		return nil, nil, io.EOF
	}
	if len(b) < frameHead {
		return nil, nil, errTorn
	}
	n := uint64(binary.BigEndian.Uint32(b))
	if n > maxBody || n > uint64(len(b)-frameHead) {
		return nil, nil, errTorn
	}
	body, rest = b[frameHead:frameHead+n], b[frameHead+n:]
	if checksum(b[:4], body) != binary.BigEndian.Uint32(b[4:]) {
		return nil, nil, errTorn
	}
	return body, rest, nil
}

// torn reports whether what follows the last whole frame can be the beginning of
// one that a power cut ended: then no whole frame is behind it.
func torn(b []byte) bool {
	if len(b) > frameHead+maxBody {
		return false
	}
	for i := 1; i+frameHead < len(b); i++ {
		if body, _, err := unframe(b[i:]); err == nil && len(body) > 0 {
			return false
		}
	}
	return true
}
