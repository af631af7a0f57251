package audit

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// plain gives what was told as a Detail.
func (t *told) plain() Detail {
	var d Detail
	for _, s := range t.steps {
		d.Steps = append(d.Steps, Step{string(s.of), string(s.id), string(s.step), string(s.from), string(s.to)})
	}
	for _, r := range t.rows {
		if d.Rows == nil {
			d.Rows = map[string]Digest{}
		}
		d.Rows[string(r.name)] = r.digest
	}
	for _, name := range t.gone {
		d.Gone = append(d.Gone, string(name))
	}
	if k := t.kept; k != nil {
		d.Kept = &Kept{string(k.name), slices.Clone(k.digest[:]), k.until}
	}
	return d
}

// empty leaves out what is empty in one form and absent in the other.
func empty(d Detail) Detail {
	if len(d.Steps) == 0 {
		d.Steps = nil
	}
	if len(d.Rows) == 0 {
		d.Rows = nil
	}
	if len(d.Gone) == 0 {
		d.Gone = nil
	}
	return d
}

var hex64 = strings.Repeat("0a", 32)

// plainDetails are as the program writes them; the scanner must read them.
func plainDetails() []string {
	until := time.Date(2026, 11, 21, 12, 0, 0, 123456000, time.UTC)
	full, err := json.Marshal(Detail{
		Steps: []Step{{"account", "a", "enrol", "", "active"}, {"device", "d", "enrol", "", "held"}},
		Rows:  map[string]Digest{"a": {1}, "d": {2}}, Gone: Names{"k1", "k2"}, Kept: &Kept{"e", slices.Repeat([]byte{9}, 32), until},
	})
	if err != nil {
		panic(err)
	}
	return []string{
		string(full), `{}`, `{"gone":"k1"}`, `{"rows":{"r":"` + hex64 + `"}}`,
		`{"a":1,"b":[{"c":"}"},{}],"d":null,"e":true,"f":"ü","gone":["x"],"g":-1.5e3}`, `{"n":{"rows":{"r":1}}}`,
		`{"steps":[{"to":"active","from":"","step":"enrol","id":"key","of":"device"}]}`,
	}
}

// otherDetails are left to encoding/json.
func otherDetails() []string {
	return []string{
		`{"gone": "k1"}`, `{"gone":"k\u0031"}`, `{"Gone":"k1"}`, `{"gone":"k1","gone":"k2"}`, `{"gone":null}`, `{"gone":"ü"}`,
		`{"steps":[{"of":"device","id":"key","step":"enrol","to":"active"}]}`, `{"steps":[{"of":"device","of":"x"}]}`, `{"steps":null}`,
		`{"steps":[{"of":"device","id":"key","step":"enrol","from":"","to":"active","x":1}]}`,
		`{"rows":{"r":"` + strings.ToUpper(hex64) + `"}}`, `{"rows":{"":"` + hex64 + `"}}`, `{"rows":{"key":"` + hex64 + `"}}`,
		`{"kept":{"subject":"e","sha256":"AQ==","until":"2026-11-21T12:00:00Z"}}`, `{"kept":{}}`, `{"kept":null}`,
		`{"kept":{"subject":"e","sha256":"` + strings.Repeat("A", 43) + `=","until":"0001-01-01T00:00:00Z"}}`,
		`{"steps":[{"of":"device","id":"x","step":"enrol","from":"","to":"active"}]}`, `{"gone":[""]}`,
		`{`, `[]`, ``, `{}x`, `{"a"}`, `{"a":}`, `{,}`, `{"a":"`, `{"a":[}`, `{"a":1,}`, `{"gone":["a",]}`,
	}
}

// TestScanReads: what the program writes needs no encoding/json.
func TestScanReads(t *testing.T) {
	for _, text := range plainDetails() {
		e := Entry{Subject: "key", Object: make([]byte, 32), Detail: json.RawMessage(text)}
		var got told
		if !got.scan(e.Detail) || !got.valid(&e) {
			t.Errorf("%s is not read", text)
		}
	}
	for _, text := range otherDetails() {
		e := Entry{Subject: "key", Object: make([]byte, 32), Detail: json.RawMessage(text)}
		var got told
		if got.scan(e.Detail) && got.valid(&e) {
			t.Errorf("%s is read at once", text)
		}
	}
}

// FuzzScan: for a Detail that may be recorded, the scanner either says what
// encoding/json says, or nothing; and nothing makes it panic.
func FuzzScan(f *testing.F) {
	for _, text := range slices.Concat(plainDetails(), otherDetails()) {
		f.Add([]byte(text), "key", true)
	}
	f.Fuzz(func(t *testing.T, text []byte, subject string, object bool) {
		e := Entry{Subject: subject, Detail: text}
		if object {
			e.Object = make([]byte, 32)
		}
		var quick, whole told
		read := quick.scan(text) && quick.valid(&e)
		want, err := e.inDetail()
		if len(text) == 0 || err != nil {
			if err := whole.read(&e); !read && len(text) > 0 && err == nil {
				t.Error("read takes what encoding/json refuses")
			}
			return
		}
		if err := whole.read(&e); err != nil {
			t.Fatal(err)
		}
		same := cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })
		if diff := cmp.Diff(empty(want), whole.plain(), same); diff != "" {
			t.Errorf("read: %s", diff)
		}
		if !read {
			return
		}
		if diff := cmp.Diff(empty(want), quick.plain(), same); diff != "" {
			t.Errorf("scan: %s", diff)
		}
	})
}
