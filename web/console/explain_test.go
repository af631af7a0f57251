package console_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/staunchid/staunch/operator"
)

// TestEveryErrorHasWords: an exported error of package operator reaches the
// operator with a reason of its own, and never as "something went wrong".
func TestEveryErrorHasWords(t *testing.T) {
	known := map[string]error{
		"ErrNotAllowed": operator.ErrNotAllowed, "ErrName": operator.ErrName, "ErrNameTaken": operator.ErrNameTaken, "ErrUnknown": operator.ErrUnknown,
		"ErrInvitation": operator.ErrInvitation, "ErrCeremony": operator.ErrCeremony, "ErrRefused": operator.ErrRefused, "ErrSynced": operator.ErrSynced,
		"ErrSession": operator.ErrSession, "ErrTampered": operator.ErrTampered,
	}
	files, err := filepath.Glob("../../operator/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok {
				for _, name := range v.Names {
					if strings.HasPrefix(name.Name, "Err") && known[name.Name] == nil {
						t.Errorf("operator.%s is not looked at here", name.Name)
					}
				}
			}
			return true
		})
	}
	for name, e := range known {
		f := newFake()
		f.err = fmt.Errorf("of today: %w", e)
		res := ask(t, newSite(t, f), "/signin/begin", "{}")
		if r := reason(t, res); r == "INTERNAL" || r == "" {
			t.Errorf("%s: %q", name, r)
		}
	}
	f := newFake()
	f.err = errors.New("the secret is 42")
	res := ask(t, newSite(t, f), "/signin/begin", "{}")
	if body := text(t, res); res.StatusCode != http.StatusInternalServerError || strings.Contains(body, "42") {
		t.Errorf("an unknown error: %d, %s", res.StatusCode, body)
	}
}
