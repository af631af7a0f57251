package integrity_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// BenchmarkSignIn is a whole sign-in on a known phone, from the signed call to
// the commit of nonce, session, entry and event, with a store in a file that is
// not synced; the floor is its two signatures, one of the passkey and one of the
// call. Both are processor time, which others on the machine change less.
func BenchmarkSignIn(b *testing.B) {
	b.Run("full", func(b *testing.B) {
		r := &rig{t: b, path: filepath.Join(b.TempDir(), "demo.db"), now: noon, noSync: true}
		r.open(func(o *integrity.Options) {
			o.Policy.Limits.BeginDevice = integrity.Limit{N: 1 << 30, Per: time.Minute}
		})
		p := r.newPhone(&passkeytest.Options{Algorithm: -7}) // ES256, as the call and the floor
		p.enrolled(must[*integrity.Enrolled](b)(r.FinishEnrol(b.Context(), r.anonymous(), p.enrolment())))
		p.token = nil // whoever signs in all day ends the session that he began with
		const batch = 32
		var spent time.Duration
		var calls []*request.Message
		var answers []*integrity.SignInAnswer
		prepare := func() {
			b.StopTimer()
			spent += processorTime()
			defer func() {
				spent -= processorTime()
				b.StartTimer()
			}()
			for range batch {
				answers = append(answers, p.assertion())
				calls = append(calls, p.message(nil))
			}
		}
		b.ReportAllocs()
		spent = -processorTime()
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
		b.ReportMetric(float64(spent+processorTime())/float64(b.N), "ns/op")
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
		spent := -processorTime()
		for b.Loop() {
			for range 2 {
				if !ecdsa.VerifyASN1(&key.PublicKey, digest[:], sig) {
					b.Fatal("a good signature is refused")
				}
			}
		}
		b.ReportMetric(float64(spent+processorTime())/float64(b.N), "ns/op")
	})
}

// processorTime is what this process has used of the processor.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // it has no reason to fail
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
