// Package sitetest is what the tests of packages that serve pages have in common:
// that what is committed is what the sources say, and that no script does what the
// content policy is there to stop.
//
//	var update = flag.Bool("update", false, "write assets; `make web` does this")
//
//	func TestBundle(t *testing.T) {
//		b := sitetest.Bundle{Root: "../..", Sources: []string{"src"}, Entries: []string{"src/page.ts"}}
//		b.Compare(t, *update)
//	}
//
// Scripts are bundled by esbuild, at the version that tools.mod pins. Where that is
// not here and cannot be downloaded, Compare skips; with CI=true it fails.
package sitetest

import (
	"bytes"
	"compress/gzip"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// assets is the folder that a package serves.
const assets = "assets"

// Bundle is what the folder assets of the package under test is made of.
type Bundle struct {
	Root    string   // the repository, from the package
	Sources []string // folders and files that are read
	Entries []string // scripts and styles that pages load
	Options []string // of esbuild, besides those of all
}

// Compare fails if the folder assets is not what the sources give. With update it
// writes it.
func (b *Bundle) Compare(t *testing.T, update bool) {
	t.Helper()
	if update {
		b.write(t, assets)
		return
	}
	fresh := t.TempDir()
	b.write(t, fresh)
	want, got := names(t, fresh), names(t, assets)
	if len(want) == 0 || !slices.Equal(want, got) {
		t.Fatalf("assets has %v, the sources give %v; run `make web`", got, want)
	}
	for _, name := range want {
		if !bytes.Equal(read(t, filepath.Join(fresh, name)), read(t, filepath.Join(assets, name))) {
			t.Errorf("assets/%s is not what the sources give; run `make web`", name)
		}
	}
}

func (b *Bundle) write(t *testing.T, dir string) {
	t.Helper()
	Visit(t, b.Sources...)
	args := slices.Concat([]string{
		"tool", "-modfile=" + filepath.Join(b.Root, "tools.mod"), "esbuild", "--bundle", "--minify", "--format=esm", "--target=es2022",
		"--log-level=warning", "--charset=utf8", "--entry-names=[name]", "--outdir=" + dir,
	}, b.Options, b.Entries)
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		if os.Getenv("CI") != "true" && bytes.Contains(out, []byte("dial tcp")) {
			t.Skipf("esbuild is not here and cannot be downloaded; the bundle was not compared: %s", out)
		}
		t.Fatalf("esbuild: %v\n%s", err, out)
	}
}

// Visit looks at what another program reads, so that a result is not taken from go
// test's cache when that has changed. It returns the files.
func Visit(t *testing.T, roots ...string) (files []string) {
	t.Helper()
	for _, root := range roots {
		err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				files = append(files, file)
				_, err = os.Stat(file)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// Quiet fails if a source makes markup of text, looks at the browser's name or keeps
// something in it, or has one of the words besides.
func Quiet(t *testing.T, dir string, words ...string) {
	t.Helper()
	files := Visit(t, dir)
	if len(files) == 0 {
		t.Fatalf("%s has no scripts", dir)
	}
	for _, file := range files {
		if word := loud(string(read(t, file)), words); word != "" {
			t.Errorf("%s has %s", file, word)
		}
	}
}

// loud is the first thing in a script that none may do; empty: there is none.
func loud(script string, words []string) string {
	all := append([]string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "userAgent", "localStorage"}, words...)
	if i := slices.IndexFunc(all, func(word string) bool { return strings.Contains(script, word) }); i >= 0 {
		return all[i]
	}
	return ""
}

// Small fails if a file has more bytes than most, gzipped, or less than least: then it
// is not what it should be.
func Small(t *testing.T, file string, least, most int) {
	t.Helper()
	data := read(t, file)
	var small bytes.Buffer
	z := gzip.NewWriter(&small)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if small.Len() < least || small.Len() > most {
		t.Errorf("%s has %d bytes, gzipped; want %d to %d", file, small.Len(), least, most)
	}
	t.Logf("%s: %d bytes, %d gzipped", file, len(data), small.Len())
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
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
