package e2e

import (
	"context"
	"flag"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// chromium is the browser: the one that STAUNCH_CHROMIUM names, or the first
// that is here under one of its names. It is empty if there is none.
func chromium() string {
	for _, name := range []string{os.Getenv("STAUNCH_CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// tools skips the test if there is no browser, and fails it where that may not be.
func tools(t *testing.T) {
	t.Helper()
	missing := ""
	if chromium() == "" {
		missing = "Chromium is not here: run `make browser`, or name one in STAUNCH_CHROMIUM"
	} else if _, err := exec.LookPath("node"); err != nil {
		missing = "node is not here: install Node 20 or later with npm, then run `make browser`"
	} else if _, err := os.Stat("node_modules/playwright-core"); err != nil {
		missing = "playwright-core is not installed: run `make browser`"
	}
	switch {
	case missing == "":
	case os.Getenv("CI") == "true":
		t.Fatal(missing)
	default:
		t.Skip(missing)
	}
}

// drive runs a script of this folder with node's test runner.
func drive(t *testing.T, script string, env ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "--test", "--test-reporter=spec", "--test-timeout=200000", script)
	cmd.Env = append(os.Environ(), "STAUNCH_CHROMIUM="+chromium())
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", script, err, out)
	} else {
		t.Logf("%s\n%s", script, out)
	}
}

// TestBrowser runs each script against a server of its own.
func TestBrowser(t *testing.T) {
	tools(t)
	scripts, err := filepath.Glob("*.test.mjs")
	if err != nil || len(scripts) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, script := range scripts {
		t.Run(strings.TrimSuffix(script, ".test.mjs"), func(t *testing.T) {
			local(t, script)
		})
	}
}

// local runs a script against a server of its own on this machine, without TLS.
func local(t *testing.T, script string, env ...string) {
	t.Helper()
	l, port := listen(t)
	r := newRig(t, place{"localhost", []string{"http://localhost:" + port}})
	serve(t, l, r.handler(t))
	control := httptest.NewServer(r.control())
	defer control.Close()
	drive(t, script, append(env, "STAUNCH_URL=http://localhost:"+port, "STAUNCH_CONTROL="+control.URL)...)
}

var screenshots = flag.Bool("screenshots", false, "write docs/screenshots")

// TestScreenshots takes the pictures of the manual, when asked to.
func TestScreenshots(t *testing.T) {
	if !*screenshots {
		t.Skip("pictures are taken by `go test ./web/e2e -run TestScreenshots -screenshots`")
	}
	tools(t)
	out, err := filepath.Abs("../../docs/screenshots")
	if err != nil {
		t.Fatal(err)
	}
	local(t, "screenshots.mjs", "STAUNCH_SCREENSHOTS="+out)
}

// TestTypes checks the types of the pages' scripts.
func TestTypes(t *testing.T) {
	tools(t)
	if out, err := exec.Command("node_modules/.bin/tsc", "-p", ".").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
