package wire_test

import (
	"crypto/ed25519"
	"testing"

	"github.com/staunchid/staunch/recovery/wire"
)

// count returns n bytes that rise from first.
func count(first byte, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = first + byte(i)
	}
	return b
}

func id16(first byte) wire.ID16 { return wire.ID16(count(first, 16)) }
func hash(first byte) wire.Hash { return wire.Hash(count(first, 32)) }
func key(first byte) wire.Key   { return wire.Key(count(first, 32)) }
func signature(first byte) *wire.Signature {
	s := wire.Signature(count(first, 64))
	return &s
}
func ptr[T any](v T) *T { return &v }

func edKey(first byte) ed25519.PrivateKey { return ed25519.NewKeyFromSeed(count(first, 32)) }
func edPublic(first byte) wire.EdKey {
	return wire.EdKey(edKey(first).Public().(ed25519.PublicKey))
}

// sample is a structure with all its members, and how to read it.
type sample struct {
	name   string
	value  wire.Coded
	decode func([]byte) (wire.Coded, error)
}

func sampleOf[T any, P interface {
	*T
	wire.Coded
}](name string, v P) sample {
	return sample{name, v, func(b []byte) (wire.Coded, error) {
		got, err := wire.Decode[T, P](b)
		return P(&got), err
	}}
}

var (
	acct = wire.Acct(count(0x10, 16))
	reg  = wire.RegID(count(0x20, 16))
)

func sampleTarget() wire.Target { return wire.Target{Vault: "v1", Acct: acct, Gen: 3} }

func sampleCreate(suite wire.Suite) *wire.Create {
	return &wire.Create{
		Target: sampleTarget(), Reg: reg, Suite: suite, Limit: 10,
		K: wire.Scalar(count(1, 32)), S: wire.Scalar(count(2, 32)),
		PRS: wire.PRS{Key: key(3)}, Manage: count(4, suite.PublicSize()), BlobHash: hash(5),
	}
}

func sampleHeader(suite wire.Suite) *wire.Header {
	h := &wire.Header{Suite: suite, Reg: reg, Argon2: wire.DefaultArgon2(), N: 3, T: 2}
	for _, id := range []string{"v1", "v2", "v3"} {
		h.Vaults = append(h.Vaults, wire.Share{Vault: id, K: count(id[1], suite.ElementSize())})
	}
	return h
}

func samplePayload() *wire.Payload {
	return &wire.Payload{
		Keys:       []wire.SealingKey{{KID: count(1, 4), Secret: count(2, 32), Created: 1_790_000_000}},
		ManageSeed: key(6), Seq: 7, Saved: 1_790_000_100,
		App:      map[string]wire.Secret{"backup": count(8, 16), "x": count(9, 1)},
		Recovery: []wire.Key{key(10), key(11)},
	}
}

func sampleRecord(suite wire.Suite) *wire.Record {
	c := sampleCreate(suite)
	other := c.Slot()
	other.Reg[0]++
	return &wire.Record{
		Suite: suite, State: wire.StateActive, Limit: 10, Charges: 300, Base: 298, Closed: 299, Gen: 4, Ver: 70_000,
		Last: id16(0x30), Redo: id16(0x40), Current: c.Slot(), Other: other, Resets: []uint32{1_790_000_000, 1_790_090_000},
	}
}

func sampleAnswer() *wire.Answer {
	return &wire.Answer{
		Verdict: wire.VerdictOK, Gen: 4, Ver: 70_001, Used: 2, Limit: 10, State: wire.StateActive,
		Ya: count(1, 32), E: count(2, 32), Proof: ptr(wire.Proof(count(3, 64))),
	}
}

func sampleMeasurement() *wire.Measurement {
	return &wire.Measurement{
		Platform: "nitro", Values: map[string][]byte{"pcr0": count(1, 48), "pcr10": count(2, 48), "pcr2": count(3, 48)},
		NotBefore: 1_790_000_000, NotAfter: ptr(uint64(1_800_000_000)),
		Floor: map[string]uint64{"snp": 22, "ucode": 213}, LogIndex: ptr(uint64(12)),
	}
}

func sampleConfig() *wire.Config {
	return &wire.Config{
		Vault: "v1", Profile: "kr1-2of3", Suite: wire.Suite1, N: 3, T: 2, Limit: 10, Policy: "merge",
		Freshness: wire.Freshness{Level: "quorum", W: 4, Q: 3, R: 3, F: 1}, Witnesses: []string{"v1", "v2", "v3", "w1"},
		OnAmnesia: "checkpoint", VoucherKey: edPublic(1), Release: wire.ReleaseKeys{K: 1, Keys: []wire.EdKey{edPublic(2)}},
	}
}

func sampleSet() *wire.VaultSet {
	set := &wire.VaultSet{
		Version: 2, Profile: "kr1-2of3", Suite: wire.Suite1, N: 3, T: 2, Limit: 10,
		Release: wire.ReleaseKeys{K: 2, Keys: []wire.EdKey{edPublic(1), edPublic(2)}}, ValidFrom: 1_790_000_000, Previous: ptr(hash(9)),
	}
	for _, id := range []string{"v1", "v2", "v3"} {
		set.Vaults = append(set.Vaults, wire.Member{Vault: id, Operator: "local", ConfigHash: hash(id[1]), Measurements: []wire.Measurement{*sampleMeasurement()}})
	}
	set.WitnessesOnly = []wire.Member{{Vault: "w1", Operator: "other", ConfigHash: hash(0), Measurements: []wire.Measurement{*sampleMeasurement()}}}
	return set
}

func mustEncode(v wire.Coded) []byte {
	b, err := wire.Encode(v)
	if err != nil {
		panic(err) // in a test: the sample is wrong
	}
	return b
}

func sampleSigned(v wire.Coded) *wire.Signed {
	s, err := wire.Sign(edKey(1), v)
	if err != nil {
		panic(err)
	}
	return s
}

func sampleVoucher() *wire.Voucher {
	return &wire.Voucher{Vault: "v1", Acct: acct, Purpose: wire.PurposeFirst, Expires: 1_790_000_600, ID: id16(5)}
}

func sampleReceipt() *wire.Receipt {
	return &wire.Receipt{
		Vault: "v1", Replica: "a", Boot: id16(1), Acct: acct, Op: wire.OpRelease, Gen: 4, Ver: 70_002, Used: 0,
		State: wire.StateActive, Digest: hash(2), Prev: hash(3),
	}
}

func sampleReceiptNamed() *wire.Receipt {
	r := sampleReceipt()
	r.Op, r.Named = wire.OpUpdate, &wire.SlotView{Reg: reg, BlobHash: hash(4)}
	return r
}

// samples is one of each structure, and more where one cannot have everything.
func samples() []sample {
	e32, e33 := wire.Element(count(1, 32)), wire.Element(count(2, 33))
	mark := sampleRecord(wire.Suite1).Mark(acct)
	release := &wire.Release{Reg: reg, B: e32, E: e32, Ya: count(3, 32), Yb: count(4, 32), Tag: wire.Tag(count(5, 32))}
	release2 := &wire.Release{Reg: reg, B: e33, E: e33, Ya: count(3, 33), Yb: count(4, 33), Tag: wire.Tag(count(5, 32))}
	return []sample{
		sampleOf("evaluate", &wire.Evaluate{Reg: reg, B: e32, WantProof: true}),
		sampleOf("evaluate-suite2", &wire.Evaluate{Reg: reg, B: e33}),
		sampleOf("release", release),
		sampleOf("release-suite2", release2),
		sampleOf("transcript", release.Transcript("v1", acct)),
		sampleOf("create-tbs", sampleCreate(wire.Suite1)),
		sampleOf("create-tbs-suite2", sampleCreate(wire.Suite2)),
		sampleOf("activate-tbs", &wire.Activate{Target: sampleTarget(), Reg: reg, Reset: true}),
		sampleOf("finalize-tbs", &wire.Finalize{Target: sampleTarget(), Reg: reg}),
		sampleOf("update-tbs", &wire.Update{Target: sampleTarget(), Reg: reg, Old: hash(1), New: hash(2)}),
		sampleOf("delete-tbs", &wire.Delete{Target: sampleTarget()}),
		sampleOf("status", &wire.Status{}),
		sampleOf("managed", &wire.Managed{TBS: mustEncode(&wire.Delete{Target: sampleTarget()}), Sig: signature(1)}),
		sampleOf("managed-unsigned", &wire.Managed{TBS: mustEncode(sampleCreate(wire.Suite1))}),
		sampleOf("answer-evaluate", sampleAnswer()),
		sampleOf("answer-release", &wire.Answer{Gen: 4, Ver: 5, Limit: 10, S: ptr(wire.Scalar(count(1, 32))), BlobHash: ptr(hash(2))}),
		sampleOf("answer-status", &wire.Answer{Gen: 4, Ver: 5, Limit: 10, Slots: &wire.SlotViews{Current: &wire.SlotView{Reg: reg, BlobHash: hash(2)}}}),
		sampleOf("answer-wrong-pin", &wire.Answer{Verdict: wire.VerdictWrongPIN, Gen: 4, Ver: 6, Used: 1, Limit: 10}),
		sampleOf("call", &wire.Call{Op: wire.OpCreate, Acct: acct, Epoch: 7, Request: count(1, 40), Voucher: sampleSigned(sampleVoucher())}),
		sampleOf("call-record", &wire.Call{Op: wire.OpEvaluate, Acct: acct, Epoch: 7, Request: count(1, 40), Record: count(2, wire.RecordSize)}),
		sampleOf("reply", &wire.Reply{Answer: count(1, wire.AnswerSize), Record: count(2, wire.RecordSize), Gen: ptr(uint32(4)), Ver: ptr(uint64(5)), Receipt: sampleSigned(sampleReceipt())}),
		sampleOf("reply-stale", &wire.Reply{Result: wire.CodeStale, Gen: ptr(uint32(4)), Ver: ptr(uint64(5))}),
		sampleOf("voucher", sampleVoucher()),
		sampleOf("receipt", sampleReceipt()),
		sampleOf("receipt-named", sampleReceiptNamed()),
		sampleOf("mark", &mark),
		sampleOf("tagged", &wire.Tagged{Mark: mustEncode(&mark), Tag: id16(1)}),
		sampleOf("view", &wire.View{"v1": {1, id16(1)}, "v10": {2, id16(2)}, "w1": {300, id16(3)}}),
		sampleOf("record", sampleRecord(wire.Suite1)),
		sampleOf("record-suite2", sampleRecord(wire.Suite2)),
		sampleOf("record-deleted", &wire.Record{Suite: wire.Suite1, State: wire.StateDeleted, Limit: 10, Gen: 5, Ver: 6}),
		sampleOf("header", sampleHeader(wire.Suite1)),
		sampleOf("header-suite2", sampleHeader(wire.Suite2)),
		sampleOf("payload", samplePayload()),
		sampleOf("payload-least", &wire.Payload{}),
		sampleOf("blob", &wire.Blob{Header: mustEncode(sampleHeader(wire.Suite1)), Box: count(1, 60)}),
		sampleOf("binding", &wire.Binding{Vault: "v1", Replica: "a", Boot: id16(1), BootKey: edPublic(2), Epoch: 7, HPKE: count(3, 1216), ConfigHash: hash(4), Issued: 1_790_000_000, Nonce: count(5, 32)}),
		sampleOf("binding-witness", &wire.Binding{Vault: "w1", Boot: id16(1), BootKey: edPublic(2), ConfigHash: hash(4), Issued: 1_790_000_000}),
		sampleOf("config", sampleConfig()),
		sampleOf("vault-set", sampleSet()),
		sampleOf("measurement", sampleMeasurement()),
		sampleOf("ceremony", &wire.Ceremony{Kind: wire.CeremonyHandover, Vault: "v1", SetVersion: 2, Accounts: []wire.Acct{acct}, NotBefore: 1, NotAfter: 2, LogIndex: ptr(uint64(3)), Measurement: sampleMeasurement(), ConfigHash: ptr(hash(4))}),
		sampleOf("ceremony-all", &wire.Ceremony{Kind: wire.CeremonyAmnesia, Vault: "v1", SetVersion: 2, NotBefore: 1, NotAfter: 2}),
		sampleOf("signed", sampleSigned(sampleVoucher())),
		sampleOf("k-of-m", &wire.KofM{TBS: mustEncode(sampleConfig()), Sigs: []wire.KeySig{{edPublic(1), *signature(1)}, {edPublic(2), *signature(2)}}}),
		sampleOf("seed-request", &wire.SeedRequest{PIN: wire.Secret("123456"), Data: wire.Secret("data")}),
		sampleOf("seed-request-restore", &wire.SeedRequest{PIN: wire.Secret("١٢٣٤٥٦")}),
		sampleOf("seed-record", &wire.SeedRecord{Suite: wire.Suite1, Limit: 10, Used: 2, Version: 3, BackupVersion: 1, Salt: id16(1), PIN: hash(2), Data: wire.Secret("data")}),
		sampleOf("seed-answer", &wire.SeedAnswer{Version: 4, Limit: 10, Data: wire.Secret("data")}),
		sampleOf("frame", &wire.Frame{ID: 9, Kind: wire.FrameCall, Body: count(1, 3)}),
		sampleOf("frame-empty", &wire.Frame{ID: 9, Kind: wire.FrameInfo}),
	}
}

// TestSamplesCoverEveryStructure: who adds a structure adds a sample, so that
// the tests, the fuzzing and the vectors have it.
func TestSamplesCoverEveryStructure(t *testing.T) {
	have := map[string]bool{}
	for _, s := range samples() {
		have[typeName(s.value)] = true
	}
	for _, name := range codedTypes(t) {
		if !have[name] && !partOfOthers()[name] {
			t.Errorf("no sample of %s", name)
		}
	}
}

// edKeyOf is the Ed25519 public key of a seed.
func edKeyOf(seed []byte) []byte {
	return ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
}
