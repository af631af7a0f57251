package config

import (
	"encoding"
	"reflect"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// field is a key that a struct type takes.
type field struct {
	name     string
	required bool
	silent   bool   // the sample has its default as a comment
	needed   string // required beside the key of this name
	only     string // refused where the key of this name is missing
	typ      reflect.Type
	index    int
}

// isTable reports whether t is written as a table of its own.
func isTable(t reflect.Type) bool { return t.Kind() == reflect.Struct && !isText(t) && !isTime(t) }

// fieldsOf lists the keys of a struct type. A field without a tag has no key.
func fieldsOf(t reflect.Type) []field {
	var all []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, opts, _ := strings.Cut(f.Tag.Get("toml"), ",")
		if !f.IsExported() || name == "" || name == "-" {
			continue
		}
		one := field{name: name, typ: f.Type, index: i}
		for opt := range strings.SplitSeq(opts, ",") {
			opt, of, _ := strings.Cut(opt, "=")
			switch opt {
			case "required":
				one.required = true
			case "silent":
				one.silent = true
			case "with":
				one.needed, one.only = of, of
			case "for":
				one.needed = of
			case "beside":
				one.only = of
			}
		}
		all = append(all, one)
	}
	return all
}

// isText reports whether values of type t are written as text of their own.
func isText(t reflect.Type) bool {
	return !isTime(t) && reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// isTime reports whether t is one of TOML's kinds of time.
func isTime(t reflect.Type) bool {
	return t == reflect.TypeFor[time.Time]() || t == reflect.TypeFor[toml.LocalDate]() ||
		t == reflect.TypeFor[toml.LocalDateTime]() || t == reflect.TypeFor[toml.LocalTime]()
}

// goKind says in TOML's words what a type takes.
func goKind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "a boolean"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "an array"
	case reflect.Map:
		return "a table"
	case reflect.Struct:
		if isTime(t) {
			return "a date and time such as 2026-11-01T00:00:00Z"
		}
		return "a table"
	default:
		return "an integer"
	}
}

// tomlKind says what a decoded value is.
func tomlKind(v any) string {
	switch v.(type) {
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case int64:
		return "an integer"
	case float64:
		return "a float"
	case []any:
		return "an array"
	case map[string]any:
		return "a table"
	default:
		return "a date or time"
	}
}

// suggest names the field that a misspelt key is nearest to, if one is near.
func suggest(key string, fields []field) string {
	best, dist := "", 3
	for _, f := range fields {
		if d := distance(strings.ToLower(key), f.name); d < dist {
			best, dist = f.name, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// distance is the Levenshtein distance of a and b in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		prev := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := prev
			if a[i] != b[j] {
				cost++
			}
			prev = row[j+1]
			row[j+1] = min(cost, row[j]+1, prev+1)
		}
	}
	return row[len(b)]
}
