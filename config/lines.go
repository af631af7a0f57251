package config

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// lines maps the path of a key to the line where it stands first.
type lines map[string]int

// find returns the line of path, or of what encloses it.
func (l lines) find(path string) int {
	for path != "" {
		if n, ok := l[path]; ok {
			return n
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return 0
}

// join appends a key to a path.
func join(path, key string) string {
	if key == "" || strings.ContainsAny(key, ".[] \t\"'") {
		key = strconv.Quote(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// lineWalker collects the lines of a document.
type lineWalker struct {
	data   []byte
	lines  lines
	arrays map[string]int // path of an array of tables → index of its last table
	places []place        // every key, also one that occurs twice
}

// place is where a path stands.
type place struct {
	path string
	line int
}

// keyLines is where every key stands first.
func keyLines(data []byte) lines { return walk(data).lines }

// keyAt returns the path of the key on a line whose name ends in name, or name
// if there is none.
func keyAt(data []byte, line int, name string) string {
	if name == "" {
		return ""
	}
	path := name
	for _, p := range walk(data).places {
		if p.line == line && strings.HasSuffix("."+withoutIndices(p.path), "."+name) {
			path = p.path
		}
	}
	return path
}

// withoutIndices is "app.android" for "app[0].android".
func withoutIndices(path string) string {
	var b strings.Builder
	for path != "" {
		name, rest, _ := strings.Cut(path, "[")
		b.WriteString(name)
		_, path, _ = strings.Cut(rest, "]")
	}
	return b.String()
}

// walk goes through data as far as it can be parsed.
func walk(data []byte) *lineWalker {
	w := lineWalker{data: data, lines: lines{}, arrays: map[string]int{}}
	var p unstable.Parser
	p.Reset(data)
	table := ""
	for p.NextExpression() {
		e := p.Expression()
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = w.header(e)
		case unstable.KeyValue:
			w.keyValue(table, e)
		}
	}
	return &w
}

// header returns the path of a [table] or [[array of tables]]. In such a path
// the name of an array means its last table (TOML 1.0, "Array of Tables").
func (w *lineWalker) header(e *unstable.Node) string {
	path := ""
	keys := e.Key()
	for keys.Next() {
		k := keys.Node()
		path = join(path, string(k.Data))
		w.note(path, k)
		if keys.IsLast() && e.Kind == unstable.ArrayTable {
			n, ok := w.arrays[path]
			if ok {
				n++
			}
			w.arrays[path] = n
		}
		if n, ok := w.arrays[path]; ok {
			path = fmt.Sprintf("%s[%d]", path, n)
			w.note(path, k)
		}
	}
	return path
}

// keyValue notes a key, which may be dotted, and what is inside its value.
func (w *lineWalker) keyValue(path string, e *unstable.Node) {
	keys := e.Key()
	for keys.Next() {
		path = join(path, string(keys.Node().Data))
		w.note(path, keys.Node())
	}
	w.value(path, e.Value())
}

func (w *lineWalker) value(path string, v *unstable.Node) {
	children := v.Children()
	switch v.Kind {
	case unstable.InlineTable:
		for children.Next() {
			w.keyValue(path, children.Node())
		}
	case unstable.Array:
		for i := 0; children.Next(); i++ {
			element := fmt.Sprintf("%s[%d]", path, i)
			w.note(element, children.Node())
			w.value(element, children.Node())
		}
	}
}

// note keeps the line of a node unless its path is known. A value without a
// place of its own has the line of what encloses it.
func (w *lineWalker) note(path string, n *unstable.Node) {
	if n.Raw.Length == 0 {
		return
	}
	line := 1 + bytes.Count(w.data[:n.Raw.Offset], []byte("\n"))
	w.places = append(w.places, place{path, line})
	if _, known := w.lines[path]; !known {
		w.lines[path] = line
	}
}
