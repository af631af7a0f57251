package config

import (
	"cmp"
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// MaxFile bounds what Load reads, so that a wrong path is an error and no
// exhausted memory.
const MaxFile = 1 << 20

// Decode reads data, a TOML document, into v, a pointer to a struct whose
// fields have toml tags. It is strict: an unknown key, a value of the wrong
// type and a missing key are errors. A key is required where the tag says so:
//
//	ID string `toml:"id,required"`
//
// Keys may belong together: "with=rp_id" is for a key that must be there when
// the key rp_id is in the same table, and must not when it is not; "for=rp_id" is
// the first half of that, "beside=rp_id" the second.
//
// A table may be missing as a whole unless its own field is required or one of
// its keys is and the field is no pointer. Fields that data does not name keep
// the value that v brings. The error joins an *Error for everything that is
// wrong, in the order of the lines.
func Decode(data []byte, v any) error {
	var doc map[string]any
	if err := toml.Unmarshal(data, &doc); err != nil {
		return syntaxError(data, err)
	}
	target := reflect.ValueOf(v)
	if target.Kind() != reflect.Pointer || target.Elem().Kind() != reflect.Struct {
		return fmt.Errorf("config: cannot decode into %T", v)
	}
	c := checker{lines: keyLines(data)}
	c.table("", doc, target.Elem().Type())
	if len(c.errs) > 0 {
		slices.SortStableFunc(c.errs, func(a, b *Error) int { // what has no line comes last
			return cmp.Or(cmp.Compare(uint(a.Line-1), uint(b.Line-1)), strings.Compare(a.Key, b.Key))
		})
		var all []error
		for _, e := range c.errs {
			all = append(all, e)
		}
		return errors.Join(all...)
	}
	if err := toml.Unmarshal(data, v); err != nil {
		return syntaxError(data, err)
	}
	return nil
}

// Line returns the line of the key at path in data, counted from 1. A key that
// is not there has the line of the nearest table that is; 0 means that there
// is none. Elements are counted from 0: "app[0].android.min_level".
func Line(data []byte, path string) int { return keyLines(data).find(path) }

// syntaxError turns an error of the TOML library into one of ours. The library
// names a key that occurs twice without the tables around it.
func syntaxError(data []byte, err error) error {
	e := &Error{Reason: strings.TrimPrefix(err.Error(), "toml: ")}
	var de *toml.DecodeError
	if errors.As(err, &de) {
		e.Line, _ = de.Position()
		e.Key = keyAt(data, e.Line, strings.Join(de.Key(), "."))
	}
	return e
}

// checker compares a parsed document with the type that it will be decoded
// into. The TOML library alone would take keys in any case.
type checker struct {
	lines lines
	errs  []*Error
}

func (c *checker) fail(path, format string, args ...any) {
	c.errs = append(c.errs, &Error{Line: c.lines.find(path), Key: path, Reason: fmt.Sprintf(format, args...)})
}

// table checks a table against the struct type t.
func (c *checker) table(path string, m map[string]any, t reflect.Type) {
	fields := fieldsOf(t)
	for key, value := range m {
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == key })
		if i < 0 {
			c.fail(join(path, key), "unknown key%s", suggest(key, fields))
			continue
		}
		c.value(join(path, key), value, fields[i].typ)
		if beside := fields[i].only; beside != "" && !has(m, beside) {
			c.fail(join(path, key), "is of no use without %s; write %[1]s and what it needs, or take this out", beside)
		}
	}
	for _, f := range fields {
		if _, ok := m[f.name]; ok {
			continue
		}
		at := join(path, f.name)
		switch {
		case f.required:
			c.fail(at, "missing; the key is required")
		case f.needed != "" && !has(m, f.needed):
		case f.needed != "" && f.typ.Kind() == reflect.Pointer && isTable(f.typ.Elem()):
			c.table(at, nil, f.typ.Elem()) // each of its keys is named
		case f.needed != "":
			c.fail(at, "missing; with %s the key is required, and `staunch config print` shows a value", f.needed)
		case f.typ.Kind() == reflect.Struct && !isText(f.typ):
			c.table(at, nil, f.typ) // a required key of a table that is not there
		}
	}
}

func has(m map[string]any, key string) bool {
	_, ok := m[key]
	return ok
}

// value checks one value against the type t.
func (c *checker) value(path string, v any, t reflect.Type) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if isText(t) {
		s, ok := v.(string)
		if !ok {
			c.fail(path, "want a string, found %s", tomlKind(v))
			return
		}
		if err := reflect.New(t).Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(s)); err != nil {
			c.fail(path, "%s", err)
		}
		return
	}
	ok := true
	switch t.Kind() {
	case reflect.Interface:
	case reflect.String:
		_, ok = v.(string)
	case reflect.Bool:
		_, ok = v.(bool)
	case reflect.Float32, reflect.Float64:
		switch v.(type) {
		case float64, int64:
		default:
			ok = false
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		var n int64
		if n, ok = v.(int64); ok && reflect.Zero(t).OverflowInt(n) {
			c.fail(path, "%d is too large or too small", n)
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		var n int64
		if n, ok = v.(int64); ok && (n < 0 || reflect.Zero(t).OverflowUint(uint64(n))) {
			c.fail(path, "%d is too large or too small", n)
		}
	case reflect.Slice:
		var list []any
		if list, ok = v.([]any); ok {
			for i, e := range list {
				c.value(fmt.Sprintf("%s[%d]", path, i), e, t.Elem())
			}
		}
	case reflect.Map:
		var m map[string]any
		if m, ok = v.(map[string]any); ok {
			for key, e := range m {
				c.value(join(path, key), e, t.Elem())
			}
		}
	case reflect.Struct:
		if isTime(t) {
			ok = reflect.TypeOf(v) == t
			break
		}
		var m map[string]any
		if m, ok = v.(map[string]any); ok {
			c.table(path, m, t)
		}
	default:
		ok = false
	}
	if !ok {
		c.fail(path, "want %s, found %s", goKind(t), tomlKind(v))
	}
}
