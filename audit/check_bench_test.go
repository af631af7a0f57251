package audit_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
)

// busy is a store as a year of an app leaves it: accounts with what belongs to
// them, sign-ins, freezes, and a seal over every 100 entries.
func busy(tb testing.TB, accounts, perAccount int) (*memory, audit.CheckOptions) {
	tb.Helper()
	m := &memory{}
	fail := func(err error) {
		if err != nil {
			tb.Fatal(err)
		}
	}
	for i := range accounts {
		id := account.ID(fmt.Sprintf("a_%026d", i))
		device, credential, key := fmt.Sprintf("d_%026d", i), fmt.Sprintf("c_%026d", i), fmt.Sprintf("%064x", i)
		var head audit.Head
		add := func(action, subject string, object [32]byte, detail any) {
			text, err := json.Marshal(detail)
			fail(err)
			e := audit.Entry{
				Account: id, Time: noon.Add(time.Duration(i) * time.Second), Action: action, Subject: subject, Object: object[:],
				Actor: audit.Actor{Kind: account.Phone, ID: device, Session: fmt.Sprintf("s_%026d", i), Class: "person"}, Detail: text,
			}.Next("demo", head)
			head = audit.Head{N: e.N, Hash: e.Hash}
			m.entries = append(m.entries, e)
		}
		add("attest.register", key, [32]byte{3}, map[string]any{
			"decision": "ALLOW", "platform": "android", "tier": "affirming", "key": key, "codes": []any{}, "policy": fmt.Sprintf("sha256:%064x", 1),
			"kept": audit.Kept{Subject: "e_" + key, SHA256: slices.Repeat([]byte{4}, 32), Until: noon.Add(time.Hour)},
		})
		add("account.enrol", string(id), [32]byte{1}, audit.Detail{
			Steps: []audit.Step{
				{Of: "device", ID: string(id), Step: "enrol", To: "active"}, {Of: "device", ID: device, Step: "enrol", To: "active"},
				{Of: "device", ID: credential, Step: "enrol", To: "active"},
			},
			Rows: map[string]audit.Digest{device: {2}, credential: {5}},
		})
		for n := range perAccount - 2 {
			step, from, to := "freeze", "active", "frozen"
			if n%2 == 1 {
				step, from, to = "unfreeze", "frozen", "active"
			}
			if n%5 < 3 && n < perAccount-4 {
				add("session.started", credential, [32]byte{5}, map[string]any{"place": "Berlin, Germany", "method": "passkey", "network": key})
			}
			add("account."+step, string(id), [32]byte{1}, audit.Detail{Steps: []audit.Step{{Of: "device", ID: string(id), Step: step, From: from, To: to}}})
		}
		m.objects = append(m.objects,
			audit.Object{Account: id, Subject: string(id), Digest: [32]byte{1}}, audit.Object{Account: id, Subject: device, Digest: [32]byte{2}},
			audit.Object{Account: id, Subject: key, Digest: [32]byte{3}}, audit.Object{Account: id, Subject: credential, Digest: [32]byte{5}},
			audit.Object{Account: id, Subject: "e_" + key, Digest: [32]byte(slices.Repeat([]byte{4}, 32))})
	}
	private := newKey(1)
	for at := 0; at < len(m.entries); at += 100 {
		var last audit.Seal
		if at > 0 {
			last = m.seals[len(m.seals)-1]
		}
		under := m.entries[at:min(at+100, len(m.entries))]
		digest := sha256.New()
		for i := range under {
			under[i].Seal = last.Number + 1
			digest.Write(under[i].Hash[:])
		}
		s := audit.NewSeal("demo", last, uint64(len(under)), [32]byte(digest.Sum(nil)), noon)
		s.Signature = ed25519.Sign(private, s.Message("demo"))
		m.seals = append(m.seals, s)
	}
	return m, audit.CheckOptions{Keys: []ed25519.PublicKey{public(private)}, Legal: legal, Now: noon}
}

// BenchmarkCheck compares a check with three passes of SHA-256 over the bytes
// that the hashes of the entries are over, and a verification a seal.
func BenchmarkCheck(b *testing.B) {
	m, opts := busy(b, 200, 20)
	if report, err := audit.Check(b.Context(), m, &opts); err != nil || !report.OK() {
		b.Fatalf("%d problems, first %+v, %v", len(report.Problems), report.Problems[0], err)
	}
	var all [][]byte
	size := 0
	for _, e := range m.entries {
		text := audit.Encode(e, "demo")
		all = append(all, text)
		size += len(text)
	}
	b.Run("full", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if report, err := audit.Check(b.Context(), m, &opts); err != nil || !report.OK() {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(m.entries)), "ns/entry")
	})
	b.Run("floor", func(b *testing.B) {
		for b.Loop() {
			for range 3 {
				for _, text := range all {
					sha256.Sum256(text)
				}
			}
			for _, s := range m.seals {
				if !s.Verify("demo", opts.Keys) {
					b.Fatal("no seal")
				}
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(m.entries)), "ns/entry")
		b.ReportMetric(float64(size)/float64(len(m.entries)), "bytes/entry")
	})
}
