package sealed

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"

	"github.com/staunchid/staunch/transfer/derive"
)

// Tree is a Merkle tree to which leaves are appended; of its nodes it keeps only
// those that are still needed, one for each set bit of their number. Its shape is
// RFC 9162, Section 2.1.1. The zero Tree is empty.
type Tree struct {
	leaves uint64
	nodes  [][32]byte // full subtrees, the largest first
}

// Append adds the next leaf.
func (t *Tree) Append(l Leaf) {
	node := [32]byte(l)
	for n := t.leaves; n&1 == 1; n >>= 1 {
		last := len(t.nodes) - 1
		node = nodeHash(t.nodes[last], node)
		t.nodes = t.nodes[:last]
	}
	t.nodes = append(t.nodes, node)
	t.leaves++
}

// nodeHash is SHA-256(0x01 ‖ left ‖ right).
func nodeHash(left, right [32]byte) [32]byte {
	var b [65]byte
	b[0] = 1
	copy(b[1:], left[:])
	copy(b[33:], right[:])
	return sha256.Sum256(b[:])
}

// Leaves says how many there are.
func (t *Tree) Leaves() uint64 { return t.leaves }

// Hash is the tree hash of the leaves so far; that of none is SHA-256 of nothing.
func (t *Tree) Hash() [32]byte {
	if len(t.nodes) == 0 {
		return sha256.Sum256(nil)
	}
	hash := t.nodes[len(t.nodes)-1]
	for _, left := range slices.Backward(t.nodes[:len(t.nodes)-1]) {
		hash = nodeHash(left, hash)
	}
	return hash
}

// MarshalBinary is for a checkpoint: the number of leaves, then the nodes.
func (t *Tree) MarshalBinary() ([]byte, error) {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 8+32*len(t.nodes)), t.leaves)
	for _, n := range t.nodes {
		b = append(b, n[:]...)
	}
	return b, nil
}

// UnmarshalBinary reads what MarshalBinary wrote. The error is ErrCheckpoint.
func (t *Tree) UnmarshalBinary(b []byte) error {
	if len(b) < 8 {
		return fmt.Errorf("%w: a tree of %d bytes", ErrCheckpoint, len(b))
	}
	leaves := binary.BigEndian.Uint64(b)
	b = b[8:]
	if len(b) != 32*bits.OnesCount64(leaves) {
		return fmt.Errorf("%w: %d bytes for the nodes of %d leaves", ErrCheckpoint, len(b), leaves)
	}
	nodes := make([][32]byte, 0, len(b)/32)
	for n := range slices.Chunk(b, 32) {
		nodes = append(nodes, [32]byte(n))
	}
	*t = Tree{leaves, nodes}
	return nil
}

// Root is what grant and receipt name: T("root", u32be revision ‖ u64be records ‖
// u64be bytes ‖ u64be segments, tree hash).
func Root(revision uint32, records, bytes, segments uint64, tree [32]byte) [32]byte {
	var b [28]byte
	binary.BigEndian.PutUint32(b[:], revision)
	binary.BigEndian.PutUint64(b[4:], records)
	binary.BigEndian.PutUint64(b[12:], bytes)
	binary.BigEndian.PutUint64(b[20:], segments)
	return derive.Hash("root", b[:], tree[:])
}
