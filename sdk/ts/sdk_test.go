// Package ts runs the tests of the TypeScript SDK with the others.
package ts

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// tools skips the test if Node and the SDK's packages are not here, and fails it where
// that may not be.
func tools(t *testing.T) {
	t.Helper()
	missing := ""
	if _, err := exec.LookPath("node"); err != nil {
		missing = "node is not here: install Node 20 or later with npm, then run `make node-modules`"
	} else if _, err := os.Stat("node_modules/typescript"); err != nil {
		missing = "the packages of the TypeScript SDK are not installed: run `make node-modules`"
	}
	switch {
	case missing == "":
	case os.Getenv("CI") == "true":
		t.Fatal(missing)
	default:
		t.Skip(missing)
	}
}

// workshop is what the tests of one run share: the SDK and its tests as tsc has
// compiled them, and the program. TestMain removes it.
var workshop struct {
	compile, build  sync.Once
	sdk, staunch    string // folder and file
	compiled, built bool
}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, dir := range []string{workshop.sdk, filepath.Dir(workshop.staunch)} {
		if dir == "" || dir == "." {
			continue // no test has needed it
		}
		if err := os.RemoveAll(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// compile gives the folder of the compiled SDK and its tests.
func compile(t *testing.T) (dir string) {
	t.Helper()
	workshop.compile.Do(func() {
		looked(t, "package-lock.json", "tsconfig.json", "src", "test", "../../spec/vectors")
		dir, err := os.MkdirTemp(".", "dist-test-") // beside node_modules, which Node looks for above it
		if err != nil {
			t.Fatal(err)
		}
		workshop.sdk = dir
		run(t, "node", "node_modules/typescript/bin/tsc", "-p", "tsconfig.json", "--outDir", dir)
		workshop.compiled = true
	})
	if !workshop.compiled {
		t.Fatal("the SDK does not compile: the first test that needs it says why")
	}
	return workshop.sdk
}

// build gives the program staunch.
func build(t *testing.T) (file string) {
	t.Helper()
	workshop.build.Do(func() {
		dir, err := os.MkdirTemp("", "staunch-sdk-")
		if err != nil {
			t.Fatal(err)
		}
		workshop.staunch = filepath.Join(dir, "staunch")
		run(t, "go", "build", "-o", workshop.staunch, "../../cmd/staunch")
		workshop.built = true
	})
	if !workshop.built {
		t.Fatal("staunch does not build: the first test that needs it says why")
	}
	return workshop.staunch
}

// looked notes all files in some places as what the test depends on: `go test` takes
// a result from its cache unless a file has changed that the test looked at itself,
// and it sees nothing of what node reads.
func looked(t *testing.T, places ...string) {
	t.Helper()
	for _, place := range places {
		err := filepath.WalkDir(place, func(path string, _ fs.DirEntry, err error) error {
			if err == nil {
				_, err = os.Stat(path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// TestSDK runs each file of tests with node.
func TestSDK(t *testing.T) {
	t.Parallel()
	tools(t)
	dir := compile(t)
	files, err := filepath.Glob(filepath.Join(dir, "test", "*.test.js"))
	if err != nil || len(files) == 0 {
		t.Fatal("no tests", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".test.js"), func(t *testing.T) {
			run(t, "node", "--test", "--test-reporter=spec", file)
		})
	}
}
