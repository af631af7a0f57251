package sqlite

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/store/sqlite/engine"
)

// TestStatPlans: statistics are read in one run over their hours, and hashes row by
// row, whatever is asked for; SQLite sorts nothing.
func TestStatPlans(t *testing.T) {
	s := openTest(t, filepath.Join(t.TempDir(), "a.db"))
	hours, hashes := "SEARCH attest_stat USING PRIMARY KEY (hour>? AND hour<?)", "SEARCH a USING PRIMARY KEY (stat=?)"
	of := func(all ...*registry.StatQuery) []*registry.StatQuery { return all }
	reasons := &registry.StatQuery{
		Findings: true, By: []registry.Dim{registry.DimCode}, Equal: map[registry.Dim]string{registry.DimEffect: "reject"},
	}
	for name, tt := range map[string]struct {
		queries []*registry.StatQuery
		join    string
		want    []string
	}{
		"total":             {of(&registry.StatQuery{}), "", []string{hours}},
		"by day and model":  {of(&registry.StatQuery{By: []registry.Dim{registry.DimDay, registry.DimModel}}), "", []string{hours}},
		"reasons":           {of(reasons), "", []string{hours}},
		"several":           {of(&registry.StatQuery{}, reasons), "", []string{hours}},
		"reasons of either": {of(&registry.StatQuery{NoAccounts: true}, &registry.StatQuery{Findings: true, NoAccounts: true}), "", []string{hours}},
		"accounts of a model": {of(&registry.StatQuery{
			By: []registry.Dim{registry.DimPlatform}, Equal: map[registry.Dim]string{registry.DimModel: "x"},
		}), joinAccounts, []string{hours, hashes}},
	} {
		r, err := newStatRead(tt.queries)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		err = s.readers.with(t.Context(), func(c *conn) error {
			return c.each(t.Context(), `EXPLAIN QUERY PLAN `+r.query(`count`, tt.join), r.args, func(row *engine.Stmt) error {
				var id, parent, unused int
				var detail string
				err := row.Scan(&id, &parent, &unused, &detail)
				got = append(got, detail)
				return err
			})
		})
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q, %v", name, got, tt.want, err)
		}
	}
}
