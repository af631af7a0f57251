package audit_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/staunchid/staunch/audit"
)

// TestSealVector pins the bytes that are signed. The expectation was computed
// apart from this package, in Python, from the formulas in the package comment.
func TestSealVector(t *testing.T) {
	seed := make([]byte, ed25519.SeedSize)
	for i := range seed {
		seed[i] = byte(i)
	}
	private := ed25519.NewKeyFromSeed(seed)
	e1 := entry().Next("demo", audit.Head{})
	e2 := entry().Next("demo", audit.Head{N: e1.N, Hash: e1.Hash})
	at := time.Date(2026, 11, 21, 12, 1, 0, 123456789, time.FixedZone("JST", 9*3600)).Add(9 * time.Hour)
	s1 := audit.NewSeal("demo", audit.Seal{}, 1, sha256.Sum256(e1.Hash[:]), at)
	s2 := audit.NewSeal("demo", s1, 1, sha256.Sum256(e2.Hash[:]), at)
	sum1, sum2 := s1.Sum("demo"), s2.Sum("demo")
	got := []string{
		hex.EncodeToString(s1.Prev[:]), hex.EncodeToString(sum1[:]), hex.EncodeToString(sum2[:]),
		hex.EncodeToString(ed25519.Sign(private, s1.Message("demo"))), hex.EncodeToString(ed25519.Sign(private, s2.Message("demo"))),
	}
	want := []string{
		"6e6fa773c9b1543f0ec151c1e062e7805e85e9d5368a0f35ccb585115ffe73a0",
		"cb1ba23a99285e50b7b117b0cbece322b447669f2e072184274cece4933ab2c2",
		"8208a315639098f7b3e7cee626263bdd8bedef252e47bf153253a3b29fb19418",
		"9f312d583b9ffd99ceb5e4299b87d94d305baf66cb663080854ad32d127c369e197e3477ca5280a029f106979197a46420d36dd3021499a671e706caf274440a",
		"f39d556ebeca29642640e1334989f1b1c401c361898535545a2b92c0cbdc32347c83de3f04daa9239e17d9bb71980ab09fb617fdef54bae122ded8eb43a10c01",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestSealVerify: one good seal and small changes to it.
func TestSealVerify(t *testing.T) {
	private, other := newKey(1), newKey(2)
	good := audit.NewSeal("demo", audit.Seal{Number: 6}, 3, [32]byte{1}, noon)
	good.Signature = ed25519.Sign(private, good.Message("demo"))
	both := []ed25519.PublicKey{public(other), public(private)}
	tests := []struct {
		name   string
		change func(*audit.Seal)
		keys   []ed25519.PublicKey
		want   bool
	}{
		{"good", func(*audit.Seal) {}, both, true},
		{"number", func(s *audit.Seal) { s.Number++ }, both, false},
		{"count", func(s *audit.Seal) { s.Count++ }, both, false},
		{"digest", func(s *audit.Seal) { s.Digest[31]++ }, both, false},
		{"prev", func(s *audit.Seal) { s.Prev[31]++ }, both, false},
		{"time", func(s *audit.Seal) { s.Time = s.Time.Add(time.Microsecond) }, both, false},
		{"signature", func(s *audit.Seal) { s.Signature[0]++ }, both, false},
		{"no signature", func(s *audit.Seal) { s.Signature = nil }, both, false},
		{"another key", func(*audit.Seal) {}, both[:1], false},
		{"no key", func(*audit.Seal) {}, nil, false},
		{"half a key", func(*audit.Seal) {}, []ed25519.PublicKey{public(private)[:16]}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := good
			s.Signature = append([]byte(nil), good.Signature...)
			tt.change(&s)
			if got := s.Verify("demo", tt.keys); got != tt.want {
				t.Errorf("Verify = %v", got)
			}
			if s.Verify("other", tt.keys) {
				t.Error("it is good for another app")
			}
		})
	}
}

// TestCheckSeals: one good store with three seals, and small changes to it.
func TestCheckSeals(t *testing.T) {
	old, private := newKey(1), newKey(2)
	sealed := func(t *testing.T) *memory { // two seals by the old key, one by the new, one entry after it
		m := good()
		mustSeal(t, m, old, 3)
		add := func(e audit.Entry) {
			e.Object = nil
			if err := m.AppendAudit(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		add(entry())
		mustSeal(t, m, private, 3)
		add(entry())
		return m
	}
	seal := func(n string) audit.Problem { return audit.Problem{Kind: audit.SealBreak, Subject: "seal " + n} }
	signature := func(n string) audit.Problem { return audit.Problem{Kind: audit.SealSignature, Subject: "seal " + n} }
	both := []ed25519.PublicKey{public(private), public(old)}
	tests := []struct {
		name   string
		change func(*memory)
		keys   []ed25519.PublicKey
		want   []audit.Problem
	}{
		{"good", func(*memory) {}, both, nil},
		{"without the key that was replaced", func(*memory) {}, both[:1], []audit.Problem{signature("1"), signature("2")}},
		{"without any key", func(*memory) {}, nil, []audit.Problem{signature("1"), signature("2"), signature("3")}},
		{"tail cut off", func(m *memory) { m.entries = m.entries[:len(m.entries)-1]; m.objects = m.objects[:1] }, both,
			[]audit.Problem{seal("2")}},
		{"chain computed anew", func(m *memory) {
			var head audit.Head
			for i := range m.entries {
				if e := &m.entries[i]; e.Account == alice {
					number := e.Seal
					e.Reason = "x"
					*e = e.Next("demo", head)
					e.Seal, head = number, audit.Head{N: e.N, Hash: e.Hash}
				}
			}
		}, both, []audit.Problem{seal("1"), seal("2"), seal("3")}},
		{"mark taken away", func(m *memory) { m.entries[0].Seal = 0 }, both, []audit.Problem{seal("1")}},
		{"mark of another", func(m *memory) { m.entries[0].Seal = 2 }, both, []audit.Problem{seal("1"), seal("2")}},
		{"mark put on", func(m *memory) { m.entries[5].Seal = 3 }, both, []audit.Problem{seal("3")}},
		{"marks exchanged", func(m *memory) {
			m.entries[0].Seal, m.entries[3].Seal = m.entries[3].Seal, m.entries[0].Seal
		}, both, []audit.Problem{seal("1"), seal("2")}},
		{"mark of none", func(m *memory) { m.entries[5].Seal = 9 }, both, []audit.Problem{seal("9")}},
		{"last seal gone", func(m *memory) { m.seals = m.seals[:2] }, both, []audit.Problem{seal("3")}},
		{"first seal gone", func(m *memory) { m.seals = m.seals[1:] }, both, []audit.Problem{seal("1"), seal("2")}},
		{"seal in the middle gone", func(m *memory) { m.seals = append(m.seals[:1], m.seals[2]) }, both, []audit.Problem{seal("2"), seal("3")}},
		{"all seals gone", func(m *memory) { m.seals = nil }, both, []audit.Problem{seal("1"), seal("2"), seal("3")}},
		{"count", func(m *memory) { m.seals[2].Count++ }, both, []audit.Problem{seal("3"), signature("3")}},
		{"time", func(m *memory) { m.seals[2].Time = noon.Add(time.Hour) }, both, []audit.Problem{signature("3")}},
		{"signature", func(m *memory) { m.seals[2].Signature = m.seals[1].Signature }, both, []audit.Problem{signature("3")}},
		{"another line of seals by the same key", func(m *memory) {
			s := audit.NewSeal("demo", audit.Seal{Number: 2, Count: 7}, 1, m.seals[2].Digest, noon)
			s.Signature = ed25519.Sign(private, s.Message("demo"))
			m.seals[2] = s
		}, both, []audit.Problem{seal("3")}},
		{"over nothing", func(m *memory) {
			s := audit.NewSeal("demo", m.seals[2], 0, sha256.Sum256(nil), noon)
			s.Signature = ed25519.Sign(private, s.Message("demo"))
			m.seals = append(m.seals, s)
		}, both, []audit.Problem{seal("4")}},
		{"number left out", func(m *memory) {
			m.seals[2].Number = 4
			m.seals[2].Signature = ed25519.Sign(private, m.seals[2].Message("demo"))
			for i := range m.entries {
				if m.entries[i].Seal == 3 {
					m.entries[i].Seal = 4
				}
			}
		}, both, []audit.Problem{seal("4")}},
		{"number twice", func(m *memory) { m.seals = append(m.seals, m.seals[2]) }, both, []audit.Problem{seal("3")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := sealed(t)
			tt.change(m)
			report := check(t, m, tt.keys...)
			if diff := cmp.Diff(tt.want, report.Problems); diff != "" {
				t.Error(diff)
			}
		})
	}
	if r := check(t, sealed(t), both...); r.Seals != 3 || r.Entries != 7 || r.Unsealed != 1 {
		t.Errorf("%+v", r)
	}
}
