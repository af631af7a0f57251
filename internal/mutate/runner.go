package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// verdict is what became of a mutant.
type verdict string

const (
	killed   verdict = "killed"
	survived verdict = "SURVIVED"
	noApply  verdict = "DOES NOT APPLY"
	noBuild  verdict = "DOES NOT BUILD"
)

type result struct {
	patch   *patch
	verdict verdict
	by      string // the test that failed
	output  string
	took    time.Duration
}

type runner struct {
	out     io.Writer // of the collecting goroutine only
	verbose bool
	vectors string
}

// run tests every patch, jobs at a time, and returns the results in the order
// of the patches.
func (r *runner) run(ctx context.Context, root string, patches []patch, jobs int) ([]result, error) {
	first, files, err := snapshot(ctx, root)
	if err != nil {
		return nil, err
	}
	trees := []tree{first}
	defer func() {
		for _, t := range trees {
			t.remove()
		}
	}()
	if err := r.unmutated(ctx, first, patches); err != nil {
		return nil, err
	}
	for len(trees) < jobs { // all of one moment
		t, err := copyTree(first.dir, files)
		if err != nil {
			return nil, err
		}
		trees = append(trees, t)
	}
	return r.all(ctx, trees, patches)
}

// unmutated runs the tests of all patches on the tree as it is, those of a
// package together. A test that fails anyway, or a name that is no test's,
// would make every mutant look killed or none.
func (r *runner) unmutated(ctx context.Context, t tree, patches []patch) error {
	start := time.Now()
	only := map[string][]string{} // by pattern; empty: all tests
	var order []string
	for _, p := range patches {
		for _, pattern := range p.tests {
			if had, seen := only[pattern]; !seen {
				only[pattern], order = p.only, append(order, pattern)
			} else if len(had) > 0 && len(p.only) > 0 {
				only[pattern] = append(slices.Clip(had), p.only...)
			} else {
				only[pattern] = nil
			}
		}
	}
	passed := map[string][]string{}
	for _, pattern := range order {
		slices.Sort(only[pattern])
		o, err := t.goTest(ctx, r.vectors, pattern, slices.Compact(only[pattern]))
		if err != nil {
			return err
		}
		if !o.built || o.failed != "" {
			return fmt.Errorf("mutate: without any mutation, %s fails (%s); nothing can be told:\n%s", pattern, o.failed, o.output)
		}
		passed[pattern] = o.passed
	}
	for _, p := range patches {
		if !slices.ContainsFunc(p.tests, func(pattern string) bool { return slices.ContainsFunc(passed[pattern], p.names) }) {
			return fmt.Errorf("mutate: %s: no test of %s matches %q", p.name, strings.Join(p.tests, " "), p.only)
		}
	}
	fmt.Fprintf(r.out, "unmutated: the tests pass (%s)\n", time.Since(start).Round(time.Second))
	return nil
}

// all hands the patches to one goroutine a tree.
func (r *runner) all(ctx context.Context, trees []tree, patches []patch) ([]result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next, done := make(chan *patch), make(chan result)
	var workers sync.WaitGroup
	for _, t := range trees {
		workers.Go(func() {
			for p := range next {
				res, err := t.try(ctx, r.vectors, p)
				if err != nil {
					cancel(err)
					return
				}
				done <- res
			}
		})
	}
	go func() {
		defer close(done)
		defer workers.Wait()
		defer close(next)
		for i := range patches {
			select {
			case next <- &patches[i]:
			case <-ctx.Done():
				return
			}
		}
	}()
	var results []result
	for res := range done {
		results = append(results, res)
		r.progress(res, len(results), len(patches))
	}
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("mutate: %w", err)
	}
	slices.SortFunc(results, func(a, b result) int { return strings.Compare(a.patch.name, b.patch.name) })
	return results, nil
}

// try applies a patch, tests, and undoes it. The error means that this tree
// is good for nothing any more.
func (t tree) try(ctx context.Context, vectors string, p *patch) (res result, err error) {
	start := time.Now()
	res = result{patch: p, verdict: survived}
	defer func() { res.took = time.Since(start) }()
	undo, applyErr := t.apply(ctx, p)
	if ctx.Err() != nil {
		return res, context.Cause(ctx)
	}
	if applyErr != nil {
		res.verdict, res.output = noApply, applyErr.Error()
		return res, nil
	}
	defer func() { err = errors.Join(err, undo()) }()
	for _, pattern := range p.tests {
		o, err := t.goTest(ctx, vectors, pattern, p.only)
		if err != nil {
			return res, err
		}
		switch {
		case !o.built:
			res.verdict, res.output = noBuild, o.output
			return res, nil
		case o.failed != "":
			res.verdict, res.by, res.output = killed, o.failed, o.output
			return res, nil
		}
	}
	return res, nil
}

func (r *runner) progress(res result, n, of int) {
	fmt.Fprintf(r.out, "%*d/%d %-14s %s (%s)\n", len(fmt.Sprint(of)), n, of, res.verdict, res.patch.name, res.took.Round(time.Second))
	if r.verbose || res.verdict == noApply || res.verdict == noBuild {
		fmt.Fprintln(r.out, res.output)
	}
}

// report prints the table and counts the mutants that were not killed.
func report(out io.Writer, results []result) (survivors int) {
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, res := range results {
		by := res.by
		if res.verdict != killed {
			survivors++
			by = res.patch.title
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", res.patch.name, res.verdict, res.patch.code, by)
	}
	_ = w.Flush() // of out's errors nobody would learn anyway
	fmt.Fprintf(out, "\n%d mutants, %d killed, %d not\n", len(results), len(results)-survivors, survivors)
	return survivors
}
