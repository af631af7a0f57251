package e2e

import (
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestSDK: what the TypeScript SDK does with a browser's own database and
// authenticator, on a page that has it and nothing else.
func TestSDK(t *testing.T) {
	tools(t)
	for _, place := range []string{"sdk.mjs", "lib", "../../sdk/ts/src", "../../sdk/ts/test/browser", "../../sdk/ts/package-lock.json"} {
		// `go test` sees what the test itself looks at, and runs it again when that has changed.
		err := filepath.WalkDir(place, func(path string, _ fs.DirEntry, err error) error {
			if err == nil {
				_, err = os.Stat(path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	script := filepath.Join(t.TempDir(), "page.js")
	cmd := exec.CommandContext(t.Context(), "go", "tool", "-modfile=../../tools.mod", "esbuild", "--bundle", "--format=esm", "--target=es2022",
		"--log-level=warning", "--outfile="+script, "../../sdk/ts/test/browser/page.ts")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("esbuild: %v\n%s", err, out)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		if _, err := w.Write([]byte(`<!doctype html><html lang="en"><title>SDK</title><link rel="icon" href="data:,"><script type="module" src="/page.js"></script></html>`)); err != nil {
			t.Error(err)
		}
	})
	mux.HandleFunc("GET /page.js", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, script) })
	l, port := listen(t)
	serve(t, l, mux)
	drive(t, "sdk.mjs", "STAUNCH_URL=http://localhost:"+port)
}
