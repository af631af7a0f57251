package vault

import (
	"context"
	"encoding/binary"
	"path/filepath"
	"sync/atomic"
	"testing"
)

// BenchmarkQuorum is a load and an advance at four witnesses: in memory, with
// journals, and with journals over links.
func BenchmarkQuorum(b *testing.B) {
	for _, c := range []struct {
		name           string
		journal, links bool
	}{{"memory", false, false}, {"journal", true, false}, {"links", false, true}, {"journal-links", true, true}} {
		b.Run(c.name, func(b *testing.B) {
			s := &set{TB: b, key: testKey(), sizes: sizes{4, 3, 3, 1}}
			if c.journal {
				for range 4 {
					s.dirs = append(s.dirs, filepath.Join(b.TempDir(), "witness"))
				}
			}
			startSet(s)
			if c.links {
				writer := newEnd(b, "v1")
				for i, w := range s.witnesses {
					s.peers[i].become(newLink(b, w.ID(), serve(b, w, newEnd(b, w.ID())), writer))
				}
			}
			var n atomic.Uint64
			b.SetParallelism(64) // calls wait for disks and peers
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					var acct [16]byte
					binary.BigEndian.PutUint64(acct[:], n.Add(1))
					m, err := s.writer.Load(context.Background(), acct)
					if err == nil {
						m.Gen, m.Ver, m.Charges, m.Last = 1, m.Ver+1, m.Charges+1, [16]byte{1}
						err = s.writer.Advance(context.Background(), acct, m)
					}
					if err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
