package toprf

import "testing"

// BenchmarkEvaluate is what a vault does for an attempt: reading, multiplying,
// and the proof if one is wanted.
func BenchmarkEvaluate(b *testing.B) {
	for _, s := range []Suite{Ristretto255, P256} {
		r := newRound(b, s)
		enc, k := r.b.Element.Bytes(), r.shares[0].Scalar
		e := r.answers[0].E
		b.Run(s.String()+"/read", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Element(enc); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(s.String()+"/multiply", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Evaluate(k, r.b.Element); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(s.String()+"/prove", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Prove(k, r.b.Element, e); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
