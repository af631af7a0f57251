package audit_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/staunchid/staunch/audit"
)

// TestDetailJSON pins the members that are read in ten years.
func TestDetailJSON(t *testing.T) {
	type own struct {
		audit.Detail
		Policy string `json:"policy"`
	}
	in := own{audit.Detail{
		Steps: []audit.Step{{Of: "account", ID: "a", Step: "freeze", From: "active", To: "frozen"}},
		Rows:  map[string]audit.Digest{"d": {0xab, 31: 0xcd}},
		Gone:  audit.Names{"k1", "k2"},
		Kept:  &audit.Kept{Subject: "e", SHA256: []byte{1}, Until: noon},
	}, "p"}
	want := `{"steps":[{"of":"account","id":"a","step":"freeze","from":"active","to":"frozen"}],` +
		`"rows":{"d":"ab` + strings.Repeat("00", 30) + `cd"},"gone":["k1","k2"],` +
		`"kept":{"subject":"e","sha256":"AQ==","until":"2026-11-21T12:00:00Z"},"policy":"p"}`
	text, err := json.Marshal(in)
	if err != nil || string(text) != want {
		t.Errorf("%s, %v", text, err)
	}
	var out own
	if err := json.Unmarshal([]byte(strings.Replace(want, `["k1","k2"]`, `"k1"`, 1)), &out); err != nil {
		t.Fatal(err)
	}
	in.Gone = audit.Names{"k1"} // a single name is a list of one
	if diff := cmp.Diff(in, out); diff != "" {
		t.Error(diff)
	}
}

// TestValidateDetail: one good entry that tells of four things, and small
// changes to its detail.
func TestValidateDetail(t *testing.T) {
	step := audit.Step{Of: "device", ID: "key", Step: "enrol", From: "", To: "active"}
	tests := []struct {
		name   string
		change func(e *audit.Entry, d *audit.Detail)
		want   error
	}{
		{"good", func(*audit.Entry, *audit.Detail) {}, nil},
		{"nothing told", func(_ *audit.Entry, d *audit.Detail) { *d = audit.Detail{} }, nil},
		{"row without a name", func(_ *audit.Entry, d *audit.Detail) { d.Rows[""] = audit.Digest{} }, audit.ErrInvalid},
		{"row of the subject, twice", func(_ *audit.Entry, d *audit.Detail) { d.Rows["key"] = audit.Digest{} }, audit.ErrInvalid},
		{"row of the subject, once", func(e *audit.Entry, d *audit.Detail) { e.Object, d.Rows["key"] = nil, audit.Digest{} }, nil},
		{"gone without a name", func(_ *audit.Entry, d *audit.Detail) { d.Gone = audit.Names{"x", ""} }, audit.ErrInvalid},
		{"step of nothing", func(_ *audit.Entry, d *audit.Detail) { d.Steps[0].Of = "" }, audit.ErrInvalid},
		{"step of nobody", func(_ *audit.Entry, d *audit.Detail) { d.Steps[0].ID = "" }, audit.ErrInvalid},
		{"step without a name", func(_ *audit.Entry, d *audit.Detail) { d.Steps[0].Step = "" }, audit.ErrInvalid},
		{"step to nowhere", func(_ *audit.Entry, d *audit.Detail) { d.Steps[0].To = "" }, audit.ErrInvalid},
		{"step of a row", func(_ *audit.Entry, d *audit.Detail) { d.Steps[0].ID = "r" }, nil},
		{"step of a thing whose digest is not told", func(_ *audit.Entry, d *audit.Detail) { d.Steps[0].ID = "x" }, audit.ErrInvalid},
		{"step of the subject, whose digest is not told", func(e *audit.Entry, _ *audit.Detail) { e.Object = nil }, audit.ErrInvalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := entry()
			d := audit.Detail{Steps: []audit.Step{step}, Rows: map[string]audit.Digest{"r": {1}}, Gone: audit.Names{"k1", "k2"}}
			tt.change(&e, &d)
			var err error
			if e.Detail, err = json.Marshal(d); err != nil {
				t.Fatal(err)
			}
			if err := e.Validate(); !errors.Is(err, tt.want) {
				t.Errorf("Validate() = %v, want %v", err, tt.want)
			}
		})
	}
	for _, text := range []string{
		`{"rows":{"r":"` + strings.Repeat("AB", 32) + `"}}`, `{"rows":{"r":"` + strings.Repeat("ab", 31) + `"}}`,
		`{"rows":{"r":"` + strings.Repeat("g0", 32) + `"}}`, `{"rows":["r"]}`, `{"steps":{}}`, `{"gone":[1]}`, `{"gone":{}}`,
	} {
		e := entry()
		e.Detail = json.RawMessage(text)
		if err := e.Validate(); !errors.Is(err, audit.ErrInvalid) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestCheckRows: what an entry tells of beside its subject is compared too.
func TestCheckRows(t *testing.T) {
	tests := []struct {
		name   string
		change func(*memory)
		want   []audit.Problem
	}{
		{"good", func(*memory) {}, nil},
		{"changed", func(m *memory) { m.objects[2].Digest[0]++ }, []audit.Problem{{audit.RowDigest, alice, "r1", 4}}},
		{"gone", func(m *memory) { m.objects = m.objects[:2] }, []audit.Problem{{audit.EntryWithoutRow, alice, "r1", 4}}},
		{"said to be gone", func(m *memory) {
			m.tell(audit.Detail{Gone: audit.Names{"k1", "r1"}})
			m.objects = m.objects[1:2]
		}, nil},
		{"one of two is said to be gone", func(m *memory) {
			m.tell(audit.Detail{Gone: audit.Names{"k1"}})
			m.objects = m.objects[1:2]
		}, []audit.Problem{{audit.EntryWithoutRow, alice, "r1", 4}}},
		{"told anew", func(m *memory) {
			m.tell(audit.Detail{Rows: map[string]audit.Digest{"r1": {8}}})
			m.objects[2].Digest = [32]byte{8}
		}, nil},
		{"rolled back", func(m *memory) { m.tell(audit.Detail{Rows: map[string]audit.Digest{"r1": {8}}}) },
			[]audit.Problem{{audit.RowDigest, alice, "r1", 5}}},
		{"without its MAC", func(m *memory) { m.objects[2].BadMAC = true }, []audit.Problem{{audit.RowMAC, alice, "r1", 4}}},
		{"from nowhere, without a MAC", func(m *memory) {
			m.objects = append(m.objects, audit.Object{Account: bob, Subject: "r2", BadMAC: true})
		},
			[]audit.Problem{{audit.RowMAC, bob, "r2", 0}, {audit.RowWithoutEntry, bob, "r2", 0}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := good()
			m.tell(audit.Detail{Rows: map[string]audit.Digest{"r1": {7}}})
			m.objects = append(m.objects, audit.Object{Account: alice, Subject: "r1", Digest: [32]byte{7}})
			tt.change(m)
			if diff := cmp.Diff(tt.want, check(t, m).Problems); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestCheckSteps: the rules have every step, and each begins where the one
// before has ended.
func TestCheckSteps(t *testing.T) {
	step := func(name, from, to string) audit.Step {
		return audit.Step{Of: "device", ID: "d1", Step: name, From: from, To: to}
	}
	enrol, freeze, thaw := step("enrol", "", "active"), step("freeze", "active", "frozen"), step("unfreeze", "frozen", "active")
	other := audit.Step{Of: "device", ID: "d2", Step: "enrol", To: "active"}
	of := func(s audit.Step, what string) audit.Step { s.Of = what; return s }
	tests := []struct {
		name  string
		steps [][]audit.Step // of an entry each
		want  []uint64       // entries with an illegal step
	}{
		{"good", [][]audit.Step{{enrol}, {freeze}, {thaw}, {freeze}}, nil},
		{"several at once", [][]audit.Step{{enrol, other, freeze}, {thaw, freeze}}, nil},
		{"begins without an end", [][]audit.Step{{freeze}}, []uint64{4}},
		{"one left out", [][]audit.Step{{enrol}, {thaw}}, []uint64{5}},
		{"left out, and then it goes on", [][]audit.Step{{enrol}, {freeze}, {freeze}, {thaw}}, []uint64{6}},
		{"twice there", [][]audit.Step{{enrol}, {enrol}}, []uint64{5}},
		{"no such step", [][]audit.Step{{enrol}, {step("thaw", "active", "active")}}, []uint64{5}},
		{"to somewhere else", [][]audit.Step{{step("enrol", "", "frozen")}}, []uint64{4}},
		{"of something else", [][]audit.Step{{of(enrol, "account")}}, []uint64{4}},
		{"another one's state", [][]audit.Step{{enrol, freeze, other}, {step("unfreeze", "frozen", "active")}, {other}}, []uint64{6}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := good()
			for _, steps := range tt.steps {
				m.tell(audit.Detail{Steps: steps, Rows: map[string]audit.Digest{"d1": {1}, "d2": {2}}})
			}
			m.objects = append(m.objects,
				audit.Object{Account: alice, Subject: "d1", Digest: [32]byte{1}}, audit.Object{Account: alice, Subject: "d2", Digest: [32]byte{2}})
			report := check(t, m)
			var got []uint64
			for _, p := range report.Problems {
				if p.Kind != audit.IllegalStep || p.Account != alice {
					t.Errorf("%+v", p)
				}
				got = append(got, p.Entry)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			// Whoever knows no rules takes no step.
			report, err := audit.Check(t.Context(), m, &audit.CheckOptions{Now: noon})
			if err != nil || report.OK() {
				t.Errorf("without rules: %+v, %v", report, err)
			}
		})
	}
}

// tell appends an entry to alice's chain that tells of nothing but d.
func (m *memory) tell(d audit.Detail) {
	e := entry()
	e.Object = nil
	var err error
	if e.Detail, err = json.Marshal(d); err != nil {
		panic(err)
	}
	if err := m.AppendAudit(context.Background(), e); err != nil {
		panic(err)
	}
}

func TestDigestText(t *testing.T) {
	want := slices.Repeat([]byte{0x0f, 0xa0}, 16)
	var d audit.Digest
	if err := d.UnmarshalText([]byte(hex.EncodeToString(want))); err != nil || !slices.Equal(d[:], want) {
		t.Errorf("%x, %v", d, err)
	}
}
