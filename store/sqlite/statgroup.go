package sqlite

import (
	"cmp"
	"strconv"

	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/store/sqlite/engine"
)

// statDim is a dim of the rows that are read. Each value that it has had has a
// number, so that a row's groups are found without its texts: of most rows a value
// is that of the row before, for they come in the order of their keys.
type statDim struct {
	name   registry.Dim
	column int   // of the row
	per    int64 // a number is divided by it; 0: a text
	now    int32 // number of the value of the row that was read last
	values []statValue
	texts  map[string]int32
	ints   map[int64]int32
}

// statValue is a value as reports have it, and as it is ordered.
type statValue struct {
	text string
	n    int64
}

// newStatDim makes a dim. Its value 0 is that of nothing: the empty text or 0.
func newStatDim(name registry.Dim, column int) *statDim {
	d := &statDim{name: name, column: column, texts: map[string]int32{}, ints: map[int64]int32{}}
	switch name {
	case registry.DimDay:
		d.per = 24
	case registry.DimHour, registry.DimPosition:
		d.per = 1
	}
	if d.per > 0 {
		d.ofNumber(0)
	} else {
		d.ofText("")
	}
	return d
}

// read takes the value of a row.
func (d *statDim) read(row *engine.Stmt) {
	if d.per > 0 {
		if n := row.Number(d.column) / d.per; n != d.values[d.now].n {
			d.now = d.ofNumber(n)
		}
		return
	}
	text := row.Bytes(d.column)
	if string(text) == d.values[d.now].text {
		return
	}
	if known, ok := d.texts[string(text)]; ok { // without a copy of it
		d.now = known
		return
	}
	d.now = d.ofText(string(text))
}

// of is the number of a value.
func (d *statDim) of(value any) int32 {
	if n, is := value.(int64); is {
		return d.ofNumber(n)
	}
	text, _ := value.(string)
	return d.ofText(text)
}

// ofText is the number of a text.
func (d *statDim) ofText(text string) int32 {
	n, known := d.texts[text]
	if !known {
		n = int32(len(d.values))
		d.texts[text], d.values = n, append(d.values, statValue{text: text})
	}
	return n
}

// ofNumber is the number of a value that is one itself.
func (d *statDim) ofNumber(value int64) int32 {
	n, known := d.ints[value]
	if !known {
		n = int32(len(d.values))
		d.ints[value], d.values = n, append(d.values, statValue{strconv.FormatInt(value, 10), value})
	}
	return n
}

// statIndex numbers the groups of a query, in the order in which their first rows
// come. One dim has a table by its values. Of several, the number of the first value
// and the second one together have a number, and so on to the last, which is that of
// the group: each in a map, for a table of all combinations could have no bounds.
type statIndex struct {
	by     []*statDim
	groups [][]int32 // numbers of their values
	table  []int32   // groups by the value of the only dim, plus 1; 0: there is none
	deeper []map[uint64]int32
	last   int // group of the row before; -1: there was none
}

func newStatIndex(by []*statDim) *statIndex {
	x := &statIndex{by: by, last: -1}
	for range max(len(by)-1, 0) {
		x.deeper = append(x.deeper, map[uint64]int32{})
	}
	return x
}

// group is the number of the group of the row that was read last.
func (x *statIndex) group() int {
	if x.last >= 0 && x.same(x.groups[x.last]) {
		return x.last
	}
	known := false
	switch len(x.by) {
	case 0:
		x.last, known = 0, len(x.groups) > 0
	case 1:
		x.last, known = x.only(x.by[0].now)
	default:
		at := x.by[0].now
		for i, next := range x.deeper {
			key := uint64(at)<<32 | uint64(x.by[i+1].now)
			if at, known = next[key]; !known {
				at = int32(len(next))
				next[key] = at
			}
		}
		x.last = int(at)
	}
	if !known {
		values := make([]int32, len(x.by))
		for i, d := range x.by {
			values[i] = d.now
		}
		x.groups = append(x.groups, values)
	}
	return x.last
}

// only is the group of a value of the only dim, which is in a table.
func (x *statIndex) only(value int32) (group int, known bool) {
	for int(value) >= len(x.table) {
		x.table = append(x.table, 0)
	}
	if known = x.table[value] > 0; !known {
		x.table[value] = int32(len(x.groups)) + 1
	}
	return int(x.table[value]) - 1, known
}

// same reports whether the row that was read last has these values.
func (x *statIndex) same(values []int32) bool {
	for i, d := range x.by {
		if d.now != values[i] {
			return false
		}
	}
	return true
}

// values are those of a group, as reports have them.
func (x *statIndex) values(group int) []string {
	out := make([]string, len(x.by))
	for i, d := range x.by {
		out[i] = d.values[x.groups[group][i]].text
	}
	return out
}

// current are the values of the row that was read last.
func (x *statIndex) current() []string {
	out := make([]string, len(x.by))
	for i, d := range x.by {
		out[i] = d.values[d.now].text
	}
	return out
}

// compare orders groups by their values.
func (x *statIndex) compare(a, b int) int {
	for i, d := range x.by {
		v, w := d.values[x.groups[a][i]], d.values[x.groups[b][i]]
		n := cmp.Compare(v.text, w.text)
		if d.per > 0 {
			n = cmp.Compare(v.n, w.n)
		}
		if n != 0 {
			return n
		}
	}
	return 0
}
