package demo_test

import (
	"flag"
	"os"
	"os/exec"
	"testing"

	"github.com/staunchid/staunch/web/site/sitetest"
)

var update = flag.Bool("update", false, "write assets; `make web` does this")

// installed skips without what npm brings, and fails with CI=true.
func installed(t *testing.T, files ...string) {
	t.Helper()
	for _, needed := range files {
		if _, err := os.Stat(needed); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal(needed + " is not installed: run `make node-modules`")
			}
			t.Skip(needed + " is not installed: run `make node-modules`")
		}
	}
}

// TestBundle: what is committed, and so served, is what src and the SDK say.
func TestBundle(t *testing.T) {
	installed(t, "node_modules/qr", "../../sdk/ts/node_modules/hash-wasm")
	b := sitetest.Bundle{
		Root: "../..", Sources: []string{"src", "../../sdk/ts/src"}, Entries: []string{"src/demo.ts", "src/demo.css"},
		Options: []string{"--legal-comments=none"},
	}
	b.Compare(t, *update)
}

// TestSmall: the page's script has less than 300 KB, gzipped.
func TestSmall(t *testing.T) { sitetest.Small(t, "assets/demo.js", 10_000, 300_000) }

// TestScriptsAreQuiet: no script names an address that is not the page's own.
func TestScriptsAreQuiet(t *testing.T) { sitetest.Quiet(t, "src", "https://cdn") }

// TestTypes checks the types of the page's scripts.
func TestTypes(t *testing.T) {
	const tsc = "../../sdk/ts/node_modules/.bin/tsc"
	installed(t, tsc)
	sitetest.Visit(t, "src", "../../sdk/ts/src")
	if out, err := exec.Command(tsc, "-p", ".").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
