package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/hpke"
	"crypto/sha256"
	"testing"

	"github.com/cloudflare/circl/group"

	"github.com/staunchid/staunch/recovery/wire"
)

// BenchmarkEvaluate, BenchmarkRelease and BenchmarkSeedRestore compare a call with
// its primitives alone, each done once: what the vault's own work costs.

// floor is the primitives of a call, on inputs of the sizes that they have.
type floor struct {
	private hpke.PrivateKey
	enc     []byte
	box     []byte
	aead    cipher.AEAD
	record  []byte // sealed
	answer  []byte // plain
	plain   []byte // of a record
	boot    ed25519.PrivateKey
	receipt []byte
	scalar  group.Scalar
	b       group.Element
	half    []byte // of the phone
}

func newFloor(b *testing.B, request, record, answer int) *floor {
	b.Helper()
	private, err := hpke.MLKEM768X25519().GenerateKey()
	if err != nil {
		b.Fatal(err)
	}
	enc, sender, err := hpke.NewSender(private.PublicKey(), hpke.HKDFSHA256(), hpke.AES256GCM(), make([]byte, 70))
	if err != nil {
		b.Fatal(err)
	}
	box, err := sender.Seal(make([]byte, 20), make([]byte, request))
	if err != nil {
		b.Fatal(err)
	}
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		b.Fatal(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		b.Fatal(err)
	}
	_, boot, err := ed25519.GenerateKey(nil)
	if err != nil {
		b.Fatal(err)
	}
	f := &floor{
		private: private, enc: enc, box: box, aead: aead, boot: boot,
		plain: make([]byte, record), answer: make([]byte, answer), receipt: make([]byte, 190),
		scalar: group.Ristretto255.NewScalar().SetUint64(7), b: group.Ristretto255.HashToElement([]byte("x"), nil),
	}
	f.scalar.Neg(f.scalar) // as long as any
	f.record = aead.Seal(nil, nil, f.plain, nil)
	if f.half, err = f.b.MarshalBinaryCompress(); err != nil {
		b.Fatal(err)
	}
	return f
}

// open is HPKE: decapsulate, open the request, export the key of the answer.
func (f *floor) open(b *testing.B) {
	recipient, err := hpke.NewRecipient(f.enc, f.private, hpke.HKDFSHA256(), hpke.AES256GCM(), make([]byte, 70))
	if err != nil {
		b.Fatal(err)
	}
	if _, err := recipient.Open(make([]byte, 20), f.box); err != nil {
		b.Fatal(err)
	}
	if _, err := recipient.Export("staunch/kr1/answer", 32); err != nil {
		b.Fatal(err)
	}
}

// seals opens a record, seals one and an answer, and signs a receipt.
func (f *floor) seals(b *testing.B) {
	if _, err := f.aead.Open(nil, nil, f.record, nil); err != nil {
		b.Fatal(err)
	}
	f.aead.Seal(nil, nil, f.plain, nil)
	f.aead.Seal(nil, nil, f.answer, nil)
	ed25519.Sign(f.boot, f.receipt)
}

// multiply reads B, multiplies it, and writes E.
func (f *floor) multiply(b *testing.B) {
	enc, err := f.b.MarshalBinaryCompress()
	if err != nil {
		b.Fatal(err)
	}
	in := group.Ristretto255.NewElement()
	if err := in.UnmarshalBinary(enc); err != nil {
		b.Fatal(err)
	}
	if _, err := group.Ristretto255.NewElement().Mul(in, f.scalar).MarshalBinaryCompress(); err != nil {
		b.Fatal(err)
	}
}

// exchange makes the vault's half of an exchange (CPace): a scalar, a generator,
// their product.
func (f *floor) exchange(b *testing.B) group.Scalar {
	mac := hmac.New(sha256.New, make([]byte, 32))
	mac.Write(make([]byte, 110))
	y := group.Ristretto255.HashToScalar(mac.Sum(nil), []byte("staunch/kr1/share"))
	g := group.Ristretto255.HashToElement(make([]byte, 150), []byte("staunch/kr1/generator"))
	if _, err := g.Mul(g, y).MarshalBinaryCompress(); err != nil {
		b.Fatal(err)
	}
	return y
}

// confirm takes the phone's half to the key, and the key to the tag.
func (f *floor) confirm(b *testing.B, y group.Scalar) {
	half := group.Ristretto255.NewElement()
	if err := half.UnmarshalBinary(f.half); err != nil {
		b.Fatal(err)
	}
	z, err := half.Mul(half, y).MarshalBinaryCompress()
	if err != nil {
		b.Fatal(err)
	}
	isk, err := hkdf.Key(sha256.New, z, []byte("staunch/kr1/isk"), string(make([]byte, 210)), 32)
	if err != nil {
		b.Fatal(err)
	}
	mac := hmac.New(sha256.New, isk)
	mac.Write([]byte("staunch/kr1/confirm"))
	mac.Sum(nil)
}

// warm is how many calls go before the clock starts: a vault runs for months, and the
// first hundred calls of a process are those that touch the pages of its heap for the
// first time.
const warm = 200

// measured runs do, which is measured when the process has warmed up.
func measured(b *testing.B, do func()) {
	b.Helper()
	for range warm {
		do()
	}
	for b.Loop() {
		do()
	}
}

// handled calls with one request, again and again, as a phone may.
func handled(b *testing.B, g *rig, op wire.Op, body []byte) {
	c, _ := g.seal(op, body)
	measured(b, func() {
		reply := g.v.Handle(b.Context(), c)
		if reply.Result != wire.CodeDone {
			b.Fatal(reply.Result)
		}
		c.Record = reply.Record
	})
}

func BenchmarkEvaluate(b *testing.B) {
	b.Run("full", func(b *testing.B) {
		b.ReportAllocs()
		g, r := registered(b)
		body, err := wire.Encode(&wire.Evaluate{Reg: r.reg, B: g.blind(r, r.pin, 1).Element.Bytes()})
		if err != nil {
			b.Fatal(err)
		}
		handled(b, g, wire.OpEvaluate, body)
	})
	b.Run("floor", func(b *testing.B) {
		f := newFloor(b, 53, 512, 256)
		measured(b, func() {
			f.open(b)
			f.multiply(b)
			f.exchange(b)
			f.seals(b)
		})
	})
}

func BenchmarkRelease(b *testing.B) {
	b.Run("full", func(b *testing.B) {
		b.ReportAllocs()
		g, r := registered(b)
		a, _ := g.evaluate(r, r.pin, 1, false)
		body, err := wire.Encode(g.releaseOf(r, r.pin, 1, a))
		if err != nil {
			b.Fatal(err)
		}
		handled(b, g, wire.OpRelease, body)
	})
	b.Run("floor", func(b *testing.B) {
		f := newFloor(b, 188, 512, 256)
		measured(b, func() {
			f.open(b)
			f.confirm(b, f.exchange(b))
			f.seals(b)
		})
	})
}

func BenchmarkSeedRestore(b *testing.B) {
	b.Run("full", func(b *testing.B) {
		b.ReportAllocs()
		e := newEnclaves(b, 1)
		e.must(0, "123456", "secret", wire.VerdictOK, 1, 0)
		body, err := wire.EncodeSeedRequest(&wire.SeedRequest{PIN: wire.Secret("123456")})
		if err != nil {
			b.Fatal(err)
		}
		handled(b, e.rig, wire.OpSeedRestore, body)
	})
	b.Run("floor", func(b *testing.B) { // one HPKE open
		f := newFloor(b, 4608, 4608, 4608)
		measured(b, func() { f.open(b) })
	})
}
