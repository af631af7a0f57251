package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

// parts is into how many the time is cut; the steady one is the first in which
// everything is as it stays: SQLite's page cache of 16 MiB (store/sqlite,
// cache_size), which fills as the store grows, is full after five minutes.
const (
	parts  = 10
	steady = 5
)

// part is what was measured in a tenth of the time.
type part struct {
	begin, end time.Duration
	n          int
	resident   float64 // mean
	live       float64 // least heap: what a collection leaves
	goroutines float64 // most
	files      float64 // most
	store      int64   // at the end
}

// cut sorts samples into parts.
func cut(samples []sample, duration time.Duration) []part {
	out := make([]part, parts)
	for i := range out {
		out[i].begin, out[i].end = duration*time.Duration(i)/parts, duration*time.Duration(i+1)/parts
		out[i].live = math.Inf(1)
	}
	for _, s := range samples {
		p := &out[min(int(s.at*parts/duration), parts-1)]
		p.n++
		p.resident += (s.resident - p.resident) / float64(p.n)
		p.live = min(p.live, s.heap)
		p.goroutines, p.files = max(p.goroutines, s.goroutines), max(p.files, s.files)
		p.store = s.store
	}
	return out
}

const mib = 1 << 20

// judge reports what has grown from the steady part to the last. It leaves room
// for the collector, which lets a heap grow before it looks.
func judge(table []part) error {
	a, b := table[steady], table[parts-1]
	var errs []error
	for _, x := range []struct {
		what             string
		was, is, allowed float64
		unit             string
		per              float64
	}{
		{"resident memory", a.resident, b.resident, a.resident*1.15 + 8*mib, "MiB", mib},
		{"the live heap", a.live, b.live, a.live*1.2 + 4*mib, "MiB", mib},
		{"the number of goroutines", a.goroutines, b.goroutines, a.goroutines + 20, "", 1},
		{"the number of open files", a.files, b.files, a.files + 10, "", 1},
	} {
		if x.is > x.allowed {
			errs = append(errs, fmt.Errorf("%s has grown from %.1f to %.1f %s, and %.1f would do", x.what, x.was/x.per, x.is/x.per, x.unit, x.allowed/x.per))
		}
	}
	return errors.Join(errs...)
}

// write writes the table of docs/performance.md.
func write(w io.Writer, table []part) {
	fmt.Fprintln(w, "| from | to | resident, MiB | live heap, MiB | goroutines | open files | store, MiB |\n|---|---|---|---|---|---|---|")
	for _, p := range table {
		fmt.Fprintf(w, "| %s | %s | %.1f | %.1f | %.0f | %.0f | %.1f |\n", p.begin.Round(time.Second), p.end.Round(time.Second),
			p.resident/(1<<20), p.live/(1<<20), p.goroutines, p.files, float64(p.store)/(1<<20))
	}
}
