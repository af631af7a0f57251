package config

import (
	_ "embed"
	"encoding"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strconv"
	"strings"
)

// The structs with their comments are the one documentation of the keys.
//
//go:embed config.go
var source string

//go:embed app.go
var sourceOfApp string

//go:embed recovery.go
var sourceOfRecovery string

//go:embed transfer.go
var sourceOfTransfer string

//go:embed console.go
var sourceOfConsole string

// Sample is a configuration file with every key, each under its comment.
func Sample() (string, error) {
	docs, err := fieldDocs(source, sourceOfApp, sourceOfRecovery, sourceOfTransfer, sourceOfConsole)
	if err != nil {
		return "", err
	}
	w := sampleWriter{docs: docs}
	w.WriteString("# Configuration of staunch. `staunch config check FILE` checks a file like this.\n" +
		"# A key that is not marked as required may be left out.\n")
	w.table("", reflect.ValueOf(sample()))
	return w.String(), nil
}

// sampleWriter writes tables. Keys come before subtables, as TOML wants it.
type sampleWriter struct {
	strings.Builder
	docs map[string]string // "Config.Listen" → comment
}

func (w *sampleWriter) table(path string, v reflect.Value) {
	var later []func()
	for _, f := range fieldsOf(v.Type()) {
		name := v.Type().Name() + "." + v.Type().Field(f.index).Name
		value, at := v.Field(f.index), join(path, f.name)
		if f.typ.Kind() == reflect.Pointer {
			value, f.typ = value.Elem(), f.typ.Elem()
		}
		switch {
		case isTable(f.typ):
			later = append(later, func() {
				w.comment(name, f)
				fmt.Fprintf(w, "[%s]\n", at)
				w.table(at, value)
			})
		case f.typ.Kind() == reflect.Slice && f.typ.Elem().Kind() == reflect.Struct:
			later = append(later, func() {
				for i := range value.Len() {
					if !f.required {
						w.example(name, at, f, value.Index(i))
						continue
					}
					w.comment(name, f)
					fmt.Fprintf(w, "[[%s]]\n", at)
					w.table(at, value.Index(i))
				}
			})
		default:
			w.comment(name, f)
			text := tomlText(value)
			if text == `""` || f.silent {
				fmt.Fprintf(w, "# %s = %s\n", f.name, text) // left out: an empty path is none
				continue
			}
			fmt.Fprintf(w, "%s = %s\n", f.name, text)
		}
	}
	for _, f := range later {
		f()
	}
}

// example writes a table that is not in the defaults, all of it as comments.
func (w *sampleWriter) example(name, at string, f field, v reflect.Value) {
	w.comment(name, f)
	inner := sampleWriter{docs: w.docs}
	inner.table(at, v)
	fmt.Fprintf(w, "# [[%s]]\n", at)
	for line := range strings.Lines(inner.String()) {
		switch line = strings.TrimRight(line, "\n"); {
		case line == "":
			w.WriteString("#\n")
		case strings.HasPrefix(line, "#"):
			w.WriteString(line + "\n")
		default:
			w.WriteString("# " + line + "\n")
		}
	}
}

// comment writes the doc comment of a field.
func (w *sampleWriter) comment(name string, f field) {
	doc := w.docs[name]
	switch {
	case f.required:
		doc = "Required. " + doc
	case f.needed != "":
		doc = "Required with " + f.needed + ".\n" + doc
	}
	w.WriteString("\n")
	for line := range strings.Lines(doc) {
		w.WriteString("# " + strings.TrimRight(line, "\n") + "\n")
	}
}

// tomlText writes a scalar, or an array of them.
func tomlText(v reflect.Value) string {
	if t, ok := v.Interface().(encoding.TextMarshaler); ok {
		text, err := t.MarshalText()
		if err != nil {
			return strconv.Quote(err.Error())
		}
		return strconv.Quote(string(text))
	}
	if v.Kind() == reflect.String {
		return strconv.Quote(v.String())
	}
	if v.Kind() == reflect.Slice {
		var all []string
		for i := range v.Len() {
			all = append(all, tomlText(v.Index(i)))
		}
		return "[" + strings.Join(all, ", ") + "]"
	}
	return fmt.Sprint(v.Interface())
}

// fieldDocs reads the doc comments of all struct fields in Go files.
func fieldDocs(sources ...string) (map[string]string, error) {
	docs := map[string]string{}
	for _, src := range sources {
		file, err := parser.ParseFile(token.NewFileSet(), "config.go", src, parser.ParseComments)
		if err != nil {
			return nil, fmt.Errorf("config: cannot read the documentation of the keys: %w", err)
		}
		inspectDocs(file, docs)
	}
	return docs, nil
}

func inspectDocs(file *ast.File, docs map[string]string) {
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if st, ok := spec.Type.(*ast.StructType); ok {
			for _, f := range st.Fields.List {
				for _, name := range f.Names {
					docs[spec.Name.Name+"."+name.Name] = f.Doc.Text()
				}
			}
		}
		return true
	})
}
