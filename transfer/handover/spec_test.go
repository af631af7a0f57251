package handover_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestSpecification: the labels of spec/transfer.md are those of the code, its steps
// have rules, and the vectors that it names are there, each of them.
func TestSpecification(t *testing.T) {
	b, err := os.ReadFile("../../spec/transfer.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	code := map[string]bool{}
	for _, pattern := range []string{"*.go", "../sealed/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if !strings.HasSuffix(name, "_test.go") {
				literals(t, name, code)
			}
		}
	}
	labels := regexp.MustCompile(`[TXI]\((?:[^"()]*, )?"([a-z0-9 ]+)"`).FindAllStringSubmatch(page, -1)
	if len(labels) < 20 {
		t.Fatalf("%d labels in the specification", len(labels))
	}
	for _, m := range labels {
		if !code[m[1]] {
			t.Errorf("the label %q of the specification is not in the code", m[1])
		}
	}
	for _, rule := range []string{"offer", "hello", "answer", "matched", "confirm", "grant", "receipt", "ack", "recall", "final", "secrets", "evidence", "envelope"} {
		if !regexp.MustCompile(`(?m)^` + rule + ` += [{\[]`).MatchString(page) {
			t.Errorf("no rule for %s", rule)
		}
	}
	files, err := filepath.Glob("../../spec/vectors/transfer/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.Contains(page, "(vectors/transfer/"+filepath.Base(f)+")") {
			t.Errorf("the page does not name %s", f)
		}
	}
	for _, m := range regexp.MustCompile(`\(vectors/transfer/([a-z.]+)\)`).FindAllStringSubmatch(page, -1) {
		if _, err := os.Stat("../../spec/vectors/transfer/" + m[1]); err != nil {
			t.Error(err)
		}
	}
}

// literals notes the strings in a file.
func literals(t *testing.T, name string, all map[string]bool) {
	t.Helper()
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
			all[s] = true
		}
		return true
	})
}
