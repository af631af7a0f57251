package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFit: what says least goes first, and no number but 0 goes at all.
func TestFit(t *testing.T) {
	columns := []column{{"MODEL", false}, {"", false}, {"REJECTED", true}, {"WOULD DENY", true}}
	rows := [][]string{{"Sony SOV37", "█████░░░░░", "3", "0"}, nil, {"total", "█████░░░░░", "3", "0"}}
	full := "MODEL                   REJECTED  WOULD DENY\nSony SOV37  █████░░░░░         3           0\n" + strings.Repeat("─", 44) + "\ntotal       █████░░░░░         3           0\n"
	for width, want := range map[int]string{
		0: full, 44: full,
		43: "MODEL       REJECTED  WOULD DENY\nSony SOV37         3           0\n" + strings.Repeat("─", 32) + "\ntotal              3           0\n",
		31: "MODEL       REJECTED\nSony SOV37         3\n" + strings.Repeat("─", 20) + "\ntotal              3\n",
		5:  "MODEL       REJECTED\nSony SOV37         3\n" + strings.Repeat("─", 20) + "\ntotal              3\n",
	} {
		c, r, kept := fit(columns, rows, []int{1, 2, 3}, width)
		var b strings.Builder
		writeTable(&b, false, c, r, func(_, column int, text string) string {
			if columns[kept[column]].name != c[column].name {
				t.Errorf("width %d: column %d was %q", width, column, columns[kept[column]].name)
			}
			return text
		})
		if diff := cmp.Diff(want, b.String()); diff != "" {
			t.Errorf("width %d: %s", width, diff)
		}
	}
	if len(rows[0]) != 4 || columns[1].name != "" {
		t.Error("the table itself was changed")
	}
}
