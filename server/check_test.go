package server_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/staunchid/staunch/server"
	"github.com/staunchid/staunch/store"
)

// TestCheckStoreUnreadable: a file that cannot be read as a store is damage and
// not a failure of the check, and the problem names the file.
func TestCheckStoreUnreadable(t *testing.T) {
	opts := setup(t)
	if err := start(t, opts).Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(filepath.Join(opts.Config.DataDir, "demo.db"))
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"nothing": nil, "garbage": []byte("garbage"), "a page": whole[:4096], "half": whole[:len(whole)/2]} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "demo.db")
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			r, err := server.CheckStore(context.Background(), dir, "demo")
			if err != nil || len(r.Problems) != 1 || r.App != "demo" {
				t.Fatalf("%+v, %v", r, err)
			}
			if p := r.Problems[0]; p.Kind != store.BrokenFile || !strings.Contains(p.Subject, path) {
				t.Errorf("%+v", p)
			}
		})
	}
}
