package main

import (
	"bytes"
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const header = "# Accept everybody\n# code: toy.check\n# test: ./...\n"

// toy is a module with one check and its test; spare is a check without one.
var toy = map[string]string{
	"go.mod": "module example.org/toy\n\ngo 1.24\n",
	"toy.go": `package toy

func Allowed(name string) bool {
	if name == "" {
		return false
	}
	if len(name) > 10 {
		return false
	}
	return true
}
`,
	"toy_test.go": `package toy

import "testing"

func TestAllowed(t *testing.T) {
	if !Allowed("anna") {
		t.Error("refused")
	}
	t.Run("nobody", func(t *testing.T) {
		if Allowed("") {
			t.Error("accepted")
		}
	})
}
`,
}

// diff replaces one line of the toy, with a line of context on either side.
func diff(old, new string) string {
	before, after, _ := strings.Cut(toy["toy.go"], old+"\n")
	above := strings.Split(strings.TrimSuffix(before, "\n"), "\n")
	below, _, _ := strings.Cut(after, "\n")
	return "--- a/toy.go\n+++ b/toy.go\n@@ -4,3 +4,3 @@\n " + above[len(above)-1] + "\n-" + old + "\n+" + new + "\n " + below + "\n"
}

// checkout makes a repository of the files and goes there.
func checkout(t *testing.T, files map[string]string) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("git not found")
		}
		t.Skip("git not found")
	}
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("git", "init", "-q", dir).CombinedOutput(); err != nil {
		t.Fatalf("git init: %v: %s", err, out)
	}
	t.Chdir(dir)
}

// run1 runs the command in a checkout of the toy with some patches and changes.
func run1(t *testing.T, changes map[string]string, args ...string) (status int, out string) {
	t.Helper()
	files := maps.Clone(toy)
	maps.Copy(files, changes)
	checkout(t, files)
	var b bytes.Buffer
	status = run(t.Context(), args, &b, &b)
	if now, err := os.ReadFile("toy.go"); err != nil || string(now) != toy["toy.go"] {
		t.Errorf("the checkout was changed: %v\n%s", err, now)
	}
	return status, b.String()
}

var killing = header + diff("	if name == \"\" {", "	if false {")

// TestMutate: one tree serves all patches, one after the other.
func TestMutate(t *testing.T) {
	status, out := run1(t, map[string]string{
		directory + "/0001-killed.patch":      killing,
		directory + "/0002-survives.patch":    header + diff("	if len(name) > 10 {", "	if false {"),
		directory + "/0003-elsewhere.patch":   strings.Replace(killing, "-	if name == \"\" {", "-	if name == \"bert\" {", 1),
		directory + "/0004-broken.patch":      header + diff("	if name == \"\" {", "	if nobody {"),
		directory + "/0005-test-broken.patch": header + diff("func Allowed(name string) bool {", "func Refused(name string) bool {"),
		directory + "/0006-panics.patch":      header + diff("	return true", "	panic(name)"),
		directory + "/0007-killed.patch":      killing,
		directory + "/0008-left-out.patch":    killing,
	}, "-j", "1", "-v", "-run", "000[1-7]")
	if status != 1 {
		t.Errorf("status %d, want 1", status)
	}
	for _, want := range []string{
		"0001-killed       killed          toy.check  TestAllowed/nobody\n",
		"0002-survives     SURVIVED        toy.check  Accept everybody\n",
		"0003-elsewhere    DOES NOT APPLY  ",
		"0004-broken       DOES NOT BUILD  ",
		"0005-test-broken  DOES NOT BUILD  ",
		"0006-panics       killed          toy.check  TestAllowed",
		"0007-killed       killed          ",
		"7 mutants, 3 killed, 4 not\n",
		"toy_test.go:11: accepted", // of -v
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q", want)
		}
	}
	if t.Failed() {
		t.Log(out)
	}
}

// TestPackagesOfNode: a copy has what npm has installed, and a mutant that tsc
// refuses is none.
func TestPackagesOfNode(t *testing.T) {
	status, out := run1(t, map[string]string{
		".gitignore": "node_modules/\n", "js/package-lock.json": "{}", "other/package-lock.json": "{}", "js/node_modules/tsc": "as installed",
		"js_test.go": `package toy

import (
	"os"
	"testing"
)

func TestScript(t *testing.T) {
	if text, err := os.ReadFile("js/node_modules/tsc"); err != nil || string(text) != "as installed" {
		t.Fatal(string(text), err)
	}
	if Allowed("") {
		t.Fatal("a.ts(1,7): error TS6133: 'a' is declared but its value is never read.")
	}
}
`,
		directory + "/0001-tsc.patch": strings.Replace(killing, "# test:", "# run: ^TestScript$\n# test:", 1),
	}, "-j", "1")
	if status != 1 || !strings.Contains(out, "0001-tsc  DOES NOT BUILD  ") {
		t.Errorf("status %d\n%s", status, out)
	}
	if _, err := os.Stat("js/node_modules/tsc"); err != nil {
		t.Error("the packages of the checkout are gone:", err)
	}
}

func TestStatus(t *testing.T) {
	for _, tt := range []struct {
		name   string
		patch  string
		change map[string]string // of the toy
		args   []string
		status int
		want   string // in the output
	}{
		{name: "all killed, two workers", patch: strings.Replace(killing, "# test", "# run: ^TestAllowed$/^nobody$\n# run: ^TestOther$\n# test", 1), args: []string{"-j", "2", "-run", "toy.check"}, want: "1 killed, 0 not"},
		{name: "unmutated fails", patch: killing, change: map[string]string{"toy_test.go": "package toy\n\nimport \"testing\"\n\nfunc TestBad(t *testing.T) { t.Fatal(1) }\n"},
			status: 2, want: "without any mutation, ./... fails (TestBad)"},
		{name: "unmutated does not build", patch: killing, change: map[string]string{"toy_test.go": "package toy\n\nvar x int = \"\"\n"},
			status: 2, want: "without any mutation"},
		{name: "no test", patch: strings.Replace(killing, "# test", "# run: ^TestNone$\n# test", 1), status: 2, want: "no test of ./... matches"},
		{name: "none selected", patch: killing, args: []string{"-run", "nothing"}, status: 2, want: "no patch"},
		{name: "list", patch: killing, args: []string{"-list"}, want: "0001-check  toy.check"},
		{name: "usage", patch: killing, args: []string{"0001"}, status: 2, want: "usage"},
		{name: "bad regexp", patch: killing, args: []string{"-run", "("}, status: 2, want: "usage"},
		{name: "bad flag", patch: killing, args: []string{"-x"}, status: 2, want: "not defined"},
		{name: "help", patch: killing, args: []string{"-h"}, want: "-run regexp"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string]string{directory + "/0001-check.patch": tt.patch}
			maps.Copy(files, tt.change)
			status, out := run1(t, files, tt.args...)
			if status != tt.status || !strings.Contains(out, tt.want) {
				t.Errorf("status %d, want %d and %q in\n%s", status, tt.status, tt.want, out)
			}
		})
	}
}

func TestInterrupted(t *testing.T) {
	files := maps.Clone(toy)
	files[directory+"/0001-a.patch"] = killing
	checkout(t, files)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	if status := run(ctx, nil, &out, &out); status != 2 {
		t.Errorf("status %d\n%s", status, out.String())
	}
}

func TestNoRepository(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("GIT_CEILING_DIRECTORIES", filepath.Dir(os.TempDir()))
	t.Setenv("GIT_DIR", filepath.Join(t.TempDir(), "none"))
	var out bytes.Buffer
	if status := run(t.Context(), nil, &out, &out); status != 2 || !strings.Contains(out.String(), "git is needed") {
		t.Errorf("status %d\n%s", status, out.String())
	}
}

func TestParsePatch(t *testing.T) {
	good := header + diff("a", "b")
	for _, tt := range []struct{ name, text, want string }{
		{"good", good, ""},
		{"no title", "# code: x\n" + good[strings.Index(good, "--- "):], "no line"},
		{"empty", "", "first line"},
		{"no code", strings.Replace(good, "# code: toy.check\n", "", 1), "# code"},
		{"no test", strings.Replace(good, "# test: ./...\n", "", 1), "# test"},
		{"no diff", header, "no diff"},
		{"new file", strings.Replace(good, "--- a/toy.go", "--- /dev/null", 1), "makes none"},
		{"deleted file", strings.Replace(good, "+++ b/toy.go", "+++ /dev/null", 1), "makes none"},
		{"outside", strings.Replace(good, "b/toy.go", "b/../toy.go", 1), "below the root"},
	} {
		_, err := parsePatch(tt.text)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestReadPatches(t *testing.T) {
	all := regexp.MustCompile("")
	for _, tt := range []struct {
		name  string
		files []string
		want  string
	}{
		{"good", []string{"0001-a.patch", "0002-b.patch"}, ""},
		{"twice", []string{"0001-a.patch", "0001-b.patch"}, "same number"},
		{"name", []string{"1-a.patch"}, "NNNN-slug"},
	} {
		dir := t.TempDir()
		for _, name := range tt.files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(header+diff("a", "b")), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		patches, err := readPatches(dir, all)
		if tt.want == "" && (err != nil || len(patches) != len(tt.files)) || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %d patches, %v, want %q", tt.name, len(patches), err, tt.want)
		}
	}
}
