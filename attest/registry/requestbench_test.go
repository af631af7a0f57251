package registry_test

import (
	"sync/atomic"
	"testing"

	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/store/storetest"
)

// BenchmarkVerifyRequest judges signed requests of 1,000 keys, 64 at a time on
// two processors: the service alone. What is promised of a whole server is
// measured by `make bench`.
func BenchmarkVerifyRequest(b *testing.B) {
	r := newRig(b, withPolicy(b))
	keys := r.softKeys(1000)
	messages := make([]*request.Message, b.N)
	for i := range messages {
		messages[i] = keys[i%len(keys)].message(b, noon)
	}
	var next atomic.Int64
	b.SetParallelism(32)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			v, err := r.VerifyRequest(b.Context(), backend, &registry.RequestCheck{App: "demo", Message: messages[next.Add(1)-1]})
			if err != nil || v.Decision != registry.Allow {
				b.Errorf("%+v, %v", v, err)
				return
			}
		}
	})
}

// BenchmarkProve judges calls of one key after another, each in a transaction of
// its own; raw is the verification of their signatures alone.
func BenchmarkProve(b *testing.B) {
	r := newRig(b, withPolicy(b))
	key := r.softKeys(1)[0]
	calls := func(b *testing.B) []*registry.ProofRequest {
		all := make([]*registry.ProofRequest, b.N)
		for i := range all {
			req := freeze()
			if err := request.Sign(req, &request.Signing{KeyID: key.id, Created: noon, Sign: key.sign}); err != nil {
				b.Fatal(err)
			}
			all[i] = r.proof(req)
		}
		b.ReportAllocs()
		b.ResetTimer()
		return all
	}
	b.Run("sqlite", func(b *testing.B) {
		for _, in := range calls(b) {
			if _, err := r.Prove(b.Context(), in); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("later", func(b *testing.B) { // what needs no transaction
		for _, in := range calls(b) {
			if _, err := r.ProveLater(b.Context(), in); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("settle", func(b *testing.B) { // what a call adds to a flow's own transaction
		all := make([]*registry.Proving, 0, b.N)
		for _, in := range calls(b) {
			p, err := r.ProveLater(b.Context(), in)
			if err != nil {
				b.Fatal(err)
			}
			all = append(all, p)
		}
		b.ResetTimer()
		err := r.store.Update(b.Context(), func(tx storetest.Tx) error {
			for _, p := range all {
				if _, err := p.Settle(b.Context(), tx); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	})
	b.Run("raw", func(b *testing.B) {
		for _, in := range calls(b) {
			p, err := request.Parse(in.Message)
			if err != nil || !request.VerifySignature("ecdsa-p256-sha256", &key.PublicKey, p.Base, p.Signature) {
				b.Fatal(err)
			}
		}
	})
}
