package sealed

import (
	"crypto/rand"
	"fmt"
)

// Record is the room of the plaintext of record j in a segment's buffer, for
// [SealInPlace] and [OpenInPlace].
func (h Header) Record(segment []byte, j int) []byte {
	start := HeaderSize + j*(RecordSize+TagSize)
	n := min(RecordSize, int(h.Plain)-j*RecordSize)
	return segment[start : start+n : start+n+TagSize]
}

// SealInPlace is [Seal] for plaintext that lies already where its ciphertext will be:
// that of record j in h.Record(segment, j). A segment has [Header.Size] bytes; the
// header and the tags are written around it. After an error what is in segment is of
// no use.
func SealInPlace(segment []byte, k Key, h Header) (Leaf, error) {
	if h.Salt != ([32]byte{}) {
		return Leaf{}, fmt.Errorf("%w: a header with a salt: SealInPlace draws it", ErrSegment)
	}
	if err := h.check(); err != nil {
		return Leaf{}, err
	}
	if int64(len(segment)) != h.Size() {
		return Leaf{}, fmt.Errorf("%w: room of %d bytes, its header says %d", ErrSegment, len(segment), h.Size())
	}
	rand.Read(h.Salt[:]) //nolint:errcheck // crypto/rand: never returns an error
	h.Append(segment[:0])
	aead, err := k.segment(segment[:HeaderSize])
	if err != nil {
		return Leaf{}, err
	}
	leaf := newLeafHash(segment[:HeaderSize])
	var nonce [12]byte
	for j, records := 0, h.Records(); j < records; j++ {
		plain := h.Record(segment, j)
		sealed := aead.Seal(plain[:0], place(&nonce, j, records), plain, nil)
		leaf.Write(sealed[len(plain):]) //nolint:errcheck // hash.Hash: never returns an error
	}
	return Leaf(leaf.Sum(nil)), nil
}

// OpenInPlace is [Open] without a second buffer: the plaintext of record j is then in
// h.Record(segment, j). After an error there is none, and the ciphertext is gone too.
func OpenInPlace(segment []byte, k Key) (Header, Leaf, error) {
	h, aead, err := k.opener(segment)
	if err != nil {
		return Header{}, Leaf{}, err
	}
	leaf := newLeafHash(segment[:HeaderSize])
	var nonce [12]byte
	for j, records := 0, h.Records(); j < records; j++ {
		plain := h.Record(segment, j)
		sealed := plain[:cap(plain)]
		leaf.Write(sealed[len(plain):]) //nolint:errcheck // hash.Hash: never returns an error
		if _, err := aead.Open(plain[:0], place(&nonce, j, records), sealed, nil); err != nil {
			clear(segment)
			return Header{}, Leaf{}, h.damaged(j)
		}
	}
	return h, Leaf(leaf.Sum(nil)), nil
}
