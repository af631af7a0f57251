package sqlite

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/store/sqlite/engine"
)

// statRead is one read of rows for several queries. SQLite leaves out the rows that
// none of them wants.
type statRead struct {
	columns []string
	dims    []*statDim // that are read of a row
	of      []*statPart
	where   string
	args    []any
}

// statPart is what one query makes of the rows.
type statPart struct {
	index *statIndex
	left  []statTerm // what it wants of a row, and not all queries do
}

// statTerm is something that a row must be. Two that are equal mean the same.
type statTerm struct {
	name  registry.Dim
	value any  // a text or a number
	not   bool // it must be something else

	dim *statDim // where it is asked of a row that was read: the number of its value
	is  int32
}

// newStatRead makes the read. The queries must be of the same hours.
func newStatRead(all []*registry.StatQuery) (*statRead, error) {
	r := &statRead{args: []any{all[0].From, all[0].To}}
	for _, q := range all {
		if q.From != all[0].From || q.To != all[0].To {
			return nil, errors.New("queries of different hours in one read")
		}
		left, err := statTerms(q)
		if err != nil {
			return nil, err
		}
		var by []*statDim
		for _, name := range q.By {
			if statColumn(name) == "" {
				return nil, fmt.Errorf("no column %q", name)
			}
			by = append(by, r.dim(name))
		}
		r.of = append(r.of, &statPart{newStatIndex(by), left})
	}
	r.narrow()
	for _, p := range r.of {
		for i := range p.left {
			t := &p.left[i]
			t.dim = r.dim(t.name)
			t.is = t.dim.of(t.value)
		}
	}
	return r, nil
}

// statTerms are what a query wants of rows, in the order of the dims.
func statTerms(q *registry.StatQuery) ([]statTerm, error) {
	terms := []statTerm{{name: registry.DimCode, value: "", not: q.Findings}}
	for name, text := range q.Equal {
		t := statTerm{name: name, value: text}
		switch {
		case statColumn(name) == "":
			return nil, fmt.Errorf("no column %q", name)
		case isNumber(name):
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			t.value = n
		}
		terms = append(terms, t)
	}
	slices.SortStableFunc(terms[1:], func(a, b statTerm) int { return strings.Compare(string(a.name), string(b.name)) })
	return terms, nil
}

// narrow writes the condition, and takes from the queries what all of them want.
func (r *statRead) narrow() {
	r.where = `hour >= ? AND hour < ?`
	for _, t := range slices.Clone(r.of[0].left) {
		lacks := func(p *statPart) bool { return !slices.Contains(p.left, t) }
		if slices.ContainsFunc(r.of, lacks) {
			continue
		}
		r.where += ` AND ` + r.term(t)
		for _, p := range r.of {
			p.left = slices.DeleteFunc(p.left, func(other statTerm) bool { return other == t })
		}
	}
	var any []*statPart
	for _, p := range r.of {
		if len(p.left) == 0 { // it wants all the others want, and more
			return
		}
		if !slices.ContainsFunc(any, func(other *statPart) bool { return slices.Equal(other.left, p.left) }) {
			any = append(any, p)
		}
	}
	for i, p := range any {
		r.where += []string{` AND (`, ` OR `}[min(i, 1)]
		for j, t := range p.left {
			r.where += []string{``, ` AND `}[min(j, 1)] + r.term(t)
		}
	}
	r.where += `)`
	r.spare()
}

// spare takes from the queries what all those want that ask for findings, or all that
// ask for attempts: of the two, a row that is there for one has it. So a column of
// findings need not be read of attempts.
func (r *statRead) spare() {
	was := make([][]statTerm, len(r.of))
	for i, p := range r.of {
		was[i] = p.left
	}
	for i, p := range r.of {
		kind := func(t statTerm) bool { return t.name == registry.DimCode && t.value == "" }
		mine := slices.IndexFunc(was[i], kind)
		p.left = slices.DeleteFunc(slices.Clone(was[i]), func(t statTerm) bool {
			return !kind(t) && !slices.ContainsFunc(was, func(other []statTerm) bool {
				alike := mine < 0 || slices.Contains(other, was[i][mine])
				return alike && !slices.Contains(other, t)
			})
		})
	}
}

// term writes a term.
func (r *statRead) term(t statTerm) string {
	r.args = append(r.args, t.value)
	if t.not {
		return statColumn(t.name) + ` <> ?`
	}
	return statColumn(t.name) + ` = ?`
}

// dim is the dim of a name, of which there is one.
func (r *statRead) dim(name registry.Dim) *statDim {
	if i := slices.IndexFunc(r.dims, func(d *statDim) bool { return d.name == name }); i >= 0 {
		return r.dims[i]
	}
	column := string(name)
	if name == registry.DimDay {
		column = "hour"
	}
	at := slices.Index(r.columns, column)
	if at < 0 {
		at = len(r.columns)
		r.columns = append(r.columns, column)
	}
	d := newStatDim(name, at)
	r.dims = append(r.dims, d)
	return d
}

// query is what is asked of SQLite: first come the columns of the dims.
func (r *statRead) query(more, join string) string {
	return `SELECT ` + strings.Join(append(slices.Clone(r.columns), more), `, `) + ` FROM attest_stat ` + join + ` WHERE ` + r.where
}

// row takes the values of a row.
func (r *statRead) row(row *engine.Stmt) {
	for _, d := range r.dims {
		d.read(row)
	}
}

// wants reports whether the row that was read last is one for the query.
func (p *statPart) wants() bool {
	for i := range p.left {
		if t := &p.left[i]; (t.dim.now == t.is) == t.not {
			return false
		}
	}
	return true
}

func isNumber(d registry.Dim) bool {
	return d == registry.DimHour || d == registry.DimDay || d == registry.DimPosition
}

// statColumn is the column, or the term, of a dim; empty: there is none.
func statColumn(d registry.Dim) string {
	switch {
	case d == registry.DimDay:
		return "hour / 24"
	case slices.Contains(registry.Dims(), d):
		return string(d)
	}
	return ""
}
