package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/staunchid/staunch/internal/load"
)

// showProgress writes to w how far it is: one line that changes on a terminal,
// a line now and then otherwise.
func showProgress(w io.Writer) func(load.Progress) {
	var last time.Time
	return func(p load.Progress) {
		text := progressText(p)
		if onTerminal(w) {
			fmt.Fprintf(w, "\r\x1b[K%s", text)
			return
		}
		if now := time.Now(); now.Sub(last) >= 10*time.Second {
			last = now
			fmt.Fprintln(w, text)
		}
	}
}

// clearProgress makes room on a terminal.
func clearProgress(w io.Writer) {
	if onTerminal(w) {
		fmt.Fprint(w, "\r\x1b[K")
	}
}

func onTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// progressText fits into 80 columns.
func progressText(p load.Progress) string {
	text := fmt.Sprintf("%d/%d phones  %.0f calls/s  p50 %s  p99 %s", p.Registered, p.Phones, p.PerSecond, brief(p.P50), brief(p.P99))
	if p.Errors > 0 {
		text += fmt.Sprintf("  %d errors", p.Errors)
	}
	if p.Surprises > 0 {
		text += fmt.Sprintf("  %d surprises", p.Surprises)
	}
	if p.Left > 0 {
		text += "  " + p.Left.Round(time.Second).String() + " left"
	}
	return text
}

func brief(d time.Duration) string { return fmt.Sprintf("%.1fms", float64(d.Microseconds())/1000) }

// summary writes a report for people.
func (c *AttestLoadCmd) summary(w io.Writer, r *load.Report) {
	colour := colours(w)
	fmt.Fprintf(w, "%d of %d phones registered", r.Registered, r.Phones)
	if r.Requests > 0 {
		fmt.Fprintf(w, ", %d requests, %.0f a second", r.Requests, r.RequestsPerSecond)
	}
	fmt.Fprintf(w, ", %.1f s in all", r.Seconds)
	if r.Interrupted {
		fmt.Fprint(w, "; interrupted")
	}
	fmt.Fprintln(w)
	if c.Rate > 0 && r.Requests > 0 && !r.Interrupted && r.RequestsPerSecond < .9*c.Rate {
		fmt.Fprintf(w, "The rate of %g a second was not reached: the server or this machine is too slow, or --concurrency too small.\n", c.Rate)
	}

	fmt.Fprintf(w, "\n%-30s %9s %9s %9s %9s %9s\n", "CALLS", "NUMBER", "P50 ms", "P90 ms", "P99 ms", "MAX ms")
	for _, k := range r.Calls {
		fmt.Fprintf(w, "  %-28s %9d %9.1f %9.1f %9.1f %9.1f\n", k.Name, k.Calls, k.P50, k.P90, k.P99, k.Max)
	}
	summaryRows(w, r, colour)
	for _, e := range r.Errors {
		fmt.Fprintf(w, "%s %d calls without an answer: %s\n", colour.paint(red, "ERROR"), e.Count, printable(e.Text))
	}
	for _, s := range r.Surprises {
		fmt.Fprintf(w, "%s %d x %s, %s: %s\n", colour.paint(red, "SURPRISE"), s.Count, s.Kind, s.Action, printable(s.What))
	}
	if r.Good() {
		fmt.Fprintln(w, colour.paint(green, "No surprises: every answer is as it should be."))
	}
	if c.config != "" {
		fmt.Fprintf(w, "\nWhat the server has counted:\n  staunch attest stats --config %[1]s --by model\n  staunch attest suspects --config %[1]s\n", quoted(c.config))
	}
}

// summaryRows says what each kind of phones was answered.
func summaryRows(w io.Writer, r *load.Report, colour palette) {
	observed, excepted := int64(0), int64(0)
	kind := load.Kind("")
	for _, row := range r.Rows {
		observed, excepted = observed+row.Observed, excepted+row.Excepted
		if row.Kind != kind {
			kind = row.Kind
			fmt.Fprintf(w, "\n%-50s %8s %8s %9s\n", strings.ToUpper(string(kind)), "ACCEPTED", "REFUSED", "SURPRISES")
		}
		fmt.Fprintf(w, "  %-48s %8s %8s %9s\n", row.Action, orDash(row.Accepted), orDash(row.Refused), orDash(row.Surprises))
		if len(row.Codes) > 0 {
			codes := slices.Sorted(maps.Keys(row.Codes))
			fmt.Fprintln(w, colour.paint(dim, strings.TrimSuffix(wrap(strings.Join(codes, " "), "      "), "\n")))
		}
	}
	fmt.Fprintln(w)
	if excepted > 0 {
		fmt.Fprintf(w, "%d were accepted by an exception of the policy.\n", excepted)
	}
	if observed > 0 {
		fmt.Fprintf(w, "%d of those refused were let pass by a stage of the rollout that only observes.\n", observed)
	}
}

// orDash leaves out zeros, so that the others are seen.
func orDash(n int64) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(n)
}
