package request_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/staunchid/staunch/attest/request"
)

func TestMembers(t *testing.T) {
	var many []string
	var object strings.Builder
	for i := range 256 {
		many = append(many, "m"+strconv.Itoa(i))
		object.WriteString(`,"m` + strconv.Itoa(i) + `":0`)
	}
	full := "{" + object.String()[1:] + "}"
	long := strings.Repeat("n", 128)
	tests := []struct {
		name, body string
		want       []string
	}{
		{"object", `{"amount":1200,"payee":"a"}`, []string{"amount", "payee"}},
		{"white space", " \t\r\n{ \"amount\" : 1200 ,\n\"payee\":\"a\" } \n", []string{"amount", "payee"}},
		{"empty object", `{}`, nil},
		{"empty name", `{"":1}`, []string{""}},
		{"twice", `{"amount":1,"payee":"a","amount":2}`, []string{"payee"}},
		{"twice in another case", `{"amount":1,"payee":"a","Amount":2}`, []string{"payee"}},
		{"once in another case", `{"AMOUNT":1}`, []string{"AMOUNT"}},
		{"twice, escaped", `{"amount":1,"\u0061mount":2,"payee":"a"}`, []string{"payee"}},
		{"escaped", `{"\u0061mount":2}`, []string{"amount"}},
		{"three times", `{"a":1,"A":2,"a":3,"b":4}`, []string{"b"}},
		{"Kelvin sign", `{"k":1,"` + "\u212a" + `":2,"b":3}`, []string{"b"}},
		{"long s", `{"s":1,"` + "\u017f" + `":2,"b":3}`, []string{"b"}},
		{"Greek sigma", `{"σ":1,"ς":2,"b":3}`, []string{"b"}},
		{"umlauts", `{"ä":1,"Ä":2,"b":3}`, []string{"b"}},
		{"dotless i", `{"id":1,"ıd":2,"b":3}`, []string{"b"}},
		{"i with a dot in upper case", `{"id":1,"İd":2,"b":3}`, []string{"b"}},
		{"all that is an i", `{"amount":1,"ID":1,"İD":2,"ıd":3}`, []string{"amount"}},
		{"sharp s is ss in upper case", `{"address":1,"addreß":2,"b":3}`, []string{"b"}},
		{"capital sharp s", `{"ADDREẞ":1,"address":2,"b":3}`, []string{"b"}},
		{"ligature", `{"profile":1,"pro\ufb01le":2,"b":3}`, []string{"b"}},
		{"e with an accent is no e", `{"é":1,"e":2}`, []string{"é", "e"}},
		{"pair of surrogates", `{"\ud83d\ude00":1}`, []string{"😀"}},
		{"members below", `{"a":{"b":1,"c":[{"d":2}]},"e":[{"f":3}],"g":"h"}`, []string{"a", "e", "g"}},
		{"the same names below", `{"amount":1,"x":{"amount":2}}`, []string{"amount", "x"}},
		{"brackets in strings", `{"a":"}{\"],","b\"":"\\","c":1}`, []string{"a", `b"`, "c"}},
		{"a name of 128 bytes", `{"` + long + `":1}`, []string{long}},
		{"a longer name", `{"` + long + `n":1,"b":2}`, []string{"b"}},
		{"a longer name twice", `{"` + long + `n":1,"` + long + `N":1,"b":2}`, []string{"b"}},
		{"256 members", full, many},
		{"257 members", full[:len(full)-1] + `,"x":1}`, nil},
		{"64 levels", `{"a":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}`, []string{"a"}},
		{"65 levels", `{"a":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`, nil},

		{"nothing", "", nil},
		{"array", `[{"a":1}]`, nil},
		{"string", `"a"`, nil},
		{"number", `1`, nil},
		{"null", `null`, nil},
		{"two objects", `{"a":1}{"a":2}`, nil},
		{"something behind it", `{"a":1} x`, nil},
		{"no end", `{"a":1`, nil},
		{"comma at the end", `{"a":1,}`, nil},
		{"comment", `{"a":1/* */}`, nil},
		{"single quotes", `{'a':1}`, nil},
		{"name without quotes", `{a:1}`, nil},
		{"NaN", `{"a":NaN}`, nil},
		{"byte order mark", "\ufeff{\"a\":1}", nil},
		{"UTF-16", "{\x00\"\x00a\x00\"\x00:\x001\x00}\x00", nil},
		{"not UTF-8 in a name", "{\"a\xff\":1}", nil},
		{"not UTF-8 in a value", "{\"a\":\"\xff\"}", nil},
		{"NUL in a name", `{"amount\u0000x":1,"b":2}`, nil},
		{"half a pair in a name", `{"\ud800":1,"b":2}`, nil},
		{"the other half", `{"\udc00a":1,"b":2}`, nil},
		{"form", "amount=1200&payee=a", nil},
		{"gzip", "\x1f\x8b\x08\x00", nil},
	}
	for _, tt := range tests {
		if got := request.Members([]byte(tt.body)); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestFold: a name in any case counts with itself, whichever way case is ignored.
func TestFold(t *testing.T) {
	both := func(a, b string) bool {
		body, err := json.Marshal(map[string]int{a: 1, b: 2})
		if err != nil {
			t.Fatal(err)
		}
		return len(request.Members(body)) == 2
	}
	for r := rune(1); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) || r == utf8.RuneError {
			continue
		}
		others := []string{string(unicode.ToLower(r)), string(unicode.ToUpper(r)), string(unicode.ToTitle(r)), strings.ToLower(string(r)), strings.ToUpper(string(r))}
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			others = append(others, string(f))
		}
		for _, other := range others {
			if other != string(r) && both(string(r), other) {
				t.Errorf("%q and %q are two names", r, other)
			}
		}
	}
}

// FuzzBodyMembers holds the list against encoding/json: a listed name is one
// that a map and a struct both read, the same value of it, and the only one.
func FuzzBodyMembers(f *testing.F) {
	for _, seed := range []string{
		`{"amount":1200,"payee":"a"}`, `{"a":1,"A":2,"b":{"a":[1,{"c":"}"}]}}`, `{"\u0061":1,"a":2}`, `{"k":1,"` + "\u212a" + `":2}`,
		`[{"a":1}]`, `{"a":"\\\"","b":1}`, `{"\ud800":1}`, "{\"\xff\":1}", `{}`, ` { "a" : 1 } `, `{"a":1}{"a":1}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got := request.Members(body)
		var object map[string]json.RawMessage
		if err := json.Unmarshal(body, &object); err != nil || object == nil || !utf8.Valid(body) {
			if got != nil {
				t.Fatalf("%q has %q, and is no object: %v", body, got, err)
			}
			return
		}
		names := everyName(t, body)
		for _, name := range got {
			if _, ok := object[name]; !ok {
				t.Fatalf("%q: encoding/json does not find %q", body, name)
			}
			n := 0
			for _, other := range names {
				if strings.EqualFold(name, other) {
					n++
				}
			}
			if n != 1 {
				t.Fatalf("%q: %q occurs %d times", body, name, n)
			}
		}
		if !within(names, body) || strings.ContainsFunc(strings.Join(names, ""), func(r rune) bool { return r >= utf8.RuneSelf }) {
			return // it has too many, or names that are cut or replaced, or that more than encoding/json takes for one
		}
		for _, name := range names {
			n := 0
			for _, other := range names {
				if strings.EqualFold(name, other) {
					n++
				}
			}
			if n == 1 && len(name) <= 128 && !slices.Contains(got, name) {
				t.Fatalf("%q: %q is missing in %q", body, name, got)
			}
		}
	})
}

// everyName reads the names at the top with encoding/json's tokens.
func everyName(t *testing.T, body []byte) (names []string) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, key.(string))
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
	}
	return names
}

// within reports whether an object is one whose members are listed.
func within(names []string, body []byte) bool {
	depth, deepest := 0, 0
	d := json.NewDecoder(bytes.NewReader(body))
	for {
		token, err := d.Token()
		if err != nil {
			break
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
			deepest = max(deepest, depth)
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
	return len(names) <= 256 && deepest <= 64 && !strings.ContainsAny(strings.Join(names, ""), "\x00\uFFFD")
}
