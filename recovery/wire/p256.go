package wire

import (
	"encoding/binary"
	"math/bits"
)

// reduceP256 is seed mod (n−1) + 1, n the order of P-256, big-endian: FIPS
// 186-5, A.2.1. It takes the same steps whatever the seed is.
func reduceP256(seed [48]byte) [32]byte {
	// n−1, the least significant word first.
	m := [4]uint64{0xf3b9cac2fc632550, 0xbce6faada7179e84, 0xffffffffffffffff, 0xffffffff00000000}
	var r [4]uint64 // below n−1 always
	for i := range len(seed) * 8 {
		in := uint64(seed[i/8]>>(7-i%8)) & 1
		var top uint64 // what r·2 has beyond 256 bits
		for j := range r {
			r[j], top, in = r[j]<<1|in, r[j]>>63, r[j]>>63
		}
		var diff [4]uint64
		var borrow uint64
		for j := range r {
			diff[j], borrow = bits.Sub64(r[j], m[j], borrow)
		}
		keep := -(borrow &^ top) // all ones when r·2 + in < n−1
		for j := range r {
			r[j] = r[j]&keep | diff[j]&^keep
		}
	}
	carry := uint64(1)
	for j := range r {
		r[j], carry = bits.Add64(r[j], 0, carry)
	}
	var out [32]byte
	for j := range r {
		binary.BigEndian.PutUint64(out[24-8*j:], r[j])
	}
	return out
}
