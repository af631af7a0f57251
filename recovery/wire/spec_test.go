package wire_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// labelsOf are the labels in a text or in the strings of a file.
func labelsOf(text string, all map[string]bool) {
	for _, l := range regexp.MustCompile(`staunch/(kr1|seed)/[a-z-]+`).FindAllString(text, -1) {
		all[l] = true
	}
}

// TestSpecification: the labels of spec/kr1.md are those of the code, and the
// vectors that it names are there, each of them.
func TestSpecification(t *testing.T) {
	b, err := os.ReadFile("../../spec/kr1.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	spec, code := map[string]bool{}, map[string]bool{}
	labelsOf(page, spec)
	for _, pattern := range []string{"*.go", "../toprf/*.go", "../cpace/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					s, err := strconv.Unquote(lit.Value)
					if err != nil {
						t.Fatal(err)
					}
					labelsOf(s, code)
				}
				return true
			})
		}
	}
	got, want := slices.Sorted(maps.Keys(code)), slices.Sorted(maps.Keys(spec))
	if !slices.Equal(got, want) || len(got) < 20 {
		t.Errorf("labels of the code\n%v\nand of the specification\n%v", got, want)
	}
	files, err := filepath.Glob(vectors + "*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.Contains(page, "(vectors/kr1/"+filepath.Base(f)+")") {
			t.Errorf("the page does not name %s", f)
		}
	}
	for _, m := range regexp.MustCompile(`\(vectors/kr1/([a-z.]+)\)`).FindAllStringSubmatch(page, -1) {
		if _, err := os.Stat(vectors + m[1]); err != nil {
			t.Error(err)
		}
	}
	for _, s := range samples() {
		if !regexp.MustCompile(`(?m)(^|\s)` + specName(s.value) + `(<tbs>)?\s+=`).MatchString(page) {
			t.Errorf("no rule for %s", specName(s.value))
		}
	}
}
