package integrity_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"path/filepath"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/integrity"
)

// BenchmarkSignIn is a whole sign-in on a known phone, from the signed call to
// the commit of nonce, session, entry and event, with a store in a file that is
// not synced; the floor is its two signatures, one of the passkey and one of the
// call.
func BenchmarkSignIn(b *testing.B) {
	b.Run("full", func(b *testing.B) {
		r := &rig{t: b, path: filepath.Join(b.TempDir(), "demo.db"), now: noon, noSync: true}
		r.open(func(o *integrity.Options) {
			o.Policy.Limits.BeginDevice = integrity.Limit{N: 1 << 30, Per: time.Minute}
		})
		p := r.enrol()
		const batch = 32
		var calls []*request.Message
		var answers []*integrity.SignInAnswer
		prepare := func() {
			b.StopTimer()
			defer b.StartTimer()
			for range batch {
				answers = append(answers, p.assertion())
				calls = append(calls, p.message(nil))
			}
		}
		b.ReportAllocs()
		for b.Loop() {
			if len(calls) == 0 {
				prepare()
			}
			last := len(calls) - 1
			if _, _, err := r.SignInOnPhone(b.Context(), calls[last], nil, network, answers[last]); err != nil {
				b.Fatal(err)
			}
			calls, answers = calls[:last], answers[:last]
		}
	})
	b.Run("floor", func(b *testing.B) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			b.Fatal(err)
		}
		digest := sha256.Sum256([]byte("what is signed"))
		sig, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			for range 2 {
				if !ecdsa.VerifyASN1(&key.PublicKey, digest[:], sig) {
					b.Fatal("a good signature is refused")
				}
			}
		}
	})
}
