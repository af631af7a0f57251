package audit_test

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
)

func (m *memory) AuditSeal(_ context.Context, number uint64) (audit.Seal, bool, error) {
	i := slices.IndexFunc(m.seals, func(s audit.Seal) bool { return s.Number == number })
	if i < 0 {
		return audit.Seal{}, false, nil
	}
	return m.seals[i], true, nil
}

func (m *memory) AuditEntry(_ context.Context, id account.ID, n uint64) (audit.Entry, bool, error) {
	i := slices.IndexFunc(m.entries, func(e audit.Entry) bool { return e.Account == id && e.N == n })
	if i < 0 {
		return audit.Entry{}, false, nil
	}
	return m.entries[i], true, nil
}

// AuditBatch heeds nothing but the account, the order and the place.
func (m *memory) AuditBatch(_ context.Context, q *audit.Query, limit int) (out []audit.Entry, _ error) {
	order := func(a, b audit.Place) int { // the newest first
		return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(b.Account, a.Account), cmp.Compare(b.N, a.N))
	}
	for _, e := range m.entries {
		if (q.Account == nil || e.Account == *q.Account) && (q.After == audit.Place{} || order(q.After, e.At()) < 0) {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b audit.Entry) int { return order(a.At(), b.At()) })
	return out[:min(limit, len(out))], m.err
}

// searched is a record of three accounts and a seal over most of it.
func searched(t *testing.T) *memory {
	t.Helper()
	m := &memory{}
	for i := range 12 {
		e := entry()
		e.Account, e.Time = []account.ID{"", alice, bob}[i%3], noon.Add(time.Duration(i)*time.Second)
		if err := m.AppendAudit(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	mustSeal(t, m, newKey(1), 5)
	return m
}

// TestSearchJudges: what was changed in the record shows at the entry, and at no other.
func TestSearchJudges(t *testing.T) {
	at := func(m *memory, id account.ID, n uint64) *audit.Entry {
		return &m.entries[slices.IndexFunc(m.entries, func(e audit.Entry) bool { return e.Account == id && e.N == n })]
	}
	type wrong map[string]int
	for _, tt := range []struct {
		name   string
		change func(m *memory)
		want   wrong
	}{
		{"as it was written", func(*memory) {}, wrong{}},
		{"another reason", func(m *memory) { at(m, bob, 2).Reason = "other" }, wrong{audit.ChainBreak: 1}},
		{"another reason, hashed again", func(m *memory) {
			e := at(m, bob, 2)
			e.Reason = "other"
			e.Hash = e.Sum("demo")
		}, wrong{audit.ChainBreak: 1}}, // the next one does not follow
		{"one taken out", func(m *memory) {
			m.entries = slices.DeleteFunc(m.entries, func(e audit.Entry) bool { return e.Account == bob && e.N == 2 })
		}, wrong{audit.ChainGap: 1}},
		{"the first one, linked elsewhere", func(m *memory) {
			e := at(m, "", 1)
			e.Prev[0]++
			e.Hash = e.Sum("demo")
		}, wrong{audit.ChainBreak: 2}},
		{"a seal taken out", func(m *memory) { m.seals = m.seals[:2] }, wrong{audit.SealBreak: 2}},
		{"a seal signed by another", func(m *memory) { m.seals[2].Signature = slices.Repeat([]byte{1}, 64) }, wrong{audit.SealSignature: 2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := searched(t)
			tt.change(m)
			page, err := audit.Search(t.Context(), m, &audit.Query{}, keysOf(1))
			if err != nil {
				t.Fatal(err)
			}
			got := wrong{}
			for _, e := range page.Entries {
				if e.Wrong != "" {
					got[e.Wrong]++
				}
			}
			if len(got) != len(tt.want) || !equalCounts(got, tt.want) {
				t.Errorf("%v, want %v", got, tt.want)
			}
			chain, err := audit.CheckChain(t.Context(), m, bob, keysOf(1))
			if err != nil {
				t.Fatal(err)
			}
			ofBob := 0
			for _, e := range page.Entries {
				if e.Account == bob && e.Wrong != "" {
					ofBob++
				}
			}
			if len(chain.Wrong) != ofBob || chain.OK() != (ofBob == 0) || !chain.Whole {
				t.Errorf("the chain alone: %+v, want %d wrong", chain, ofBob)
			}
		})
	}
}

func equalCounts(a, b map[string]int) bool {
	for k, n := range a {
		if b[k] != n {
			return false
		}
	}
	return true
}

// TestSearchRefuses what there cannot be.
func TestSearchRefuses(t *testing.T) {
	id := account.ID("alice")
	for name, q := range map[string]audit.Query{
		"less than none": {Limit: -1},
		"too many":       {Limit: 201},
		"backwards":      {From: noon, To: noon},
		"no id":          {Account: &id},
	} {
		if _, err := audit.Search(t.Context(), searched(t), &q, nil); !errors.Is(err, audit.ErrQuery) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := audit.Search(t.Context(), &memory{err: errors.New("away")}, &audit.Query{}, nil); err == nil {
		t.Error("the store is away, and nobody was told")
	}
}

// TestSearchStops: a page for which too much would have to be read ends, and says
// where to go on.
func TestSearchStops(t *testing.T) {
	m := &memory{}
	head := audit.Head{}
	for i := range 6000 {
		e := entry()
		e.Account, e.Time = alice, noon.Add(time.Duration(i)*time.Second)
		if i == 0 {
			e.Action = "rare"
		}
		e = e.Next("demo", head)
		head = audit.Head{N: e.N, Hash: e.Hash}
		m.entries = append(m.entries, e)
	}
	q := audit.Query{Action: "rare"}
	page, err := audit.Search(t.Context(), m, &q, nil)
	if err != nil || len(page.Entries) != 0 || page.Looked != 5000 || page.Next.N != 1001 {
		t.Fatalf("the first page: %d of %d, next %+v, %v", len(page.Entries), page.Looked, page.Next, err)
	}
	q.After = page.Next
	page, err = audit.Search(t.Context(), m, &q, nil)
	if err != nil || len(page.Entries) != 1 || page.Next != (audit.Place{}) {
		t.Errorf("the second page: %d, next %+v, %v", len(page.Entries), page.Next, err)
	}
	id := alice
	chain, err := audit.CheckChain(t.Context(), m, id, nil)
	if err != nil || chain.Whole || chain.Looked != 2000 || chain.Head != 6000 || !chain.OK() {
		t.Errorf("a long chain: %+v, %v", chain, err)
	}
}

// TestStanding tells a seal by another key from one that does not follow.
func TestStanding(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(m *memory)
		want   []string // the newest first
	}{
		{"as they were made", func(*memory) {}, []string{"", "", ""}},
		{"another signature", func(m *memory) { m.seals[1].Signature = slices.Repeat([]byte{1}, 64) }, []string{"", audit.SealSignature, ""}},
		{"another one before", func(m *memory) { m.seals[0].Count++ }, []string{"", audit.SealBreak, audit.SealSignature}},
		{"one taken out", func(m *memory) { m.seals = slices.Delete(m.seals, 1, 2) }, []string{audit.SealBreak}},
	} {
		m := searched(t)
		tt.change(m)
		if err := m.AppendAudit(t.Context(), entry()); err != nil {
			t.Fatal(err)
		}
		s, err := audit.ReadStanding(t.Context(), m, keysOf(1))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, seal := range s.Seals {
			got = append(got, seal.Wrong)
		}
		if !slices.Equal(got, tt.want) || s.Unsealed != 1 || s.More {
			t.Errorf("%s: %q and %d unsealed, want %q and 1", tt.name, got, s.Unsealed, tt.want)
		}
	}
}

func keysOf(seed byte) []ed25519.PublicKey { return []ed25519.PublicKey{public(newKey(seed))} }
