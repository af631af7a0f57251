package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/staunchid/staunch/attest/registry"
)

var updateGolden = flag.Bool("update", false, "write testdata/golden anew")

// golden compares with a file of testdata/golden, and wants lines that fit a terminal.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name)
	if *updateGolden {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
	for line := range strings.Lines(got) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 120 && !strings.HasPrefix(line, "{") {
			t.Errorf("a line of %d columns: %s", n, line)
		}
	}
}

var statNoon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func row(by []string, accepted, rejected, wouldDeny, accounts int64, atLeast bool) registry.StatRow {
	return registry.StatRow{
		By: by, Attempts: accepted + rejected + wouldDeny, Accepted: accepted, Rejected: rejected, WouldDeny: wouldDeny,
		Accounts: accounts, AtLeast: atLeast,
	}
}

// TestStatsGolden holds still what people and programs see.
func TestStatsGolden(t *testing.T) {
	batch := strings.Repeat("b1b57b86", 8)
	from := statNoon.Add(-24 * time.Hour)
	reports := map[string]*registry.StatReport{
		"models": {
			From: from, To: statNoon, By: []registry.Dim{registry.DimModel, registry.DimOperation, registry.DimCountry},
			Rows: []registry.StatRow{
				row([]string{"Google Pixel 8", "request", "JP"}, 120934, 12, 0, 513, true),
				row([]string{"Sony SOV37", "register", "JP"}, 31, 61, 9, 71, false),
				row([]string{batch, "register", "TW"}, 0, 3, 0, 3, false),
				row([]string{"", "register", "ZZ"}, 2, 0, 0, 2, false),
				row([]string{"a model \x1b[2J whose name is longer than a column is", "register", "JP"}, 1, 1, 0, 1, false),
			},
			Total: row(nil, 120968, 77, 9, 590, true), More: true,
		},
		"codes": {
			From: from, To: statNoon, Findings: true, By: []registry.Dim{registry.DimCode, registry.DimClass, registry.DimEffect, registry.DimPosition},
			Rows: []registry.StatRow{
				row([]string{"android.kd_unknown_tag", "policy", "note", "-1"}, 800, 1, 0, 300, false),
				row([]string{"android.ca_bit", "honest", "reject", "1"}, 0, 61, 9, 66, false),
			},
			Total: row(nil, 1000, 62, 9, 400, false),
		},
		"days": {
			From: from, To: statNoon, By: []registry.Dim{registry.DimDay},
			Rows:  []registry.StatRow{row([]string{"2026-11-20"}, 10, 0, 0, 3, false), row([]string{"2026-11-21"}, 7, 1, 0, 4, false)},
			Total: row(nil, 17, 1, 0, 5, false),
		},
		"total": {From: from, To: statNoon, Total: row(nil, 17, 1, 0, 5, false)},
		"no_such_finding": {
			From: from, To: statNoon, Findings: true, By: []registry.Dim{registry.DimCode}, Total: row(nil, 17, 0, 0, 5, false),
		},
		"nothing": {From: from, To: statNoon, By: []registry.Dim{registry.DimModel}},
	}
	for name, r := range reports {
		t.Run(name, func(t *testing.T) {
			var text, object bytes.Buffer
			if err := writeStats(&text, "demo", r, false); err != nil {
				t.Fatal(err)
			}
			golden(t, "stats_"+name+".txt", text.String())
			if strings.Contains(text.String(), "\x1b") {
				t.Error("a phone's text steers the terminal")
			}
			if err := writeJSON(&object, statsJSON("demo", r)); err != nil {
				t.Fatal(err)
			}
			golden(t, "stats_"+name+".json", object.String())
		})
	}
}

// TestPercent: only all is 100 %, and only none is 0 %.
func TestPercent(t *testing.T) {
	for share, want := range map[float64]string{
		0: "0.0 % ░░░░░░░░░░", 0.00001: "0.1 % █░░░░░░░░░", 0.5: "50.0 % █████░░░░░", 0.99999: "99.9 % █████████░", 1: "100.0 % ██████████",
	} {
		if got := percent(share) + " " + bar(share); got != want {
			t.Errorf("%v: %s, want %s", share, got, want)
		}
	}
}

func someSuspects() []registry.Suspect {
	first := statNoon.Add(-72 * time.Hour)
	return []registry.Suspect{
		{
			Platform: "android", Operation: "register", Model: "Sony SOV37", ModelSource: "attested", Code: "android.ca_bit", Position: 1,
			Attempts: 80, Failed: 50, Tried: 71, Share: 50.0 / 71, Abuse: 0.02, Rank: 34.5, First: first, Last: first.Add(70 * time.Hour), Busiest: 3,
			Proposed: true, Draft: "[[exception]]\nid = \"sony-sov37-ca-bit-1\"\nowner = \"\"\n",
		},
		{
			Platform: "android", Operation: "register", Model: "", Code: "android.kd_malformed", Position: -1,
			Attempts: 80, Failed: 21, Tried: 21, Share: 1, Rank: 21, First: first, Last: first.Add(70 * time.Hour), Busiest: 3,
			Proposed: true, Why: []string{"no exception can relax android.kd_malformed: look for what these phones have in common"},
		},
		{
			Platform: "android", Operation: "register", Model: "X 1", ModelSource: "claimed", Code: "android.leaf_validity", Position: 0,
			Attempts: 8, Failed: 5, Tried: 71, Share: 5.0 / 71, Abuse: 0.4, Rank: 0.2, First: first, Last: first, Busiest: 5,
			Why: []string{"5 accounts failed, and not 20", "7.0 % of the class fail, and not 50 %"},
		},
	}
}

// TestSuspectsGolden holds still what people and programs see.
func TestSuspectsGolden(t *testing.T) {
	for name, all := range map[string][]registry.Suspect{"some": someSuspects(), "none": nil} {
		t.Run(name, func(t *testing.T) {
			var text, object, drafts, hint bytes.Buffer
			if err := writeSuspects(&text, "demo", all, false); err != nil {
				t.Fatal(err)
			}
			golden(t, "suspects_"+name+".txt", text.String())
			if err := writeJSON(&object, suspectsJSON("demo", all)); err != nil {
				t.Fatal(err)
			}
			golden(t, "suspects_"+name+".json", object.String())
			if err := writeDrafts(&streams{out: &drafts, err: &hint}, "demo", all); err != nil {
				t.Fatal(err)
			}
			golden(t, "suspects_"+name+".toml", drafts.String())
			if (drafts.Len() == 0) != (hint.Len() > 0) {
				t.Errorf("drafts %q, hint %q", &drafts, &hint)
			}
		})
	}
}

// TestStatFlags: flags that cannot be meant are refused, by name.
func TestStatFlags(t *testing.T) {
	text := func(s string) *string { return &s }
	tests := []struct {
		name   string
		change func(*AttestStatsCmd)
		err    string // the flag; empty: good
	}{
		{"defaults", func(*AttestStatsCmd) {}, ""},
		{"days", func(c *AttestStatsCmd) { c.Since = "30d" }, ""},
		{"from and to", func(c *AttestStatsCmd) { c.From, c.To = text("2026-11-01"), text("2026-11-02T12:00:00+09:00") }, ""},
		{"value with an =", func(c *AttestStatsCmd) { c.Where = []string{"model=a=b"} }, ""},
		{"empty value", func(c *AttestStatsCmd) { c.Where = []string{"stage="} }, ""},
		{"total", func(c *AttestStatsCmd) { c.By = []string{"total"} }, ""},
		{"no duration", func(c *AttestStatsCmd) { c.Since = "a day" }, "--since"},
		{"empty duration", func(c *AttestStatsCmd) { c.Since = "" }, "--since"},
		{"negative duration", func(c *AttestStatsCmd) { c.Since = "-1h" }, "--since"},
		{"negative days", func(c *AttestStatsCmd) { c.Since = "-1d" }, "--since"},
		{"no days", func(c *AttestStatsCmd) { c.Since = "0d" }, "--since"},
		{"empty from", func(c *AttestStatsCmd) { c.From = text("") }, "--from"},
		{"empty to", func(c *AttestStatsCmd) { c.To = text("") }, "--to"},
		{"unknown dim", func(c *AttestStatsCmd) { c.By = []string{"account"} }, "--by"},
		{"empty dim", func(c *AttestStatsCmd) { c.By = []string{""} }, "--by"},
		{"dim twice", func(c *AttestStatsCmd) { c.By = []string{"os", "os"} }, "--by"},
		{"total and more", func(c *AttestStatsCmd) { c.By = []string{"total", "os"} }, "--by"},
		{"filter without =", func(c *AttestStatsCmd) { c.Where = []string{"JP"} }, "--where"},
		{"unknown filter", func(c *AttestStatsCmd) { c.Where = []string{"account=a"} }, "--where"},
		{"filter twice", func(c *AttestStatsCmd) { c.Where = []string{"os=1", "os=2"} }, "--where"},
		{"filter by day", func(c *AttestStatsCmd) { c.Where = []string{"day=1"} }, "--where"},
		{"verdict", func(c *AttestStatsCmd) {
			c.Where = []string{"verdict=would_deny", "platform=apple", "operation=request", "class=honest", "effect=note", "code=android.ca_bit", "model_source=batch", "country=jp"}
		}, ""},
		{"unknown verdict", func(c *AttestStatsCmd) { c.Where = []string{"verdict=foo"} }, "--where"},
		{"unknown platform", func(c *AttestStatsCmd) { c.Where = []string{"platform=ios"} }, "--where"},
		{"unknown operation", func(c *AttestStatsCmd) { c.Where = []string{"operation=pay"} }, "--where"},
		{"unknown source", func(c *AttestStatsCmd) { c.Where = []string{"model_source=true"} }, "--where"},
		{"unknown class", func(c *AttestStatsCmd) { c.Where = []string{"class=bad"} }, "--where"},
		{"unknown effect", func(c *AttestStatsCmd) { c.Where = []string{"effect=REJECT"} }, "--where"},
		{"unknown code", func(c *AttestStatsCmd) { c.Where = []string{"code=ca_bit"} }, "--where"},
		{"unknown country", func(c *AttestStatsCmd) { c.Where = []string{"country=Japan"} }, "--where"},
		{"no known country", func(c *AttestStatsCmd) { c.Where = []string{"country=zz"} }, ""},
		{"country of what was too much", func(c *AttestStatsCmd) { c.Where = []string{"country=other"} }, ""},
		{"position", func(c *AttestStatsCmd) { c.Where = []string{"position=leaf"} }, "--where"},
		{"limit", func(c *AttestStatsCmd) { c.Limit = 0 }, "--limit"},
	}
	for _, tt := range tests {
		c := AttestStatsCmd{Since: "24h", By: []string{"platform", "operation"}, Limit: 40}
		tt.change(&c)
		_, err := c.filter(statNoon)
		if (err == nil) != (tt.err == "") || err != nil && !strings.HasPrefix(err.Error(), tt.err+": ") {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.err)
		}
	}
}
