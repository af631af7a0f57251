// Package vectors finds the third-party test vectors, for tests. They are not part
// of the repository: they lie in ../shared/vectors beside it, or in the folder that
// STAUNCH_VECTORS names.
//
//	for _, file := range must(filepath.Glob(filepath.Join(vectors.Dir(t, "attestation"), "*.json"))) {
//
// Without them a test is skipped and says where they were looked for. With CI=true
// it fails, so that nobody takes a run for more than it was.
package vectors

import (
	"os"
	"path/filepath"
	"testing"
)

// Dir is the folder of one kind of vectors: "attestation", "webauthn". It ends the
// test where there is none.
func Dir(t testing.TB, kind string) string {
	t.Helper()
	dir, found := Find(t, kind)
	switch {
	case found:
	case os.Getenv("CI") == "true":
		t.Fatal(kind + " vectors not found at " + dir + ": set STAUNCH_VECTORS to the folder that has " + kind + "/")
	default:
		t.Skip(kind + " vectors not found at " + dir)
	}
	return dir
}

// Find is where the folder of one kind is, or of all if kind is empty, and whether
// it is there, for tests that go on without.
func Find(t testing.TB, kind string) (dir string, found bool) {
	t.Helper()
	all := os.Getenv("STAUNCH_VECTORS")
	if all == "" {
		all = filepath.Join(root(t), "..", "shared", "vectors")
	}
	dir, err := filepath.Abs(filepath.Join(all, kind))
	if err != nil {
		t.Fatal(err)
	}
	_, err = os.Stat(dir)
	return dir, err == nil
}

// root is the folder of the repository: that of go.mod, above the test's package.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("vectors: no go.mod above the test")
		}
		dir = up
	}
}
