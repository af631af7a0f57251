package web_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/staunchid/staunch/web/site/sitetest"
)

var update = flag.Bool("update", false, "write assets; `make web` does this")

// TestBundle: what is committed, and so served, is what src says: the style sheet,
// and the script of each page that has one.
func TestBundle(t *testing.T) {
	b := sitetest.Bundle{Root: "..", Sources: []string{"src"}, Entries: []string{"src/style.css"}}
	for _, page := range sitetest.Visit(t, "templates") {
		script := "src/" + strings.TrimSuffix(filepath.Base(page), ".html") + ".ts"
		if _, err := os.Stat(script); err == nil {
			b.Entries = append(b.Entries, script)
		}
	}
	b.Compare(t, *update)
}

// TestSignInIsSmall: the script of the sign-in page has at most 8 KiB, gzipped.
func TestSignInIsSmall(t *testing.T) { sitetest.Small(t, "assets/signin.js", 1, 8<<10) }

// TestScriptsAreQuiet: no script sends what PRF gives, or asks for one kind of
// authenticator.
func TestScriptsAreQuiet(t *testing.T) { sitetest.Quiet(t, "src", "authenticatorAttachment:") }
