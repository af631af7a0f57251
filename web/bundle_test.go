package web_test

import (
	"bytes"
	"compress/gzip"
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
		"tool", "-modfile=../tools.mod", "esbuild", "--bundle", "--minify", "--format=esm", "--target=es2022",
		"--log-level=warning", "--charset=utf8", "--outdir=" + dir, "src/style.css",
	}
	pages, err := filepath.Glob("templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pages {
		script := "src/" + strings.TrimSuffix(filepath.Base(p), ".html") + ".ts"
		if _, err := os.Stat(script); err == nil {
			args = append(args, script)
		}
	}
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
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

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// TestSignInIsSmall: the script of the sign-in page has at most 8 KiB, gzipped.
func TestSignInIsSmall(t *testing.T) {
	data, err := os.ReadFile("assets/signin.js")
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
	if small.Len() == 0 || small.Len() > 8<<10 {
		t.Errorf("%d bytes", small.Len())
	}
	t.Logf("%d bytes, %d gzipped", len(data), small.Len())
}

// TestScriptsAreQuiet: no script makes markup of text, looks at the browser's
// name, or sends what PRF gives.
func TestScriptsAreQuiet(t *testing.T) {
	for _, file := range names(t, "src") {
		data, err := os.ReadFile(filepath.Join("src", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "userAgent", "localStorage", "authenticatorAttachment:"} {
			if strings.Contains(string(data), bad) {
				t.Errorf("src/%s has %s", file, bad)
			}
		}
	}
}
