package sealed

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"slices"
)

// Seal appends the segment of this plaintext to dst, and gives its leaf. h says the
// revision, the first record and the length of plain; its salt must be zero, for
// Seal draws a fresh one: no key is made twice. dst's free room and plain must not
// overlap. With room for [Header.Size] bytes in dst, the ciphertext is written
// where it stays.
//
// Only the last segment of a stream may end in a short record; [Stream] sees to it.
func Seal(dst []byte, k Key, h Header, plain []byte) ([]byte, Leaf, error) {
	if h.Salt != ([32]byte{}) {
		return nil, Leaf{}, fmt.Errorf("%w: a header with a salt: Seal draws it", ErrSegment)
	}
	rand.Read(h.Salt[:]) //nolint:errcheck // crypto/rand: never returns an error
	return seal(dst, k, h, plain)
}

// seal is Seal under a salt that is given.
func seal(dst []byte, k Key, h Header, plain []byte) ([]byte, Leaf, error) {
	if err := h.check(); err != nil {
		return nil, Leaf{}, err
	}
	if uint64(len(plain)) != uint64(h.Plain) {
		return nil, Leaf{}, fmt.Errorf("%w: %d bytes of plaintext, the header says %d", ErrSegment, len(plain), h.Plain)
	}
	start := len(dst)
	dst = h.Append(slices.Grow(dst, int(h.Size())))
	aead, err := k.segment(dst[start:])
	if err != nil {
		return nil, Leaf{}, err
	}
	leaf := newLeafHash(dst[start:])
	var nonce [12]byte
	for j, records := 0, h.Records(); j < records; j++ {
		n := min(RecordSize, len(plain))
		dst = aead.Seal(dst, place(&nonce, j, records), plain[:n], nil)
		leaf.Write(dst[len(dst)-TagSize:]) //nolint:errcheck // hash.Hash: never returns an error
		plain = plain[n:]
	}
	return dst, Leaf(leaf.Sum(nil)), nil
}

// place is the nonce of record j: 4 zero bytes ‖ u32be j ‖ 3 zero bytes ‖ last.
func place(nonce *[12]byte, j, records int) []byte {
	binary.BigEndian.PutUint32(nonce[4:], uint32(j))
	nonce[11] = 0
	if j == records-1 {
		nonce[11] = 1
	}
	return nonce[:]
}

// Open appends the plaintext of a whole segment to dst, and gives its header and its
// leaf. It is all or nothing: if one record does not open (ErrRecord), none of the
// others is given. dst's free room and segment must not overlap. The header is only
// what the segment says of itself, under the right key: that it is the next one of
// the right revision is for [Stream.Add] to say.
func Open(dst []byte, k Key, segment []byte) ([]byte, Header, Leaf, error) {
	h, aead, err := k.opener(segment)
	if err != nil {
		return nil, Header{}, Leaf{}, err
	}
	leaf := newLeafHash(segment[:HeaderSize])
	start := len(dst)
	dst = slices.Grow(dst, int(h.Plain))
	var nonce [12]byte
	rest := segment[HeaderSize:]
	for j, records := 0, h.Records(); j < records; j++ {
		n := min(RecordSize+TagSize, len(rest))
		out, err := aead.Open(dst, place(&nonce, j, records), rest[:n], nil)
		if err != nil {
			clear(dst[start:])
			return nil, Header{}, Leaf{}, h.damaged(j)
		}
		dst = out
		leaf.Write(rest[n-TagSize : n]) //nolint:errcheck // hash.Hash: never returns an error
		rest = rest[n:]
	}
	return dst, h, Leaf(leaf.Sum(nil)), nil
}

// opener reads the header of a whole segment and gives the AEAD that opens it.
func (k Key) opener(segment []byte) (Header, cipher.AEAD, error) {
	h, err := ParseHeader(segment)
	if err != nil {
		return Header{}, nil, err
	}
	if int64(len(segment)) != h.Size() {
		return Header{}, nil, fmt.Errorf("%w: %d bytes, its header says %d", ErrSegment, len(segment), h.Size())
	}
	aead, err := k.segment(segment[:HeaderSize])
	return h, aead, err
}

// damaged is the error of a record that does not open.
func (h Header) damaged(j int) error {
	return fmt.Errorf("%w: record %d of revision %d", ErrRecord, h.First+uint64(j), h.Revision)
}
