package sealed_test

import (
	"crypto/aes"
	"crypto/cipher"
	"math"
	"testing"
	"time"

	"github.com/staunchid/staunch/transfer/sealed"
)

// benchPlain is the plaintext of a full segment.
const benchPlain = sealed.MaxRecords * sealed.RecordSize

// BenchmarkSeal: a full segment, against the bare AEAD over as many records of 64 KiB
// with the key scheduled and the room there: from buffer to buffer, and in place.
func BenchmarkSeal(b *testing.B) {
	h := sealed.Header{Revision: 1, Plain: benchPlain}
	k, plain := bulk(b), random(benchPlain)
	b.Run("full", func(b *testing.B) {
		room := make([]byte, 0, h.Size())
		run(b, func() error { _, _, err := sealed.Seal(room, k, h, plain); return err })
	})
	b.Run("floor", func(b *testing.B) {
		aead, nonce, room := bareAEAD(b), make([]byte, 12), make([]byte, h.Size())
		run(b, func() error {
			for j := range sealed.MaxRecords {
				aead.Seal(h.Record(room, j)[:0], nonce, plain[j*sealed.RecordSize:][:sealed.RecordSize], nil)
			}
			return nil
		})
	})
	b.Run("one-record-floor", func(b *testing.B) { // the same 64 KiB again and again, which stay in the cache
		aead, nonce, record := bareAEAD(b), make([]byte, 12), make([]byte, sealed.RecordSize, sealed.RecordSize+sealed.TagSize)
		run(b, func() error {
			for range sealed.MaxRecords {
				aead.Seal(record[:0], nonce, record, nil)
			}
			return nil
		})
	})
	segment := make([]byte, h.Size())
	b.Run("in-place", func(b *testing.B) {
		run(b, func() error { _, err := sealed.SealInPlace(segment, k, h); return err })
	})
	b.Run("in-place-floor", func(b *testing.B) {
		aead, nonce := bareAEAD(b), make([]byte, 12)
		run(b, func() error {
			for j := range sealed.MaxRecords {
				plain := h.Record(segment, j)
				aead.Seal(plain[:0], nonce, plain, nil)
			}
			return nil
		})
	})
}

// BenchmarkOpen: the same, the other way. In place, what is opened is gone, so a copy
// of the segment comes before it, here and in the floor.
func BenchmarkOpen(b *testing.B) {
	k := bulk(b)
	segment, _ := mustSeal(b, 0, random(benchPlain))
	h, err := sealed.ParseHeader(segment)
	if err != nil {
		b.Fatal(err)
	}
	aead, nonce := bareAEAD(b), make([]byte, 12)
	bare := make([]byte, h.Size())
	for j := range sealed.MaxRecords {
		plain := h.Record(bare, j)
		aead.Seal(plain[:0], nonce, plain, nil)
	}
	room, work := make([]byte, benchPlain), make([]byte, h.Size())
	b.Run("full", func(b *testing.B) {
		run(b, func() error { _, _, _, err := sealed.Open(room[:0], k, segment); return err })
	})
	b.Run("floor", func(b *testing.B) {
		run(b, func() error { return openBare(aead, nonce, h, bare, room) })
	})
	b.Run("in-place", func(b *testing.B) {
		run(b, func() error { copy(work, segment); _, _, err := sealed.OpenInPlace(work, k); return err })
	})
	b.Run("in-place-floor", func(b *testing.B) {
		run(b, func() error { copy(work, bare); return openBare(aead, nonce, h, work, nil) })
	})
}

// openBare opens the records of a segment, to room or in place.
func openBare(aead cipher.AEAD, nonce []byte, h sealed.Header, segment, room []byte) error {
	for j := range sealed.MaxRecords {
		plain := h.Record(segment, j)
		dst := plain[:0]
		if room != nil {
			dst = room[j*sealed.RecordSize:][:0]
		}
		if _, err := aead.Open(dst, nonce, plain[:cap(plain)], nil); err != nil {
			return err
		}
	}
	return nil
}

func bareAEAD(b *testing.B) cipher.AEAD {
	b.Helper()
	block, err := aes.NewCipher(random(32))
	if err != nil {
		b.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		b.Fatal(err)
	}
	return aead
}

// run reports the fastest call, of a millisecond or two: all that another process or
// the garbage collector can do is to make one slower.
func run(b *testing.B, f func() error) {
	b.Helper()
	b.ReportAllocs()
	fastest := time.Duration(math.MaxInt64)
	for b.Loop() {
		start := time.Now()
		if err := f(); err != nil {
			b.Fatal(err)
		}
		fastest = min(fastest, time.Since(start))
	}
	b.ReportMetric(float64(fastest.Nanoseconds()), "ns/op")
	b.ReportMetric(benchPlain/fastest.Seconds()/1e6, "MB/s")
}
