package audit_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
)

const (
	alice account.ID = "a_aaaaaaaaaaaaaaaaaaaaaaaaaa"
	bob   account.ID = "a_bbbbbbbbbbbbbbbbbbbbbbbbbb"
)

func entry() audit.Entry {
	return audit.Entry{
		Account: alice,
		Time:    time.Date(2026, 11, 21, 12, 0, 0, 123456000, time.UTC),
		Actor:   audit.Actor{Kind: account.Backend, ID: "backend", Session: "s", Class: "fresh"},
		Action:  "attest.register", Subject: "key", Object: make([]byte, 32), Reason: "why",
		Detail: json.RawMessage(`{"a":1}`),
	}
}

// TestSumVector pins the bytes that are hashed: an entry written today must
// check in ten years. The expectation was computed apart from this package, in
// Python, from the formula in the package comment.
func TestSumVector(t *testing.T) {
	first := entry().Next("demo", audit.Head{})
	second := entry().Next("demo", audit.Head{N: first.N, Hash: first.Hash})
	got := []string{hex.EncodeToString(first.Prev[:]), hex.EncodeToString(first.Hash[:]), hex.EncodeToString(second.Hash[:])}
	want := []string{
		"538b390cbdb38a1f4b3114a43f11087bed976cdad9a17d785d7fd0d56f06f8a1",
		"e600ddda621c70cfc2eef0cd5d822d7ff0beb32c25e398b6315871d1d5bb7d1e",
		"47115da74a93ca13b8cfd5f6f89430fb3ffe74740342ec9533688f5393086d2a",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestSumCoversEverything changes one thing at a time: each must change the hash.
func TestSumCoversEverything(t *testing.T) {
	base := entry().Next("demo", audit.Head{})
	changes := map[string]func(*audit.Entry){
		"account": func(e *audit.Entry) { e.Account = bob },
		"number":  func(e *audit.Entry) { e.N++ },
		"time":    func(e *audit.Entry) { e.Time = e.Time.Add(time.Microsecond) },
		"kind":    func(e *audit.Entry) { e.Actor.Kind = account.Phone },
		"actor":   func(e *audit.Entry) { e.Actor.ID = "x" },
		"session": func(e *audit.Entry) { e.Actor.Session = "x" },
		"class":   func(e *audit.Entry) { e.Actor.Class = "x" },
		"action":  func(e *audit.Entry) { e.Action = "x" },
		"subject": func(e *audit.Entry) { e.Subject = "x" },
		"object":  func(e *audit.Entry) { e.Object = nil },
		"reason":  func(e *audit.Entry) { e.Reason = "x" },
		"detail":  func(e *audit.Entry) { e.Detail = nil },
		"prev":    func(e *audit.Entry) { e.Prev[0]++ },
		"moved":   func(e *audit.Entry) { e.Action, e.Subject = e.Action+e.Subject, "" },
	}
	for name, change := range changes {
		e := base
		change(&e)
		if e.Sum("demo") == base.Hash {
			t.Errorf("%s is not covered by the hash", name)
		}
	}
	if base.Sum("other") == base.Hash {
		t.Error("the app is not covered by the hash")
	}
	e := base
	e.Hash, e.Time = [32]byte{}, e.Time.In(time.FixedZone("JST", 9*3600)).Add(999)
	if e.Sum("demo") != base.Hash {
		t.Error("zone, nanoseconds or the Hash field itself change the hash")
	}
}

func TestValidate(t *testing.T) {
	tests := []struct {
		name   string
		change func(*audit.Entry)
		want   error
	}{
		{"good", func(*audit.Entry) {}, nil},
		{"app's own", func(e *audit.Entry) { e.Account = "" }, nil},
		{"least", func(e *audit.Entry) { e.Object, e.Detail, e.Reason, e.Subject = nil, nil, "", "" }, nil},
		{"nobody", func(e *audit.Entry) { e.Actor.Kind = "" }, audit.ErrInvalid},
		{"no action", func(e *audit.Entry) { e.Action = "" }, audit.ErrInvalid},
		{"no time", func(e *audit.Entry) { e.Time = time.Time{} }, audit.ErrInvalid},
		{"half a digest", func(e *audit.Entry) { e.Object = make([]byte, 16) }, audit.ErrInvalid},
		{"detail a list", func(e *audit.Entry) { e.Detail = json.RawMessage(`[1]`) }, audit.ErrInvalid},
		{"detail cut off", func(e *audit.Entry) { e.Detail = json.RawMessage(`{`) }, audit.ErrInvalid},
		{"not an account", func(e *audit.Entry) { e.Account = "alice" }, audit.ErrInvalid},
		{"keeps something", func(e *audit.Entry) { e.Detail = keeping("e1", 32, noon) }, nil},
		{"keeps nothing named", func(e *audit.Entry) { e.Detail = keeping("", 32, noon) }, audit.ErrInvalid},
		{"keeps something without a digest", func(e *audit.Entry) { e.Detail = keeping("e1", 31, noon) }, audit.ErrInvalid},
		{"keeps something for no time", func(e *audit.Entry) { e.Detail = keeping("e1", 32, time.Time{}) }, audit.ErrInvalid},
		{"something gone", func(e *audit.Entry) { e.Detail = json.RawMessage(`{"gone":"k1"}`) }, nil},
		{"a number is gone", func(e *audit.Entry) { e.Detail = json.RawMessage(`{"gone":1}`) }, audit.ErrInvalid},
		{"keeps a number", func(e *audit.Entry) { e.Detail = json.RawMessage(`{"kept":1}`) }, audit.ErrInvalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := entry()
			tt.change(&e)
			if err := e.Validate(); !errors.Is(err, tt.want) {
				t.Errorf("Validate() = %v, want %v", err, tt.want)
			}
		})
	}
}

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// keeping is a detail that tells of a thing whose digest is n times the byte 4.
func keeping(subject string, n int, until time.Time) json.RawMessage {
	detail, err := json.Marshal(map[string]any{"more": 1, "kept": audit.Kept{Subject: subject, SHA256: slices.Repeat([]byte{4}, n), Until: until}})
	if err != nil {
		panic(err)
	}
	return detail
}

func TestActorOf(t *testing.T) {
	got := audit.ActorOf(account.Caller{Kind: account.Phone, App: "demo", Account: alice, Name: "key"})
	if want := (audit.Actor{Kind: account.Phone, ID: "key"}); got != want {
		t.Errorf("ActorOf = %+v", got)
	}
}

// good has the app's chain with one entry, alice's with three and bob's with
// one, and two things they tell of.
func good() *memory {
	m := &memory{}
	heads := map[account.ID]audit.Head{}
	add := func(id account.ID, subject string, object []byte) {
		e := entry()
		e.Account, e.Subject, e.Object = id, subject, object
		e = e.Next("demo", heads[id])
		heads[id] = audit.Head{N: e.N, Hash: e.Hash}
		m.entries = append(m.entries, e)
	}
	digest := func(b byte) []byte { return slices.Repeat([]byte{b}, 32) }
	add("", "policy", nil)
	add(alice, "k1", digest(1))
	add(alice, "k1", digest(2))
	add(alice, "k1", nil)
	add(bob, "k2", digest(3))
	m.objects = []audit.Object{{Account: alice, Subject: "k1", Digest: [32]byte(digest(2))}, {Account: bob, Subject: "k2", Digest: [32]byte(digest(3))}}
	return m
}

func TestCheck(t *testing.T) {
	tests := []struct {
		name   string
		change func(*memory)
		want   []audit.Problem
	}{
		{"good", func(*memory) {}, nil},
		{"changed", func(m *memory) { m.entries[1].Reason = "x" }, []audit.Problem{{audit.ChainBreak, alice, "k1", 1}}},
		{"changed and hashed anew", func(m *memory) {
			m.entries[1].Reason = "x"
			m.entries[1].Hash = m.entries[1].Sum("demo")
		}, []audit.Problem{{audit.ChainBreak, alice, "k1", 2}}},
		{"first prev", func(m *memory) {
			m.entries[4].Prev[0]++
			m.entries[4].Hash = m.entries[4].Sum("demo")
		}, []audit.Problem{{audit.ChainBreak, bob, "k2", 1}}},
		{"taken out", func(m *memory) { m.entries = slices.Delete(m.entries, 2, 3) },
			[]audit.Problem{{audit.RowDigest, alice, "k1", 1}, {audit.ChainGap, alice, "k1", 3}}},
		{"first taken out", func(m *memory) { m.entries = slices.Delete(m.entries, 1, 2) }, []audit.Problem{{audit.ChainGap, alice, "k1", 2}}},
		{"swapped", func(m *memory) { m.entries[1], m.entries[2] = m.entries[2], m.entries[1] },
			[]audit.Problem{{audit.RowDigest, alice, "k1", 1}, {audit.ChainGap, alice, "k1", 1}, {audit.ChainGap, alice, "k1", 2}, {audit.ChainGap, alice, "k1", 3}}},
		{"another account's", func(m *memory) { m.entries[4].Account = alice },
			[]audit.Problem{{audit.ChainGap, alice, "k2", 1}, {audit.EntryWithoutRow, alice, "k2", 1}, {audit.RowWithoutEntry, bob, "k2", 0}}},
		{"thing changed", func(m *memory) { m.objects[0].Digest[0]++ }, []audit.Problem{{audit.RowDigest, alice, "k1", 2}}},
		{"thing rolled back", func(m *memory) { m.objects[0].Digest = [32]byte(m.entries[1].Object) }, []audit.Problem{{audit.RowDigest, alice, "k1", 2}}},
		{"thing gone", func(m *memory) { m.objects = m.objects[1:] }, []audit.Problem{{audit.EntryWithoutRow, alice, "k1", 2}}},
		{"thing from nowhere", func(m *memory) { m.objects = append(m.objects, audit.Object{Account: bob, Subject: "k3"}) },
			[]audit.Problem{{audit.RowWithoutEntry, bob, "k3", 0}}},
		{"thing of another account", func(m *memory) { m.objects[0].Account = bob },
			[]audit.Problem{{audit.EntryWithoutRow, alice, "k1", 2}, {audit.RowWithoutEntry, bob, "k1", 0}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := good()
			tt.change(m)
			report, err := audit.Check(t.Context(), m, &audit.CheckOptions{Now: noon})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, report.Problems, cmp.Transformer("sort", sorted)); diff != "" {
				t.Error(diff)
			}
			if report.OK() != (len(tt.want) == 0) {
				t.Errorf("OK() = %v", report.OK())
			}
		})
	}
	report, err := audit.Check(t.Context(), good(), &audit.CheckOptions{Now: noon})
	if err != nil || report.App != "demo" || report.Accounts != 2 || report.Entries != 5 {
		t.Errorf("report %+v, %v", report, err)
	}
	away := errors.New("away")
	if _, err := audit.Check(t.Context(), &memory{err: away}, &audit.CheckOptions{Now: noon}); !errors.Is(err, away) {
		t.Errorf("a store that cannot be read: %v", err)
	}
}

// sorted forgets the order of problems; TestCheckOrder looks at that.
func sorted(p []audit.Problem) map[audit.Problem]int {
	m := map[audit.Problem]int{}
	for _, x := range p {
		m[x]++
	}
	return m
}

// TestCheckKept: what is kept for a time is compared while it is there, and may
// be gone when its time is over.
func TestCheckKept(t *testing.T) {
	const after = time.Microsecond
	tests := []struct {
		name   string
		change func(*memory)
		now    time.Time
		want   []audit.Problem
	}{
		{"good", func(*memory) {}, noon, nil},
		{"gone when its time is over", func(m *memory) { m.objects = m.objects[:2] }, noon.Add(after), nil},
		{"gone at its last moment", func(m *memory) { m.objects = m.objects[:2] }, noon, []audit.Problem{{audit.EntryWithoutRow, bob, "e1", 2}}},
		{"gone too early", func(m *memory) { m.objects = m.objects[:2] }, noon.Add(-after), []audit.Problem{{audit.EntryWithoutRow, bob, "e1", 2}}},
		{"changed", func(m *memory) { m.objects[2].Digest[0]++ }, noon, []audit.Problem{{audit.RowDigest, bob, "e1", 2}}},
		{"changed, and still there after its time", func(m *memory) { m.objects[2].Digest[0]++ }, noon.Add(after), []audit.Problem{{audit.RowDigest, bob, "e1", 2}}},
		{"another account's", func(m *memory) { m.objects[2].Account = alice }, noon,
			[]audit.Problem{{audit.RowWithoutEntry, alice, "e1", 0}, {audit.EntryWithoutRow, bob, "e1", 2}}},
		{"of which nobody told", func(m *memory) { m.objects[2].Subject = "e2" }, noon.Add(after), []audit.Problem{{audit.RowWithoutEntry, bob, "e2", 0}}},
		{"told in no form that may be recorded", func(m *memory) {
			e := &m.entries[5]
			e.Detail = json.RawMessage(`{"kept":{}}`)
			e.Hash = e.Sum("demo")
		}, noon, []audit.Problem{{audit.RowWithoutEntry, bob, "e1", 0}, {audit.ChainBreak, bob, "key", 2}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := good()
			e := entry()
			e.Account, e.Subject, e.Object, e.Detail = bob, "key", nil, keeping("e1", 32, noon)
			m.entries = append(m.entries, e.Next("demo", audit.Head{N: 1, Hash: m.entries[4].Hash}))
			m.objects = append(m.objects, audit.Object{Account: bob, Subject: "e1", Digest: [32]byte(slices.Repeat([]byte{4}, 32))})
			tt.change(m)
			report, err := audit.Check(t.Context(), m, &audit.CheckOptions{Now: tt.now})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, report.Problems); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestCheckGone: a thing may become another account's, when the chain of the
// first says that it is gone and the other's tells of it.
func TestCheckGone(t *testing.T) {
	tests := []struct {
		name   string
		detail string // of the last entry in alice's chain
		moved  bool   // bob's chain tells of the thing
		want   []audit.Problem
	}{
		{"moved", `{"gone":"k1"}`, true, nil},
		{"moved, and nobody says that it is gone", `{}`, true, []audit.Problem{{audit.EntryWithoutRow, alice, "k1", 2}}},
		{"another thing is gone", `{"gone":"k2"}`, true, []audit.Problem{{audit.EntryWithoutRow, alice, "k1", 2}}},
		{"gone, and still there", `{"gone":"k1"}`, false, []audit.Problem{{audit.RowWithoutEntry, alice, "k1", 0}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := good()
			add := func(at int, e audit.Entry) {
				before := m.entries[at-1]
				m.entries = slices.Insert(m.entries, at, e.Next("demo", audit.Head{N: before.N, Hash: before.Hash}))
			}
			if tt.moved {
				e := entry()
				e.Account, e.Subject, e.Object = bob, "k1", slices.Repeat([]byte{2}, 32)
				add(5, e)
				m.objects[0].Account = bob
			}
			e := entry()
			e.Subject, e.Object, e.Detail = "k1", nil, json.RawMessage(tt.detail)
			add(4, e)
			report, err := audit.Check(t.Context(), m, &audit.CheckOptions{Now: noon})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, report.Problems); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCheckOrder(t *testing.T) {
	m := good()
	m.objects = nil
	m.entries[0].Reason = "x"
	report, err := audit.Check(t.Context(), m, &audit.CheckOptions{Now: noon})
	if err != nil {
		t.Fatal(err)
	}
	want := []audit.Problem{{audit.ChainBreak, "", "policy", 1}, {audit.EntryWithoutRow, alice, "k1", 2}, {audit.EntryWithoutRow, bob, "k2", 1}}
	if diff := cmp.Diff(want, report.Problems); diff != "" {
		t.Error(diff)
	}
}
