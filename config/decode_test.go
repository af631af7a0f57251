package config_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/config"
)

// file has a field of every kind that a file of ours may have.
type file struct {
	Name    string          `toml:"name,required"`
	Count   int             `toml:"count"`
	Small   uint8           `toml:"small"`
	Ratio   float64         `toml:"ratio"`
	On      bool            `toml:"on"`
	At      time.Time       `toml:"at"`
	Life    config.Duration `toml:"life"`
	List    []string        `toml:"list"`
	Matrix  [][]int         `toml:"matrix"`
	Extra   map[string]int  `toml:"extra"`
	Opt     *sub            `toml:"opt"`
	Sub     sub             `toml:"sub"`
	Subs    []sub           `toml:"subs"`
	Untaged string
}

type sub struct {
	Key   string `toml:"key,required"`
	Value int    `toml:"value"`
	Deep  []deep `toml:"deep"`
}

type deep struct {
	X string `toml:"x"`
}

const good = `name = "n"
count = -3
small = 255
ratio = 25
on = true
at = 2026-11-01T00:00:00Z
life = "90s"
list = ["a", "b"]
matrix = [[1], []]
extra = { one = 1 }
sub.key = "k"

[[subs]]
key = "first"
deep = [
  { x = "0" },
  { x = "1" },
]

[[subs]]
key = "second"
[[subs.deep]]
x = "2"
`

func TestDecode(t *testing.T) {
	var got file
	if err := config.Decode([]byte(good), &got); err != nil {
		t.Fatal(err)
	}
	want := file{
		Name: "n", Count: -3, Small: 255, Ratio: 25, On: true, At: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
		Life: config.Duration{Duration: 90 * time.Second}, List: []string{"a", "b"}, Matrix: [][]int{{1}, {}},
		Extra: map[string]int{"one": 1}, Sub: sub{Key: "k"},
		Subs: []sub{{Key: "first", Deep: []deep{{"0"}, {"1"}}}, {Key: "second", Deep: []deep{{"2"}}}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestDecodeRefuses(t *testing.T) {
	tests := []struct {
		name     string
		old, new string // the change to good
		want     string // the message
	}{
		{"unknown key", "count = -3", "cuont = -3", "config: line 2: cuont: unknown key; did you mean count?"},
		{"unknown key, nothing near", "count = -3", "whatever = -3", "config: line 2: whatever: unknown key"},
		{"case", "name =", "Name =", "config: line 1: Name: unknown key; did you mean name?\nconfig: name: missing; the key is required"},
		{"field without a tag", "count = -3", `Untaged = ""`, "config: line 2: Untaged: unknown key"},
		{"missing", `name = "n"`, "", "config: name: missing; the key is required"},
		{"missing in a table", `key = "second"`, "value = 1", "config: line 20: subs[1].key: missing; the key is required"},
		{"missing with its table", `sub.key = "k"`, "", "config: sub.key: missing; the key is required"},
		{"missing in an optional table", `sub.key = "k"`, "sub.key = \"k\"\nopt = {}", "config: line 12: opt.key: missing; the key is required"},
		{"unknown key deep inside", `{ x = "1" }`, `{ x = "1", y = 2 }`, "config: line 17: subs[0].deep[1].y: unknown key; did you mean x?"},
		{"unknown key in a table of an array", `x = "2"`, `z = "2"`, "config: line 23: subs[1].deep[0].z: unknown key; did you mean x?"},
		{"string for integer", "count = -3", `count = "3"`, "config: line 2: count: want an integer, found a string"},
		{"float for integer", "count = -3", `count = 3.0`, "config: line 2: count: want an integer, found a float"},
		{"integer for string", `name = "n"`, `name = 1`, "config: line 1: name: want a string, found an integer"},
		{"string for boolean", "on = true", `on = "true"`, "config: line 5: on: want a boolean, found a string"},
		{"string for number", "ratio = 25", `ratio = "25"`, "config: line 4: ratio: want a number, found a string"},
		{"string for time", "at = 2026-11-01T00:00:00Z", `at = "2026-11-01T00:00:00Z"`, "config: line 6: at: want a date and time such as 2026-11-01T00:00:00Z, found a string"},
		{"local time", "at = 2026-11-01T00:00:00Z", `at = 2026-11-01T00:00:00`, "config: line 6: at: want a date and time such as 2026-11-01T00:00:00Z, found a date or time"},
		{"integer for duration", `life = "90s"`, "life = 90", "config: line 7: life: want a string, found an integer"},
		{"no duration", `life = "90s"`, `life = "90"`, `config: line 7: life: "90" is no duration; write it as "90s", "15m", "720h" or "30d"`},
		{"negative duration", `life = "90s"`, `life = "-1s"`, `config: line 7: life: "-1s" is no duration; write it as "90s", "15m", "720h" or "30d"`},
		{"overflow", "small = 255", "small = 256", "config: line 3: small: 256 is too large or too small"},
		{"negative", "small = 255", "small = -1", "config: line 3: small: -1 is too large or too small"},
		{"element", `list = ["a", "b"]`, `list = ["a", 1]`, "config: line 8: list[1]: want a string, found an integer"},
		{"inner element", "matrix = [[1], []]", `matrix = [[1], [true]]`, "config: line 9: matrix[1][0]: want an integer, found a boolean"},
		{"array for table", `sub.key = "k"`, "sub = []", "config: line 11: sub: want a table, found an array"},
		{"table for array", `list = ["a", "b"]`, "list = {}", "config: line 8: list: want an array, found a table"},
		{"map element", "one = 1", `one = "1"`, "config: line 10: extra.one: want an integer, found a string"},
		{"syntax", "count = -3", "count = ", "config: line 2: "},
		{"twice", "count = -3", "name = \"m\"", "config: line 2: name: key name is already defined"},
		{"twice in a table of an array", "key = \"second\"", "key = \"second\"\nkey = \"third\"", "config: line 22: subs[1].key: key key is already defined"},
		{"table twice", "[[subs]]\nkey = \"second\"", "[subs.opt]\n[subs.opt]\n[[subs]]\nkey = \"second\"", "config: line 21: subs[0].opt: "},
		{"two errors", "count = -3\nsmall = 255", "count = true\nsmall = true", "config: line 2: count: want an integer, found a boolean\nconfig: line 3: small: want an integer, found a boolean"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.Contains(good, tt.old) {
				t.Fatalf("%q is not in the good file", tt.old)
			}
			var f file
			err := config.Decode([]byte(strings.Replace(good, tt.old, tt.new, 1)), &f)
			if !errors.Is(err, config.ErrInvalid) {
				t.Fatalf("err = %v", err)
			}
			if got := err.Error(); got != tt.want && (!strings.HasSuffix(tt.want, ": ") || !strings.HasPrefix(got, tt.want)) {
				t.Errorf("%s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestDecodeKeepsDefaults(t *testing.T) {
	f := file{Count: 7, Sub: sub{Value: 8}}
	if err := config.Decode([]byte("name = 'n'\nsub.key = 'k'"), &f); err != nil || f.Count != 7 || f.Sub.Value != 8 {
		t.Errorf("%+v, %v", f, err)
	}
	if err := config.Decode(nil, f); err == nil || errors.Is(err, config.ErrInvalid) {
		t.Errorf("no pointer: %v", err)
	}
}

func TestLine(t *testing.T) {
	for path, want := range map[string]int{
		"name": 1, "extra": 10, "extra.one": 10, "sub.key": 11, "subs": 13, "subs[0]": 13, "subs[0].key": 14,
		"subs[0].deep": 15, "subs[0].deep[0].x": 16, "subs[0].deep[1]": 17, "subs[0].deep[1].x": 17,
		"subs[1]": 20, "subs[1].key": 21, "subs[1].deep[0]": 22, "subs[1].deep[0].x": 23,
		"subs[1].missing": 20, "subs[1].missing.more": 20, "list[1]": 8, "nothing": 0, "": 0,
	} {
		if got := config.Line([]byte(good), path); got != want {
			t.Errorf("Line(%s) = %d, want %d", path, got, want)
		}
	}
	if got := config.Line([]byte("a = 1\nb = "), "a"); got != 1 {
		t.Errorf("in a file with a syntax error: %d", got)
	}
}

// FuzzDecode: no input panics, and what is accepted has its required keys.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("[a]\n[[a.b]]\n[a.b.c]\n"))
	f.Add([]byte(`"q.d".'e' = [{a = 1}, [2], {}]`))
	f.Add([]byte("[[x]]\ny=1\n[x.z]\n[[x.z.w]]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var v file
		if err := config.Decode(data, &v); err == nil && !strings.Contains(string(data), "name") {
			t.Errorf("accepted without a name")
		}
		config.Line(data, "subs[0].deep[1].x")
		if _, err := config.Parse(data); err != nil && err.Error() == "" {
			t.Error("an error without a text")
		}
	})
}
