package sqlite

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
)

// TestSearchPlans: no search sorts, or reads through a table. The texts of the
// queries are asked for by running them.
func TestSearchPlans(t *testing.T) {
	s := openTest(t, filepath.Join(t.TempDir(), "a.db"))
	db := raw(t, s.path)
	id := account.ID("a_aaaaaaaaaaaaaaaaaaaaaaaaaa")
	after := audit.Place{Time: time.UnixMicro(5), Account: id, N: 3}
	for _, tt := range []struct {
		name, want string
		q          audit.Query
	}{
		{"an account", "USING PRIMARY KEY (account=? AND n<?)", audit.Query{Account: &id, After: after}},
		{"an action", "USING INDEX audit_entry_action (action=? AND time>? AND (time,account,n)<(?,?,?))", audit.Query{Action: "a", After: after}},
		{"operators", "USING INDEX audit_entry_operator (time>? AND (time,account,n)<(?,?,?))", audit.Query{Kind: account.Operator, After: after}},
		{"all", "USING INDEX audit_entry_time (time>? AND (time,account,n)<(?,?,?))", audit.Query{After: after}},
	} {
		query, args := auditQuery(&tt.q, 10)
		rows, err := db.Query("EXPLAIN QUERY PLAN "+query, args...)
		if err != nil {
			t.Fatal(err)
		}
		var plan []string
		for rows.Next() {
			var a, b, c int
			var text string
			if err := rows.Scan(&a, &b, &c, &text); err != nil {
				t.Fatal(err)
			}
			plan = append(plan, text)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		rows.Close()
		if len(plan) != 1 || !strings.Contains(plan[0], tt.want) {
			t.Errorf("%s: %q, want one step %q", tt.name, plan, tt.want)
		}
	}
}
