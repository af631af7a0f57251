package sqlite

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/store/sqlite/engine"
)

// Rows of statistics lie in the order of their hours, and are read in one run. They
// are put into groups here and not by GROUP BY, for which SQLite sorts them all: that
// takes several times as long as to read them.

// SumStats calls yield for every group, most attempts first.
func (tx *Tx) SumStats(ctx context.Context, q *registry.StatQuery, yield func(registry.StatSum) error) error {
	by, from, args, err := statQuery(q, ``)
	if err != nil {
		return tx.fail("statistics", err)
	}
	g := newStatGroups[registry.StatSum](q)
	at := len(q.By)
	err = tx.statRows(ctx, `SELECT `+by+`verdict, count, accounts `+from, args, func(row *engine.Stmt) error {
		s := g.of(row)
		n := row.Number(at + 1)
		s.Attempts += n
		switch string(row.Bytes(at)) {
		case "accept":
			s.Accepted += n
		case "reject":
			s.Rejected += n
		case "would_deny":
			s.WouldDeny += n
		}
		s.Accounts = max(s.Accounts, int(row.Number(at+2)))
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(g.all, func(a, b *statGroup[registry.StatSum]) int {
		return cmp.Or(cmp.Compare(b.value.Attempts, a.value.Attempts), g.compare(a, b))
	})
	for i, one := range g.all {
		if q.Limit > 0 && i == q.Limit {
			break
		}
		one.value.By = one.by
		if err := yield(one.value); err != nil {
			return err
		}
	}
	return nil
}

// CountStatAccounts calls yield with the number of distinct hashes in every
// group and period of so many hours.
func (tx *Tx) CountStatAccounts(ctx context.Context, q *registry.StatQuery, hours int64, yield func([]string, int64, int64) error) error {
	by, from, args, err := statQuery(q, joinAccounts)
	if err != nil {
		return tx.fail("statistics", err)
	}
	type distinct map[int64]map[string]struct{} // hashes by period
	g := newStatGroups[distinct](q)
	at := len(q.By)
	row, known := int64(-1), map[string]struct{}(nil)
	err = tx.statRows(ctx, `SELECT `+by+`hour, id, a.account `+from, args, func(s *engine.Stmt) error {
		if id := s.Number(at + 1); id != row {
			d := g.of(s)
			if *d == nil {
				*d = distinct{}
			}
			period := s.Number(at) / hours
			if (*d)[period] == nil {
				(*d)[period] = map[string]struct{}{}
			}
			row, known = id, (*d)[period]
		}
		if hash := s.Bytes(at + 2); !has(known, hash) {
			known[string(hash)] = struct{}{}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, one := range g.all {
		for _, period := range slices.Sorted(maps.Keys(one.value)) {
			if err := yield(one.by, period, int64(len(one.value[period]))); err != nil {
				return err
			}
		}
	}
	return nil
}

// has looks without a copy of hash.
func has(all map[string]struct{}, hash []byte) bool {
	_, ok := all[string(hash)]
	return ok
}

// StatAccounts calls yield for every row that has hashes, with all of them.
func (tx *Tx) StatAccounts(ctx context.Context, q *registry.StatQuery, yield func([]string, [][]byte) error) error {
	by, from, args, err := statQuery(q, joinAccounts)
	if err != nil {
		return tx.fail("statistics", err)
	}
	g := newStatGroups[struct{}](q)
	at := len(q.By)
	row, values, hashes := int64(-1), []string(nil), [][]byte(nil)
	err = tx.statRows(ctx, `SELECT `+by+`id, a.account `+from, args, func(s *engine.Stmt) error {
		if id := s.Number(at); id != row {
			if len(hashes) > 0 {
				if err := yield(values, hashes); err != nil {
					return err
				}
			}
			row, values, hashes = id, g.read(s), hashes[:0]
		}
		hashes = append(hashes, bytes.Clone(s.Bytes(at+1)))
		return nil
	})
	if err != nil || len(hashes) == 0 {
		return err
	}
	return yield(values, hashes)
}

// joinAccounts goes from the rows to their hashes: CROSS says that it is not to be
// done the other way round.
const joinAccounts = `CROSS JOIN attest_stat_account a ON a.stat = attest_stat.id`

// statGroups are those of a query, of which each row is in one.
type statGroups[T any] struct {
	number []bool // whether a dim is a number, by its place
	index  map[string]*statGroup[T]
	all    []*statGroup[T]
	buf    []byte
}

// statGroup is one, by the values of its dims.
type statGroup[T any] struct {
	by      []string
	numbers []int64
	value   T
}

func newStatGroups[T any](q *registry.StatQuery) *statGroups[T] {
	g := &statGroups[T]{index: map[string]*statGroup[T]{}}
	for _, d := range q.By {
		g.number = append(g.number, isNumber(d))
	}
	return g
}

// of is the group of a row, whose first columns are the dims.
func (g *statGroups[T]) of(row *engine.Stmt) *T {
	g.buf = g.buf[:0]
	for i, number := range g.number {
		if number {
			g.buf = binary.AppendVarint(g.buf, row.Number(i))
			continue
		}
		text := row.Bytes(i)
		g.buf = append(binary.AppendUvarint(g.buf, uint64(len(text))), text...)
	}
	one := g.index[string(g.buf)]
	if one == nil {
		one = &statGroup[T]{numbers: make([]int64, len(g.number)), by: g.read(row)}
		for i, number := range g.number {
			if number {
				one.numbers[i] = row.Number(i)
			}
		}
		g.index[string(g.buf)], g.all = one, append(g.all, one)
	}
	return &one.value
}

// read gives the values of the dims as texts.
func (g *statGroups[T]) read(row *engine.Stmt) []string {
	out := make([]string, len(g.number))
	for i, number := range g.number {
		if number {
			out[i] = strconv.FormatInt(row.Number(i), 10)
		} else {
			out[i] = string(row.Bytes(i))
		}
	}
	return out
}

// compare orders groups by their values.
func (g *statGroups[T]) compare(a, b *statGroup[T]) int {
	for i, number := range g.number {
		n := cmp.Compare(a.by[i], b.by[i])
		if number {
			n = cmp.Compare(a.numbers[i], b.numbers[i])
		}
		if n != 0 {
			return n
		}
	}
	return 0
}

// statQuery gives the columns of the groups, with a comma after each, and what
// comes after them.
func statQuery(q *registry.StatQuery, join string) (by, from string, args []any, err error) {
	having := "="
	if q.Findings {
		having = "<>"
	}
	from = `FROM attest_stat ` + join + ` WHERE hour >= ? AND hour < ? AND code ` + having + ` ''`
	args = []any{q.From, q.To}
	for d, value := range q.Equal {
		arg := any(value)
		if isNumber(d) {
			if arg, err = strconv.ParseInt(value, 10, 64); err != nil {
				return "", "", nil, fmt.Errorf("%s: %w", d, err)
			}
		}
		from += ` AND ` + statColumn(d) + ` = ?`
		args = append(args, arg)
	}
	for _, d := range append(slices.Collect(maps.Keys(q.Equal)), q.By...) {
		if statColumn(d) == "" {
			return "", "", nil, fmt.Errorf("no column %q", d)
		}
	}
	return columns(q), from, args, nil
}

// statRows runs a query whose text depends on what is asked for, so that it is
// not among the statements that are kept prepared.
func (tx *Tx) statRows(ctx context.Context, query string, args []any, scan func(*engine.Stmt) error) error {
	if tx.failed != nil {
		return tx.failed
	}
	if err := tx.conn.each(ctx, query, args, scan); err != nil {
		return tx.fail("statistics", err)
	}
	return nil
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

func columns(q *registry.StatQuery) string {
	var b strings.Builder
	for _, d := range q.By {
		b.WriteString(statColumn(d) + ", ")
	}
	return b.String()
}
