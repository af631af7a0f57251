package audit_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/staunchid/staunch/audit"
)

func TestWords(t *testing.T) {
	for action, want := range map[string]string{
		"account.freeze":        "the account is frozen",
		"account.unfreeze.wait": "asked for, and waits: the account is unfrozen",
		"account.unfreeze.void": "did not happen when its wait was over: the account is unfrozen",
		"device.add.refused":    "refused: a device is added",
		"app.pay":               "the app's own action pay",
		"new.thing_done":        "new: thing done",
	} {
		if got := audit.Words(audit.Entry{Action: action}); got != want {
			t.Errorf("%s: %q, want %q", action, got, want)
		}
	}
}

// TestActions: they are in order, and each has words of its own.
func TestActions(t *testing.T) {
	all := audit.Actions()
	if !slices.IsSorted(all) || !slices.Contains(all, "account.freeze") || len(slices.Compact(slices.Clone(all))) != len(all) {
		t.Errorf("%q", all)
	}
	said := map[string]string{}
	for _, action := range all {
		words := audit.Words(audit.Entry{Action: action})
		if other, twice := said[words]; twice || words == "" {
			t.Errorf("%s and %s: %q", action, other, words)
		}
		said[words] = action
	}
}

// TestWordsForAll: each action that a pillar writes has words of its own.
func TestWordsForAll(t *testing.T) {
	written := regexp.MustCompile(`(?:[Aa]ction: +|d\.action = |deed\([a-z]+, |entry\(c, [a-zA-Z.]+, [a-zA-Z.]+, |audit[A-Z][a-z]+ += |clockDeed\([a-z.A-Z]+, )"([a-z_]+\.[a-z_]+)"`)
	found := 0
	for _, dir := range []string{"integrity", "recovery", "operator", "attest/registry"} {
		files, err := filepath.Glob(filepath.Join("..", dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range written.FindAllSubmatch(bytes.ReplaceAll(text, []byte("Refused{Action"), nil), -1) {
				action := string(m[1])
				found++
				if audit.Words(audit.Entry{Action: action}) == strings.NewReplacer("_", " ", ".", ": ").Replace(action) {
					t.Errorf("%s writes %s, for which there are no words", file, action)
				}
			}
		}
	}
	if found < 40 {
		t.Errorf("only %d actions were found in the source", found)
	}
}
