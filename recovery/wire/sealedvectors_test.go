package wire_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"testing"

	"github.com/staunchid/staunch/recovery/wire"
)

// sealWith is AES-256-GCM by the library, with a fixed nonce.
func sealWith(t testing.TB, key, nonce, plain, aad []byte) []byte {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return aead.Seal(bytes.Clone(nonce), nonce, plain, aad)
}

func padded(b []byte, n int) []byte { return append(bytes.Clone(b), make([]byte, n-len(b))...) }

type envelopeVector struct {
	Suite     uint8  `json:"suite"`
	MasterKey text   `json:"mk"`
	Vault     string `json:"vault"`
	Epoch     uint32 `json:"epoch"`
	Config    text   `json:"config_hash"`
	Op        uint8  `json:"op"`
	Acct      text   `json:"acct"`
	Request   text   `json:"request"`
	Sealed    text   `json:"sealed_request"`
	AnswerKey text   `json:"answer_key"`
	Answer    text   `json:"answer"`
	Nonce     text   `json:"answer_nonce"`
	SealedAns text   `json:"sealed_answer"`
}

// TestEnvelopeVectors: requests that were sealed once, since sealing is random,
// and answers with a fixed nonce.
func TestEnvelopeVectors(t *testing.T) {
	var old struct {
		About string           `json:"about"`
		Cases []envelopeVector `json:"cases"`
	}
	readVectors(t, "envelopes.json", &old)
	file := old
	file.About = "Requests and answers, spec/kr1.md. Sealing is random: open sealed_request. answer is padded and sealed with answer_nonce."
	file.Cases = nil
	for i, c := range []struct {
		suite   wire.Suite
		op      wire.Op
		request []byte
		answer  wire.Coded
		padding int
	}{
		{1, wire.OpEvaluate, mustEncode(&wire.Evaluate{Reg: reg, B: count(1, 32)}), sampleAnswer(), 256},
		{2, wire.OpEvaluate, mustEncode(&wire.Evaluate{Reg: reg, B: count(1, 33)}), sampleAnswer(), 256},
		{1, wire.OpSeedRestore, padded(mustEncode(&wire.SeedRequest{PIN: wire.Secret("123456")}), 4_608), &wire.SeedAnswer{Version: 4, Limit: 10, Data: wire.Secret("data")}, 4_608},
	} {
		env := newEnvelope(c.suite, c.op)
		vault := newHPKE(t, c.suite)
		mk := key(1)
		v := envelopeVector{
			Suite: uint8(c.suite), MasterKey: mk[:], Vault: env.Vault, Epoch: env.Epoch, Config: env.Config[:], Op: uint8(c.op),
			Acct: env.Acct[:], Request: c.request, Answer: mustEncode(c.answer), Nonce: count(0x70, 12),
		}
		if i < len(old.Cases) {
			v.Sealed = old.Cases[i].Sealed
		}
		got, answer, err := env.OpenRequest(vault, v.Sealed)
		if *update && (err != nil || !bytes.Equal(got, c.request)) {
			if v.Sealed, _, err = env.SealRequest(vault.Public(), c.request); err != nil {
				t.Fatal(err)
			}
			got, answer, err = env.OpenRequest(vault, v.Sealed)
		}
		if err != nil || !bytes.Equal(got, c.request) {
			t.Fatalf("case %d: %x, %v", i, got, err)
		}
		v.AnswerKey = answer.Key[:]
		aad := marshal(t, uint8(c.op), acct[:])
		v.SealedAns = sealWith(t, v.AnswerKey, v.Nonce, padded(v.Answer, c.padding), aad)
		var opened wire.Coded
		if c.op.Seed() {
			opened, err = answer.OpenSeedAnswer(v.SealedAns)
		} else {
			opened, err = answer.OpenAnswer(v.SealedAns)
		}
		if err != nil || !bytes.Equal(mustEncode(opened), v.Answer) {
			t.Errorf("case %d: the answer: %v, %v", i, opened, err)
		}
		file.Cases = append(file.Cases, v)
	}
	compareVectors(t, "envelopes.json", file)
}

type recordVector struct {
	Name      string `json:"name"`
	MasterKey text   `json:"mk"`
	Vault     string `json:"vault"`
	Epoch     uint32 `json:"epoch"`
	Acct      text   `json:"acct"`
	Key       text   `json:"key"`
	AAD       text   `json:"aad"`
	Record    text   `json:"record"`
	Nonce     text   `json:"nonce"`
	Sealed    text   `json:"sealed"`
}

// TestRecordVectors: sealed records, with a fixed nonce.
func TestRecordVectors(t *testing.T) {
	mk := key(1)
	k := wire.DeriveRecordKey(mk, "v1", 7, acct)
	var all []recordVector
	for _, c := range []struct {
		name, label string
		record      wire.Coded
		size        int
		open        func([]byte) (wire.Coded, error)
	}{
		{"kr1", "staunch/kr1/record", sampleRecord(wire.Suite1), 512, func(b []byte) (wire.Coded, error) { return k.Open(b) }},
		{"kr1, suite 2", "staunch/kr1/record", sampleRecord(wire.Suite2), 512, func(b []byte) (wire.Coded, error) { return k.Open(b) }},
		{"seed", "staunch/seed/record", &wire.SeedRecord{Suite: 1, Limit: 10, Used: 2, Version: 3, BackupVersion: 1, Salt: id16(1), PIN: hash(2), Data: wire.Secret("data")}, 4_608, func(b []byte) (wire.Coded, error) { return k.OpenSeed(b) }},
	} {
		v := recordVector{
			Name: c.name, MasterKey: mk[:], Vault: "v1", Epoch: 7, Acct: acct[:], Key: k.Key[:],
			AAD: marshal(t, c.label, "v1", 7, acct[:]), Record: mustEncode(c.record), Nonce: count(0x60, 12),
		}
		v.Sealed = append(binary.BigEndian.AppendUint32(nil, 7), sealWith(t, v.Key, v.Nonce, padded(v.Record, c.size), v.AAD)...)
		got, err := c.open(v.Sealed)
		if err != nil || !bytes.Equal(mustEncode(got), v.Record) {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
		all = append(all, v)
	}
	compareVectors(t, "records.json", struct {
		About string         `json:"about"`
		Cases []recordVector `json:"cases"`
	}{"Sealed records, spec/kr1.md: record is padded with zeros and sealed with nonce.", all})
}

// TestRecordPadding: what follows a record is zeros, even when the vault itself
// sealed it.
func TestRecordPadding(t *testing.T) {
	k := wire.DeriveRecordKey(key(1), "v1", 7, acct)
	aad := marshal(t, "staunch/kr1/record", "v1", 7, acct[:])
	record := mustEncode(sampleRecord(wire.Suite1))
	seal := func(plain []byte) []byte {
		return append(binary.BigEndian.AppendUint32(nil, 7), sealWith(t, k.Key[:], count(0, 12), plain, aad)...)
	}
	plain := padded(record, 512)
	if _, err := k.Open(seal(plain)); err != nil {
		t.Fatal(err)
	}
	for name, at := range map[string]int{"right behind the record": len(record), "at the end": 511} {
		if r, err := k.Open(seal(flipped(plain, at))); err == nil {
			t.Errorf("%s: %v", name, r)
		}
	}
	if r, err := k.Open(seal(make([]byte, 512))); err == nil {
		t.Errorf("only zeros: %v", r)
	}
}

// TestPayloadPadding: a payload has one of five lengths, and zeros behind it.
func TestPayloadPadding(t *testing.T) {
	k := wire.DataKey{Key: key(1)}
	header, payload := mustEncode(sampleHeader(wire.Suite1)), mustEncode(samplePayload())
	open := func(plain []byte) error {
		_, _, err := k.OpenBlob(mustEncode(&wire.Blob{Header: header, Box: sealWith(t, k.Key[:], count(0, 12), plain, header)}))
		return err
	}
	good := padded(payload, 4_096)
	for _, c := range []struct {
		name  string
		plain []byte
		ok    bool
	}{
		{"4,096", good, true},
		{"8,192", padded(payload, 8_192), true},
		{"not padded", payload, false},
		{"one more", padded(payload, 4_097), false},
		{"something behind it", flipped(good, 4_095), false},
	} {
		if err := open(c.plain); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
