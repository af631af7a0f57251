package docs_test

import (
	"encoding/json"
	"flag"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/staunchid/staunch/attest/attesttest"
)

var update = flag.Bool("update", false, "write docs/findings.md")

// root is the top of the repository, seen from this package.
const root = ".."

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// pages are the documents, by their path from the top of the repository.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			name, err := filepath.Rel(root, f)
			if err != nil {
				t.Fatal(err)
			}
			all[filepath.ToSlash(name)] = readFile(t, filepath.ToSlash(name))
		}
	}
	return all
}

// withoutCode leaves fenced blocks out of a page.
func withoutCode(page string) string {
	var b strings.Builder
	inside := false
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "```") {
			inside = !inside
		} else if !inside {
			b.WriteString(line)
		}
	}
	return b.String()
}

// anchors are the targets that the headings of a page make.
func anchors(page string) map[string]bool {
	all := map[string]bool{}
	for line := range strings.Lines(withoutCode(page)) {
		title := strings.TrimLeft(line, "#")
		if title == line || !strings.HasPrefix(title, " ") {
			continue
		}
		slug := strings.Map(func(r rune) rune {
			switch {
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			case r == ' ':
				return '-'
			}
			return -1
		}, strings.TrimSpace(title))
		all[slug] = true
	}
	return all
}

// TestLinks: every relative link leads to a file, and to a heading in it.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for name, page := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(withoutCode(page), -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			file := name
			if target != "" {
				file = filepath.ToSlash(filepath.Join(filepath.Dir(name), filepath.FromSlash(target)))
			}
			if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(file))); err != nil {
				t.Errorf("%s: the link %s leads nowhere", name, m[1])
				continue
			}
			if anchor != "" && !anchors(readFile(t, file))[anchor] {
				t.Errorf("%s: the link %s leads to no heading", name, m[1])
			}
		}
	}
}

// goFiles calls yield for every Go file of the repository.
func goFiles(t *testing.T, yield func(name string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && file != root && (name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")) {
			return fs.SkipDir
		}
		if strings.HasSuffix(file, ".go") {
			yield(file)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// requires are the modules that a go.mod names.
func requires(t *testing.T, file string) []string {
	t.Helper()
	var all []string
	for _, m := range regexp.MustCompile(`(?m)^\s+(\S+) v\d\S*`).FindAllStringSubmatch(readFile(t, file), -1) {
		all = append(all, m[1])
	}
	return all
}

// moduleOf is the longest of modules that the import path lies in, or "".
func moduleOf(path string, modules []string) (found string) {
	for _, m := range modules {
		if (path == m || strings.HasPrefix(path, m+"/")) && len(m) > len(found) {
			found = m
		}
	}
	return found
}

// packages gives the npm packages that this repository uses.
func packages(t *testing.T) (names []string) {
	t.Helper()
	for _, file := range []string{"sdk/ts/package.json", "web/demo/package.json", "web/e2e/package.json", "passkey/testdata/secondopinion/package.json"} {
		var p struct {
			Dependencies    map[string]string `json:"dependencies"`
			DevDependencies map[string]string `json:"devDependencies"`
		}
		if err := json.Unmarshal([]byte(readFile(t, file)), &p); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		names = slices.AppendSeq(names, maps.Keys(p.Dependencies))
		names = slices.AppendSeq(names, maps.Keys(p.DevDependencies))
	}
	return names
}

// TestDependencies: docs/dependencies.md has a row for every module that our
// code imports, every tool and every npm package, and for nothing else.
func TestDependencies(t *testing.T) {
	modules := requires(t, "go.mod")
	want := map[string]bool{}
	goFiles(t, func(name string) {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range f.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if m := moduleOf(path, modules); m != "" {
				want[m] = true
			}
		}
	})
	tools := requires(t, "tools.mod")
	_, list, ok := strings.Cut(readFile(t, "tools.mod"), "tool (")
	list, _, end := strings.Cut(list, ")")
	if !ok || !end {
		t.Fatal("tools.mod has no tool (...)")
	}
	for _, tool := range strings.Fields(list) {
		want[moduleOf(tool, tools)] = true
	}
	for _, name := range packages(t) {
		want[name] = true
	}
	rows := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)`").FindAllStringSubmatch(readFile(t, "docs/dependencies.md"), -1) {
		rows[m[1]] = true
	}
	for m := range want {
		if !rows[m] {
			t.Errorf("docs/dependencies.md has no row for %s", m)
		}
	}
	for m := range rows {
		if !want[m] {
			t.Errorf("docs/dependencies.md has a row for %s, which nothing uses", m)
		}
	}
}

// TestNames: tests, reasons, metrics and commands that the documents name are
// there.
func TestNames(t *testing.T) {
	tests, source := map[string]bool{}, map[string]string{}
	fn := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark|Example)\w*)`)
	goFiles(t, func(name string) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		source[filepath.ToSlash(name)] = string(text)
		for _, m := range fn.FindAllStringSubmatch(string(text), -1) {
			tests[m[1]] = true
		}
	})
	used := regexp.MustCompile("`((?:Test|Fuzz|Benchmark)[A-Z]\\w*)`")
	counted := source[root+"/server/metrics.go"] + source[root+"/server/metricsrecovery.go"] + source[root+"/server/metricstransfer.go"]
	metric := regexp.MustCompile(`\bstaunch_[a-z_]+\b`)
	for name, page := range pages(t) {
		for _, m := range used.FindAllStringSubmatch(page, -1) {
			if !tests[m[1]] {
				t.Errorf("%s names %s, which is no test", name, m[1])
			}
		}
		for _, m := range metric.FindAllString(page, -1) {
			m = strings.TrimSuffix(strings.TrimSuffix(m, "_sum"), "_count")
			if !strings.Contains(counted+source[root+"/server/feed.go"]+source[root+"/server/retry.go"], strconv.Quote(m)) {
				t.Errorf("%s names the metric %s, which the server does not have", name, m)
			}
		}
	}
	operations := readFile(t, "docs/operations.md")
	for _, m := range regexp.MustCompile(`(?:Name: |NewDesc\()"(\w+)"`).FindAllStringSubmatch(counted, -1) {
		if !strings.Contains(operations, "`"+m[1]+"`") {
			t.Errorf("docs/operations.md does not name the metric %s", m[1])
		}
	}
}

// TestReasons: docs/api.md has the reasons of the table of errors, and no other.
func TestReasons(t *testing.T) {
	var want, rows []string
	for _, m := range regexp.MustCompile(`connect\.Code\w+, "([A-Z_]+)"`).FindAllStringSubmatch(readFile(t, "rpc/errors.go")+readFile(t, "rpc/refusal.go"), -1) {
		want = append(want, m[1])
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\| [a-z_]+ \\|").FindAllStringSubmatch(readFile(t, "docs/api.md"), -1) {
		rows = append(rows, m[1])
	}
	slices.Sort(want)
	slices.Sort(rows)
	if want = slices.Compact(want); !slices.Equal(want, rows) {
		t.Errorf("docs/api.md has the reasons\n%v\nand rpc/errors.go\n%v", rows, want)
	}
}

// TestSamples: a name in quotes on the pages about divergences is a row of the
// catalogue of software phones.
func TestSamples(t *testing.T) {
	rows := map[string]bool{}
	for _, d := range attesttest.Deviations() {
		rows[d.Name] = true
	}
	quoted := regexp.MustCompile(`"([a-z0-9]+(?:-[a-z0-9]+)+)"`)
	for name, page := range pages(t) {
		if !strings.HasPrefix(name, "docs/divergences/") {
			continue
		}
		for _, m := range quoted.FindAllStringSubmatch(page, -1) {
			if !rows[m[1]] {
				t.Errorf("%s names the sample %s, which is none", name, m[1])
			}
		}
	}
}
