package demo_test

import (
	"bytes"
	"compress/gzip"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write assets; `make web` does this")

// bundle makes script and style sheet anew, in dir.
func bundle(t *testing.T, dir string) {
	t.Helper()
	for _, needed := range []string{"node_modules/qr", "../../sdk/ts/node_modules/hash-wasm"} {
		if _, err := os.Stat(needed); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal(needed + " is not installed: run `make node-modules`")
			}
			t.Skip(needed + " is not installed: run `make node-modules`")
		}
	}
	lookedAt(t, "src", "../../sdk/ts/src")
	out, err := exec.Command("go", "tool", "-modfile=../../tools.mod", "esbuild", "--bundle", "--minify", "--format=esm", "--target=es2022",
		"--log-level=warning", "--charset=utf8", "--legal-comments=none", "--outdir="+dir, "src/demo.ts", "src/demo.css").CombinedOutput()
	if err != nil {
		if os.Getenv("CI") != "true" && bytes.Contains(out, []byte("dial tcp")) {
			t.Skipf("esbuild is not here and cannot be downloaded; the bundle was not compared: %s", out)
		}
		t.Fatalf("esbuild: %v\n%s", err, out)
	}
}

// lookedAt looks at what another program reads, so that a result is not taken from go
// test's cache when that has changed.
func lookedAt(t *testing.T, dirs ...string) {
	t.Helper()
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(file string, _ os.DirEntry, err error) error {
			if err == nil {
				_, err = os.Stat(file)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestBundle: what is committed, and so served, is what src and the SDK say.
func TestBundle(t *testing.T) {
	if *update {
		bundle(t, "assets")
		return
	}
	fresh := t.TempDir()
	bundle(t, fresh)
	for _, name := range []string{"demo.js", "demo.css"} {
		want, err := os.ReadFile(filepath.Join(fresh, name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("assets", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, got) {
			t.Errorf("assets/%s is not what src gives; run `make web`", name)
		}
	}
}

// TestSmall: the page's script has less than 300 KB, gzipped.
func TestSmall(t *testing.T) {
	data, err := os.ReadFile("assets/demo.js")
	if err != nil {
		t.Fatal(err)
	}
	var small bytes.Buffer
	z := gzip.NewWriter(&small)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if small.Len() < 10_000 || small.Len() >= 300_000 {
		t.Errorf("%d bytes", small.Len())
	}
	t.Logf("%d bytes, %d gzipped", len(data), small.Len())
}

// TestScriptsAreQuiet: no script makes markup of text, looks at the browser's
// name, or names an address that is not the page's own.
func TestScriptsAreQuiet(t *testing.T) {
	err := filepath.WalkDir("src", func(file string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for _, bad := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "userAgent", "localStorage", "https://cdn"} {
			if strings.Contains(string(data), bad) {
				t.Errorf("%s has %s", file, bad)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestTypes checks the types of the page's scripts.
func TestTypes(t *testing.T) {
	const tsc = "../../sdk/ts/node_modules/.bin/tsc"
	if _, err := os.Stat(tsc); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("TypeScript is not installed: run `make node-modules`")
		}
		t.Skip("TypeScript is not installed: run `make node-modules`")
	}
	lookedAt(t, "src", "../../sdk/ts/src")
	if out, err := exec.Command(tsc, "-p", ".").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
