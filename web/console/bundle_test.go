package console_test

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write assets; `make web` does this")

// bundle makes the scripts and the style sheet anew, in dir.
func bundle(t *testing.T, dir string) {
	t.Helper()
	args := []string{
		"tool", "-modfile=../../tools.mod", "esbuild", "--bundle", "--minify", "--format=esm", "--target=es2022", "--loader:.svg=copy",
		"--log-level=warning", "--charset=utf8", "--outdir=" + dir, "--entry-names=[name]", "src/style.css", "src/icon.svg",
	}
	for _, pattern := range []string{"src/*", "../src/*.ts"} { // so that a cached result knows of a change
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, f := range files {
			if _, err := os.Stat(f); err != nil {
				t.Fatal(err)
			}
		}
	}
	pages, err := filepath.Glob("src/*.ts")
	if err != nil || len(pages) == 0 {
		t.Fatal("no scripts", err)
	}
	if out, err := exec.Command("go", append(args, pages...)...).CombinedOutput(); err != nil {
		if os.Getenv("CI") != "true" && bytes.Contains(out, []byte("dial tcp")) {
			t.Skipf("esbuild is not here and cannot be downloaded; the bundle was not compared: %s", out)
		}
		t.Fatalf("esbuild: %v\n%s", err, out)
	}
}

// TestBundle: what is committed, and so served, is what src says.
func TestBundle(t *testing.T) {
	if *update {
		bundle(t, "assets")
		return
	}
	fresh := t.TempDir()
	bundle(t, fresh)
	want, got := names(t, fresh), names(t, "assets")
	if !slices.Equal(want, got) {
		t.Fatalf("assets has %v, src gives %v; run `make web`", got, want)
	}
	for _, name := range want {
		a, err := os.ReadFile(filepath.Join(fresh, name))
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join("assets", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) {
			t.Errorf("assets/%s is not what src gives; run `make web`", name)
		}
	}
}

func names(t *testing.T, dir string) (out []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// TestScriptsAreQuiet: no script makes markup of text, looks at the browser's
// name, or keeps anything.
func TestScriptsAreQuiet(t *testing.T) {
	for _, file := range names(t, "src") {
		data, err := os.ReadFile(filepath.Join("src", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "userAgent", "localStorage", "sessionStorage"} {
			if strings.Contains(string(data), bad) {
				t.Errorf("src/%s has %s", file, bad)
			}
		}
	}
}
