package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/staunchid/staunch/attest/registry"
)

// writeStats writes a report for people. again: another one stands above.
func writeStats(w io.Writer, app string, r *registry.StatReport, again bool) error {
	p := colours(w)
	var b strings.Builder
	if again {
		b.WriteString("\n")
	}
	const layout = "2006-01-02 15:04"
	fmt.Fprintf(&b, "%s, %s to %s UTC\n\n", app, r.From.Format(layout), r.To.Format(layout))
	if r.Total.Attempts == 0 {
		b.WriteString(wrap("Nothing was counted in this time. Rows come with every Register and VerifyRequest that judges something. "+
			"Look further back with --since 30d, or leave out --where.", ""))
		_, err := io.WriteString(w, b.String())
		return err
	}
	var columns []column
	for _, d := range r.By {
		columns = append(columns, column{strings.ToUpper(strings.ReplaceAll(string(d), "_", " ")), d == registry.DimPosition})
	}
	first := len(columns)
	if first == 0 {
		columns, first = []column{{"", false}}, 1
	}
	if r.Findings {
		columns = append(columns, column{"FINDINGS", true}, column{"OF ALL", true})
	} else {
		columns = append(columns, column{"ATTEMPTS", true})
	}
	rate := len(columns)
	columns = append(columns, column{"SUCCESS", true}, column{"", false}, column{"REJECTED", true}, column{"WOULD DENY", true}, column{"ACCOUNTS", true})
	var rows [][]string
	var rates []float64
	add := func(s registry.StatRow, names []string) {
		row := append(names, fmt.Sprint(s.Attempts))
		if r.Findings {
			row = append(row, percent(float64(s.Attempts)/float64(r.Total.Attempts)))
		}
		rows = append(rows, append(row, percent(s.Success()), bar(s.Success()), fmt.Sprint(s.Rejected), fmt.Sprint(s.WouldDeny), accounts(s)))
		rates = append(rates, s.Success())
	}
	for _, s := range r.Rows {
		add(s, statNames(r.By, s.By))
	}
	if len(r.Rows) > 0 {
		rows, rates = append(rows, nil), append(rates, 0)
	}
	total := make([]string, first)
	if total[0] = "total"; r.Findings {
		total[0] = "all attempts"
	}
	add(r.Total, total)
	optional := []int{rate + 1, rate + 3, rate + 2, rate + 4} // the bar, then what is 0 everywhere
	columns, rows, kept := fit(columns, rows, optional, terminalWidth(w))
	writeTable(&b, p, columns, rows, func(row, c int, text string) string {
		if kept[c] == rate || kept[c] == rate+1 {
			return p.paint(rateColour(rates[row]), text)
		}
		return text
	})
	if r.Findings && len(r.Rows) == 0 {
		b.WriteString("\nNo finding of these attempts is of that kind.\n")
	}
	if r.More {
		fmt.Fprintf(&b, "\nThere are more groups than these %d, with fewer attempts: use --limit, or --where.\n", len(r.Rows))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// statNames are the values of a row as people read them.
func statNames(by []registry.Dim, values []string) []string {
	batch := slices.Contains(values, "batch") && slices.Contains(by, registry.DimModelSource)
	names := make([]string, len(values))
	for i, v := range values {
		switch d := by[i]; {
		case d == registry.DimPosition && v == "-1":
			v = "-"
		case v == "" && d == registry.DimStage:
			v = "(none)"
		case v == "":
			v = "(unknown)"
		case (d == registry.DimModel || d == registry.DimBatch) && isDigest(v):
			if v = v[:12] + "…"; d == registry.DimModel && !batch {
				v = "batch " + v
			}
		}
		names[i] = short(printable(v), 30)
	}
	return names
}

// isDigest reports whether a text is a SHA-256 in hex.
func isDigest(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}

// short cuts a text to so many characters.
func short(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// percent never rounds up to all, nor down to none.
func percent(share float64) string {
	switch text := strconv.FormatFloat(100*share, 'f', 1, 64); {
	case text == "100.0" && share < 1:
		return "99.9 %"
	case text == "0.0" && share > 0:
		return "0.1 %"
	default:
		return text + " %"
	}
}

// bar shows a share in ten steps; only all of it is full, and only none is empty.
func bar(share float64) string {
	n := int(share*10 + 0.5)
	if share < 1 {
		n = min(n, 9)
	}
	if share > 0 {
		n = max(n, 1)
	}
	return strings.Repeat("█", n) + strings.Repeat("░", 10-n)
}

func rateColour(share float64) string {
	switch {
	case share < 0.5:
		return red
	case share < 0.9:
		return yellow
	}
	return green
}

func accounts(s registry.StatRow) string {
	if s.AtLeast {
		return fmt.Sprint(s.Accounts) + "+"
	}
	return fmt.Sprint(s.Accounts)
}

// statsJSON is a report for programs.
func statsJSON(app string, r *registry.StatReport) any {
	type row struct {
		By        map[registry.Dim]string `json:"by,omitempty"`
		Attempts  int64                   `json:"attempts"`
		Accepted  int64                   `json:"accepted"`
		Rejected  int64                   `json:"rejected"`
		WouldDeny int64                   `json:"would_deny"`
		Success   float64                 `json:"success"`
		Accounts  int64                   `json:"accounts"`
		AtLeast   bool                    `json:"accounts_at_least"`
	}
	of := func(s registry.StatRow) row {
		by := map[registry.Dim]string{}
		for i, d := range r.By {
			if i < len(s.By) {
				by[d] = s.By[i]
			}
		}
		return row{by, s.Attempts, s.Accepted, s.Rejected, s.WouldDeny, s.Success(), s.Accounts, s.AtLeast}
	}
	rows := []row{}
	for _, s := range r.Rows {
		rows = append(rows, of(s))
	}
	return struct {
		App      string         `json:"app"`
		From     time.Time      `json:"from"`
		To       time.Time      `json:"to"`
		By       []registry.Dim `json:"by"`
		Findings bool           `json:"findings"`
		Rows     []row          `json:"rows"`
		More     bool           `json:"more"`
		Total    row            `json:"total"`
	}{app, r.From, r.To, append([]registry.Dim{}, r.By...), r.Findings, rows, r.More, of(r.Total)}
}
