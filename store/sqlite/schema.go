package sqlite

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/store"
	"github.com/staunchid/staunch/store/sqlite/engine"
)

// thing is a table, index, view or trigger.
type thing struct{ kind, name string }

// schemaChanges compares the schema with what the migrations make: a table or
// an index that somebody dropped, a trigger that somebody added.
func schemaChanges(ctx context.Context, c *conn) ([]audit.Problem, error) {
	have, err := things(ctx, c)
	if err != nil {
		return nil, err
	}
	want, err := migratedSchema(ctx)
	if err != nil {
		return nil, fmt.Errorf("expected schema: %w", err)
	}
	all := maps.Clone(want)
	maps.Copy(all, have)
	var out []audit.Problem
	for _, t := range slices.SortedFunc(maps.Keys(all), func(a, b thing) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.kind, b.kind))
	}) {
		h, there := have[t]
		w, wanted := want[t]
		switch {
		case !there:
			out = append(out, audit.Problem{Kind: store.BrokenSchema, Subject: t.kind + " " + t.name + " is missing"})
		case !wanted:
			out = append(out, audit.Problem{Kind: store.BrokenSchema, Subject: t.kind + " " + t.name + " does not belong here"})
		case h != w:
			out = append(out, audit.Problem{Kind: store.BrokenSchema, Subject: t.kind + " " + t.name + " is not as this program makes it"})
		}
	}
	return out, nil
}

// migratedSchema is the schema of a new store.
func migratedSchema(ctx context.Context) (map[thing]string, error) {
	steps, err := steps(migrations())
	if err != nil {
		return nil, err
	}
	db, err := engine.Open(":memory:")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	for _, text := range steps {
		if err := db.Exec(text); err != nil {
			return nil, err
		}
	}
	return things(ctx, &conn{db: db})
}

// things gives what a schema has, with its definition. Left out are the
// statistics that ANALYZE makes.
func things(ctx context.Context, c *conn) (map[thing]string, error) {
	out := map[thing]string{}
	err := c.each(ctx, `SELECT type, name, tbl_name || ' ' || coalesce(sql, '') FROM sqlite_schema WHERE name NOT GLOB 'sqlite_stat[1-4]'`, nil, func(s *engine.Stmt) error {
		var t thing
		var definition string
		err := s.Scan(&t.kind, &t.name, &definition)
		out[t] = definition
		return err
	})
	return out, err
}
