package console_test

import (
	"flag"
	"path/filepath"
	"testing"

	"github.com/staunchid/staunch/web/site/sitetest"
)

var update = flag.Bool("update", false, "write assets; `make web` does this")

// TestBundle: what is committed, and so served, is what src and the scripts of the
// account's pages say.
func TestBundle(t *testing.T) {
	scripts, err := filepath.Glob("src/*.ts")
	if err != nil || len(scripts) == 0 {
		t.Fatal("no scripts", err)
	}
	b := sitetest.Bundle{
		Root: "../..", Sources: []string{"src", "../src"}, Entries: append(scripts, "src/style.css", "src/icon.svg"),
		Options: []string{"--loader:.svg=copy"},
	}
	b.Compare(t, *update)
}

// TestScriptsAreQuiet: no script keeps anything.
func TestScriptsAreQuiet(t *testing.T) { sitetest.Quiet(t, "src", "sessionStorage") }
