// Command mutate removes one security check at a time and wants a test to
// notice.
//
//	go run ./internal/mutate                  # all of testdata/mutations
//	go run ./internal/mutate -run android -v  # some, with the output of the tests
//	go run ./internal/mutate -list
//
// A mutation is a patch in testdata/mutations, named NNNN-slug.patch: a unified
// diff that removes or inverts exactly one check, after a header:
//
//	# Title: what is left out
//	# code: android.signature     (the code of attest.Codes, or a name of the rule)
//	# test: ./attest/android      (the packages to test, in this order)
//	# run: ^TestCatalogue$/^cert  (optional, any number: a test or a subtest to run)
//
// The tree, as it is and not only as it was committed, is copied into temporary
// directories, one for each worker. There a patch is applied, the tests are run
// package by package until one fails, and the patch is undone. The mutant is
// killed when a test fails. It survived when none does, and then a test is
// missing. A patch that does not apply, or that does not build, says nothing
// and is as bad: it has to follow the code. So that a failure means something,
// the same tests are run without a mutation first, and must pass.
//
// The exit status is 0 when every mutant was killed, 1 when one was not, and 2
// when nothing could be told.
//
// Code in TypeScript is mutated in the same way: a test in Go compiles it, and runs
// its tests. What npm has installed in the checkout is lent to the copies; a mutant
// that tsc refuses does not build.
//
// It needs git, for the list of files and to apply patches. Fixtures beside the
// repository are found by $STAUNCH_VECTORS, which is set for the tests.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// directory holds the patches.
const directory = "testdata/mutations"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// run is main with its surroundings as arguments; it returns the exit status.
func run(ctx context.Context, args []string, out, errs io.Writer) int {
	survivors, err := mutate(ctx, args, out, errs)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(errs, err)
		return 2
	case survivors > 0:
		return 1
	}
	return 0
}

// mutate does it all and counts the mutants that were not killed.
func mutate(ctx context.Context, args []string, out, errs io.Writer) (survivors int, err error) {
	flags := flag.NewFlagSet("mutate", flag.ContinueOnError)
	flags.SetOutput(errs)
	pattern := flags.String("run", "", "only patches whose file name, title or code matches this `regexp`")
	list := flags.Bool("list", false, "list the patches and run nothing")
	jobs := flags.Int("j", runtime.NumCPU(), "how many mutants are tested at a time")
	verbose := flags.Bool("v", false, "print the output of failing tests and builds")
	if err := flags.Parse(args); err != nil {
		return 0, err
	}
	wanted, err := regexp.Compile(*pattern)
	if err != nil || flags.NArg() > 0 || *jobs < 1 {
		return 0, errors.New("mutate: usage: mutate [-run REGEXP] [-list] [-j N] [-v]")
	}
	root, err := repository(ctx)
	if err != nil {
		return 0, err
	}
	patches, err := readPatches(filepath.Join(root, directory), wanted)
	if err != nil {
		return 0, err
	}
	if len(patches) == 0 {
		return 0, fmt.Errorf("mutate: no patch in %s matches", directory)
	}
	if *list {
		for _, p := range patches {
			fmt.Fprintf(out, "%s  %-32s %s\n", p.name, p.code, p.title)
		}
		return 0, nil
	}
	r := &runner{out: out, verbose: *verbose, vectors: vectors(root)}
	results, err := r.run(ctx, root, patches, min(*jobs, len(patches)))
	if err != nil {
		return 0, err
	}
	return report(out, results), nil
}

// repository is the root of the checkout that we are in.
func repository(ctx context.Context) (string, error) {
	b, err := exec.CommandContext(ctx, "git", "rev-parse", "--show-toplevel").Output()
	if err != nil {
		return "", fmt.Errorf("mutate: git is needed, and a checkout to work in: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// vectors is the directory of the fixtures beside the repository, for tests
// that run elsewhere.
func vectors(root string) string {
	dir := os.Getenv("STAUNCH_VECTORS")
	if dir == "" {
		dir = filepath.Join(root, "..", "shared", "vectors")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return ""
	}
	return dir
}
