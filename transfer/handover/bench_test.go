package handover

import (
	"bytes"
	"crypto/ecdh"
	"crypto/mlkem"
	"crypto/rand"
	"crypto/sha3"
	"math"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest"
)

// BenchmarkHandshake: both halves from the code to the key of the history, with all
// messages encoded and read, and neither evidence nor proofs, whose cost is the
// platform's (full); and the KEM alone, one key, one encapsulation to its encoding,
// one decapsulation (floor).
func BenchmarkHandshake(b *testing.B) {
	b.Run("full", func(b *testing.B) {
		h := half{
			prove: func([32]byte) ([]byte, error) { return make([]byte, 64), nil }, verify: func([]byte, [32]byte, []byte) error { return nil },
			judge: func(*Evidence, []byte, []byte) (attest.Verdict, error) { return attest.Verdict{}, nil },
		}
		measure(b, func() error { return handshake(h) })
	})
	b.Run("floor", func(b *testing.B) {
		measure(b, bareKEM)
	})
}

// measure reports the fastest call, of half a millisecond: what others on the machine
// do, or the garbage collector, only makes one slower.
func measure(b *testing.B, f func() error) {
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
}

// handshake makes every message of the handshake and takes it, as it comes over the
// network.
func handshake(h half) error {
	key, err := kem().GenerateKey()
	if err != nil {
		return err
	}
	n, c := h, h
	n.own, n.transcript, n.code.Secret, n.prox = make([]byte, 91), transcript{}, newSecret(), newProximity()
	c.own, c.transcript = make([]byte, 91), transcript{}
	info := DeviceInfo{"Model", "16", "2.0"}
	r, err := newReceiver(n, key, &ReceiverOptions{Audience: "a@h", Evidence: Evidence{Platform: Android, Chain: [][]byte{{0}}}, Info: info, SchemaHigh: 1, Beacons: BeaconBLE})
	if err != nil {
		return err
	}
	code, err := ParseCode(r.Code().URI())
	if err != nil {
		return err
	}
	beacon, err := r.Beacon()
	if err != nil {
		return err
	}
	s, err := newSender(c, code, r.Offer(), &SenderOptions{Audience: "a@h", Account: "u", DeviceID: "d", Info: info})
	if err != nil {
		return err
	}
	e, err := s.Hello(ClassNear, beacon)
	if err != nil {
		return err
	}
	if _, err = r.HandleHello(e); err != nil {
		return err
	}
	if e, err = r.Answer(); err != nil {
		return err
	}
	if err := s.HandleAnswer(e); err != nil {
		return err
	}
	typed, err := s.Number()
	if err != nil {
		return err
	}
	if err := r.Number(typed); err != nil {
		return err
	}
	if e, err = r.Matched(make([]byte, 500), nil); err != nil {
		return err
	}
	if _, err = s.HandleMatched(e); err != nil {
		return err
	}
	e, hold, err := s.Confirm(StepUp{"a", make([]byte, 500)}, 1)
	if err != nil {
		return err
	}
	if _, err = r.HandleConfirm(e); err != nil {
		return err
	}
	mine, err := r.BulkKey(hold)
	if err != nil {
		return err
	}
	theirs, err := s.BulkKey()
	if err == nil && !bytes.Equal(mine, theirs) {
		err = ErrMAC
	}
	return err
}

// bareKEM is X-Wing without anything around it.
func bareKEM() error {
	pq, err := mlkem.GenerateKey768()
	if err != nil {
		return err
	}
	t, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	pqPublic, err := mlkem.NewEncapsulationKey768(pq.EncapsulationKey().Bytes())
	if err != nil {
		return err
	}
	tPublic, err := ecdh.X25519().NewPublicKey(t.PublicKey().Bytes())
	if err != nil {
		return err
	}
	pqShared, ciphertext := pqPublic.Encapsulate()
	e, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	tShared, err := e.ECDH(tPublic)
	if err != nil {
		return err
	}
	a := combine(pqShared, tShared, e.PublicKey(), tPublic)
	if pqShared, err = pq.Decapsulate(ciphertext); err != nil {
		return err
	}
	if tShared, err = t.ECDH(e.PublicKey()); err != nil {
		return err
	}
	if b := combine(pqShared, tShared, e.PublicKey(), tPublic); a != b {
		return ErrMAC
	}
	return nil
}

func combine(pq, t []byte, ephemeral, public *ecdh.PublicKey) [32]byte {
	return sha3.Sum256(bytes.Join([][]byte{pq, t, ephemeral.Bytes(), public.Bytes(), []byte(`\./` + `/^\`)}, nil))
}
