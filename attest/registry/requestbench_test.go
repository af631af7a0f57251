package registry_test

import (
	"sync/atomic"
	"testing"

	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/attest/request"
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
