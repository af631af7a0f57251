package wire_test

import (
	"bytes"
	"fmt"
	"math"
	"testing"

	"github.com/staunchid/staunch/recovery/wire"
)

// encoded returns the encoding of v, which must have one.
func encoded(t testing.TB, v wire.Coded) []byte {
	t.Helper()
	b, err := wire.Encode(v)
	if err != nil {
		t.Fatalf("%T: %v", v, err)
	}
	return b
}

func fill(n int) []byte { return bytes.Repeat([]byte{0xa5}, n) }

func newHPKE(t testing.TB, suite wire.Suite) *wire.HPKEKey {
	t.Helper()
	k, err := wire.DeriveHPKE(suite, key(1), "v1", 7)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newEnvelope(suite wire.Suite, op wire.Op) *wire.Envelope {
	return &wire.Envelope{Suite: suite, Vault: "v1", Epoch: 7, Config: hash(2), Op: op, Acct: acct}
}

// unsignedCreate is a first registration: gen 0, no signature.
func unsignedCreate(t testing.TB, suite wire.Suite) *wire.Managed {
	t.Helper()
	c := sampleCreate(suite)
	c.Gen = 0
	m, err := wire.SignManaged(nil, c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestRequestSizes: an observer reads nothing from a length but the operation.
func TestRequestSizes(t *testing.T) {
	e32, e33 := wire.Element(fill(32)), wire.Element(fill(33))
	for _, c := range []struct {
		name          string
		suite         wire.Suite
		request       wire.Coded
		plain, sealed int
	}{
		{"evaluate", 1, &wire.Evaluate{B: e32}, 53, 1189},
		{"evaluate with a proof", 1, &wire.Evaluate{B: e32, WantProof: true}, 53, 1189},
		{"release", 1, &wire.Release{B: e32, E: e32, Ya: e32, Yb: e32}, 188, 1324},
		{"create", 1, unsignedCreate(t, 1), 234, 1370},
		{"evaluate", 2, &wire.Evaluate{B: e33}, 54, 65 + 54 + 16},
		{"release", 2, &wire.Release{B: e33, E: e33, Ya: e33, Yb: e33}, 192, 65 + 192 + 16},
		{"create", 2, unsignedCreate(t, 2), 235, 65 + 235 + 16},
	} {
		k := newHPKE(t, c.suite)
		if len(k.Public()) != c.suite.HPKEPublicSize() {
			t.Errorf("suite %d: a public key of %d bytes", c.suite, len(k.Public()))
		}
		plain := encoded(t, c.request)
		sealed, _, err := newEnvelope(c.suite, wire.OpEvaluate).SealRequest(k.Public(), plain)
		if err != nil {
			t.Fatal(err)
		}
		if len(plain) != c.plain || len(sealed) != c.sealed {
			t.Errorf("%s, suite %d: %d bytes, sealed %d, want %d and %d", c.name, c.suite, len(plain), len(sealed), c.plain, c.sealed)
		}
	}
}

// largestAnswers are answers with the largest numbers and all that one operation
// puts into them.
func largestAnswers(suite wire.Suite) map[string]*wire.Answer {
	base := wire.Answer{Gen: math.MaxUint32, Ver: math.MaxUint64, Used: 255, Limit: 50, State: wire.StateDeleted}
	evaluate, release, status := base, base, base
	evaluate.Ya, evaluate.E, evaluate.Proof = fill(suite.ElementSize()), fill(suite.ElementSize()), ptr(wire.Proof{})
	release.S, release.BlobHash = ptr(wire.Scalar{}), ptr(wire.Hash{})
	view := &wire.SlotView{}
	status.Slots = &wire.SlotViews{Current: view, Other: view}
	return map[string]*wire.Answer{"evaluate": &evaluate, "release": &release, "status": &status}
}

// TestSizeConstants: what others rely on is what the formats say.
func TestSizeConstants(t *testing.T) {
	got := [...]int{wire.AnswerSize, wire.RecordSize, wire.SeedRecordSize, wire.SeedAnswerSize}
	if want := [...]int{284, 544, 4_640, 4_636}; got != want {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestAnswerSizes: every answer is as long as any other, so that the service
// cannot tell a right PIN from a wrong one.
func TestAnswerSizes(t *testing.T) {
	for _, suite := range []wire.Suite{wire.Suite1, wire.Suite2} {
		env := newEnvelope(suite, wire.OpEvaluate)
		_, answer, err := env.SealRequest(newHPKE(t, suite).Public(), fill(10))
		if err != nil {
			t.Fatal(err)
		}
		answers := largestAnswers(suite)
		for v := wire.VerdictOK; v <= wire.VerdictMalformed; v++ {
			answers[v.String()] = &wire.Answer{Verdict: v}
		}
		largest := 0
		for name, a := range answers {
			sealed, err := answer.SealAnswer(a)
			if err != nil || len(sealed) != 284 {
				t.Errorf("suite %d, %s: %d bytes, %v", suite, name, len(sealed), err)
			}
			largest = max(largest, len(encoded(t, a)))
		}
		if want := 162 + 2*int(suite); largest != want {
			t.Errorf("suite %d: the largest answer has %d bytes, want %d", suite, largest, want)
		}
	}
}

func largestRecord(suite wire.Suite) *wire.Record {
	r := sampleRecord(suite)
	r.State, r.Limit, r.Charges, r.Base, r.Closed, r.Gen = 2, 50, math.MaxUint32, math.MaxUint32, math.MaxUint32, math.MaxUint32
	r.Ver, r.Resets = math.MaxUint64, []uint32{math.MaxUint32, math.MaxUint32, math.MaxUint32, math.MaxUint32, math.MaxUint32}
	return r
}

// TestRecordSizes: neither the size of a record nor its change tells anything.
func TestRecordSizes(t *testing.T) {
	for _, suite := range []wire.Suite{wire.Suite1, wire.Suite2} {
		largest := largestRecord(suite)
		if n, want := len(encoded(t, largest)), 485+2*int(suite-1); n != want {
			t.Errorf("suite %d: the largest record has %d bytes, want %d", suite, n, want)
		}
		one := *largest
		one.Other = nil
		if n, want := len(encoded(t, largest))-len(encoded(t, &one))+1, 188+int(suite-1); n != want { // null is a byte
			t.Errorf("suite %d: a slot has %d bytes, want %d", suite, n, want)
		}
		k := wire.DeriveRecordKey(key(1), "v1", 7, acct)
		for name, r := range map[string]*wire.Record{
			"largest": largest, "full": sampleRecord(suite),
			"one slot": &one, "deleted": {Suite: suite, State: wire.StateDeleted, Limit: 3},
		} {
			first, err := k.Seal(r)
			if err != nil || len(first) != 544 {
				t.Errorf("suite %d, %s: %d bytes, %v", suite, name, len(first), err)
			}
			second, err := k.Seal(r)
			if err != nil || bytes.Equal(first[4:], second[4:]) || !bytes.Equal(first[:4], []byte{0, 0, 0, 7}) {
				t.Errorf("suite %d, %s: sealed twice alike, or of another epoch: %v", suite, name, err)
			}
		}
		mark := largest.Mark(acct)
		if n := len(encoded(t, &mark)); n != wire.MaxMark {
			t.Errorf("the largest mark has %d bytes, not %d", n, wire.MaxMark)
		}
	}
}

// TestBlobSizes: a payload is padded to one of five sizes.
func TestBlobSizes(t *testing.T) {
	keys := func(n int) (all []wire.SealingKey) {
		for range n {
			all = append(all, wire.SealingKey{KID: fill(64), Secret: fill(256), Created: 1 << 40})
		}
		return all
	}
	for _, c := range []struct {
		keys, blob int
	}{
		{0, 4_282}, {1, 4_282}, {13, 4_282 + 4_096}, {40, 4_282 + 12_288}, {80, 4_282 + 28_672}, {150, 4_282 + 61_440 + 2},
	} {
		k := wire.DataKey{Key: key(1)}
		blob, err := k.SealBlob(sampleHeader(wire.Suite1), &wire.Payload{Keys: keys(c.keys)})
		if err != nil || len(blob) != c.blob || len(blob) > wire.MaxBlob {
			t.Errorf("%d keys: %d bytes, %v, want %d", c.keys, len(blob), err, c.blob)
		}
	}
	if n := len(encoded(t, sampleHeader(wire.Suite1))); n != 152 {
		t.Errorf("a default header has %d bytes", n)
	}
	if blob, err := (wire.DataKey{}).SealBlob(sampleHeader(wire.Suite1), &wire.Payload{Keys: keys(250)}); err == nil {
		t.Errorf("250 keys: %d bytes", len(blob))
	}
}

// TestSeedSizes: of the seed profile everything has one size too.
func TestSeedSizes(t *testing.T) {
	k, pub := wire.DeriveRecordKey(key(1), "v1", 7, acct), newHPKE(t, wire.Suite1).Public()
	_, answer, err := newEnvelope(wire.Suite1, wire.OpSeedRestore).SealRequest(pub, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 1, wire.MaxSeedData} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			data := wire.Secret(fill(n))
			record, err := k.SealSeed(&wire.SeedRecord{Suite: 1, Limit: 50, Version: math.MaxUint64, BackupVersion: math.MaxUint64, Data: data})
			if err != nil || len(record) != 4_640 {
				t.Errorf("a record of %d bytes, %v", len(record), err)
			}
			sealed, err := answer.SealSeedAnswer(&wire.SeedAnswer{Version: math.MaxUint64, Data: data})
			if err != nil || len(sealed) != 4_636 {
				t.Errorf("an answer of %d bytes, %v", len(sealed), err)
			}
			request, err := wire.EncodeSeedRequest(&wire.SeedRequest{PIN: fill0(wire.MaxSeedPIN), Data: data})
			if err != nil || len(request) != 4_608 {
				t.Errorf("a request of %d bytes, %v", len(request), err)
			}
		})
	}
}

// fill0 is n digits.
func fill0(n int) wire.Secret { return bytes.Repeat([]byte{'0'}, n) }
