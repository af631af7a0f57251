// Package ts runs the tests of the TypeScript SDK with the others.
package ts

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"
)

// tools skips the test if Node and the SDK's packages are not here, and fails it where
// that may not be.
func tools(t *testing.T) {
	t.Helper()
	missing := ""
	if _, err := exec.LookPath("node"); err != nil {
		missing = "node is not here: install Node 20 or later with npm, then run `make node-modules`"
	} else if _, err := os.Stat("node_modules/typescript"); err != nil {
		missing = "the packages of the TypeScript SDK are not installed: run `make node-modules`"
	}
	switch {
	case missing == "":
	case os.Getenv("CI") == "true":
		t.Fatal(missing)
	default:
		t.Skip(missing)
	}
}

// TestSDK compiles the SDK and runs its tests with node.
func TestSDK(t *testing.T) {
	tools(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "npm", "test", "--silent").CombinedOutput()
	if err != nil {
		t.Errorf("npm test: %v\n%s", err, out)
	} else {
		t.Logf("%s", out)
	}
}
