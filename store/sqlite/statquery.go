package sqlite

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/store/sqlite/engine"
)

// Rows of statistics lie in the order of their hours, and are read in one run. They
// are put into groups here and not by GROUP BY, for which SQLite sorts them all: that
// takes several times as long as to read them. And so one run answers many questions.

// SumStats calls yield for every group of every query, most attempts first.
func (tx *Tx) SumStats(ctx context.Context, all []*registry.StatQuery, yield func(query int, s registry.StatSum) error) error {
	if len(all) == 0 {
		return nil
	}
	r, err := newStatRead(all)
	if err != nil {
		return tx.fail("statistics", err)
	}
	sums := make([][]registry.StatSum, len(all))
	at, columns := len(r.columns), `verdict, count`
	accounts := slices.ContainsFunc(all, func(q *registry.StatQuery) bool { return !q.NoAccounts })
	if accounts {
		columns += `, accounts`
	}
	err = tx.statRows(ctx, r.query(columns, ``), r.args, func(row *engine.Stmt) error {
		r.row(row)
		verdict, n, most := row.Bytes(at), row.Number(at+1), 0
		if accounts {
			most = int(row.Number(at + 2))
		}
		one := registry.StatSum{Attempts: n}
		switch string(verdict) {
		case "accept":
			one.Accepted = n
		case "reject":
			one.Rejected = n
		case "would_deny":
			one.WouldDeny = n
		}
		for i, p := range r.of {
			if !p.wants() {
				continue
			}
			g := p.index.group()
			if g == len(sums[i]) {
				sums[i] = append(sums[i], registry.StatSum{})
			}
			s := &sums[i][g]
			s.Attempts += n
			s.Accepted += one.Accepted
			s.Rejected += one.Rejected
			s.WouldDeny += one.WouldDeny
			s.Accounts = max(s.Accounts, most)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, p := range r.of {
		if err := p.ranked(sums[i], all[i].Limit, func(s registry.StatSum) error { return yield(i, s) }); err != nil {
			return err
		}
	}
	return nil
}

// ranked calls yield for the groups of a query, most attempts first, up to a limit.
func (p *statPart) ranked(sums []registry.StatSum, limit int, yield func(registry.StatSum) error) error {
	order := make([]int, len(sums))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(sums[b].Attempts, sums[a].Attempts), p.index.compare(a, b))
	})
	if limit > 0 {
		order = order[:min(limit, len(order))]
	}
	for _, g := range order {
		sums[g].By = p.index.values(g)
		if err := yield(sums[g]); err != nil {
			return err
		}
	}
	return nil
}

// CountStatAccounts calls yield with the number of distinct hashes in every
// group and period of so many hours.
func (tx *Tx) CountStatAccounts(ctx context.Context, q *registry.StatQuery, hours int64, yield func([]string, int64, int64) error) error {
	r, err := newStatRead([]*registry.StatQuery{q})
	if err != nil {
		return tx.fail("statistics", err)
	}
	type distinct map[int64]map[string]struct{} // hashes by period
	var groups []distinct
	index, at := r.of[0].index, len(r.columns)
	row, known := int64(-1), map[string]struct{}(nil)
	err = tx.statRows(ctx, r.query(`hour, id, a.account`, joinAccounts), r.args, func(s *engine.Stmt) error {
		if id := s.Number(at + 1); id != row {
			r.row(s)
			g := index.group()
			if g == len(groups) {
				groups = append(groups, distinct{})
			}
			period := s.Number(at) / hours
			if groups[g][period] == nil {
				groups[g][period] = map[string]struct{}{}
			}
			row, known = id, groups[g][period]
		}
		if hash := s.Bytes(at + 2); !has(known, hash) {
			known[string(hash)] = struct{}{}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for g, d := range groups {
		for _, period := range slices.Sorted(maps.Keys(d)) {
			if err := yield(index.values(g), period, int64(len(d[period]))); err != nil {
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
	r, err := newStatRead([]*registry.StatQuery{q})
	if err != nil {
		return tx.fail("statistics", err)
	}
	index, at := r.of[0].index, len(r.columns)
	row, values, hashes := int64(-1), []string(nil), [][]byte(nil)
	err = tx.statRows(ctx, r.query(`id, a.account`, joinAccounts), r.args, func(s *engine.Stmt) error {
		if id := s.Number(at); id != row {
			if len(hashes) > 0 {
				if err := yield(values, hashes); err != nil {
					return err
				}
			}
			r.row(s)
			row, values, hashes = id, index.current(), hashes[:0]
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
