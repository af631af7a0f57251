package sealed

import (
	"crypto/sha256"
	"fmt"
	"hash"
)

// Leaf is SHA-256(0x00 ‖ header ‖ the tags of a segment): it stands for the segment
// in the tree. Whoever has the key and the leaf has the segment; no second hash over
// the ciphertext would say more.
type Leaf [32]byte

func newLeafHash(header []byte) hash.Hash {
	d := sha256.New()
	d.Write([]byte{0}) //nolint:errcheck // hash.Hash: never returns an error
	d.Write(header)    //nolint:errcheck
	return d
}

// LeafHasher finds the leaf of a segment as it passes, in pieces of any length, with
// no key and in constant memory. It checks what can be seen from outside: the
// header, and the length.
type LeafHasher struct {
	head   [HeaderSize]byte
	header Header
	leaf   hash.Hash
	at     int64 // bytes that have passed
	err    error
}

// NewLeafHasher returns one that waits for the first byte of a segment.
func NewLeafHasher() *LeafHasher { return new(LeafHasher) }

// Header gives the header as soon as it has passed.
func (l *LeafHasher) Header() (h Header, ok bool) { return l.header, l.leaf != nil }

// Write takes the next bytes of the segment. The error is ErrSegment: a header that
// is none, or bytes behind the end.
func (l *LeafHasher) Write(p []byte) (int, error) {
	if l.err != nil {
		return 0, l.err
	}
	total := len(p)
	if l.leaf == nil {
		n := copy(l.head[l.at:], p)
		l.at, p = l.at+int64(n), p[n:]
		if l.at < HeaderSize {
			return total, nil
		}
		if l.header, l.err = ParseHeader(l.head[:]); l.err != nil {
			return 0, l.err
		}
		l.leaf = newLeafHash(l.head[:])
	}
	if int64(len(p)) > l.header.Size()-l.at {
		l.err = fmt.Errorf("%w: bytes behind its end, its header says %d", ErrSegment, l.header.Size())
		return 0, l.err
	}
	for len(p) > 0 {
		n, tag := l.next(len(p))
		if tag {
			l.leaf.Write(p[:n]) //nolint:errcheck // hash.Hash: never returns an error
		}
		l.at, p = l.at+int64(n), p[n:]
	}
	return total, nil
}

// next says how many of the coming n bytes belong to one part of a record, and
// whether that is its tag.
func (l *LeafHasher) next(n int) (int, bool) {
	body := l.at - HeaderSize
	start := body - body%(RecordSize+TagSize) // of the record
	length := min(RecordSize+TagSize, l.header.Size()-HeaderSize-start)
	tag := start + length - TagSize
	if body < tag {
		return int(min(int64(n), tag-body)), false
	}
	return int(min(int64(n), start+length-body)), true
}

// Sum gives header and leaf when the whole segment has passed; the error, if not, is
// ErrSegment.
func (l *LeafHasher) Sum() (Header, Leaf, error) {
	switch {
	case l.err != nil:
		return Header{}, Leaf{}, l.err
	case l.leaf == nil:
		return Header{}, Leaf{}, fmt.Errorf("%w: cut short after %d bytes, in its header", ErrSegment, l.at)
	case l.at != l.header.Size():
		return Header{}, Leaf{}, fmt.Errorf("%w: cut short after %d bytes of %d", ErrSegment, l.at, l.header.Size())
	}
	return l.header, Leaf(l.leaf.Sum(nil)), nil
}
