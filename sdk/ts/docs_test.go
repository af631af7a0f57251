package ts

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write docs/sdk-ts.md")

// reference is where the reference stands.
var reference = filepath.Join("..", "..", "docs", "sdk-ts.md")

// TestReference: the reference is that of the code, and every name has a comment.
func TestReference(t *testing.T) {
	tools(t)
	cmd := exec.CommandContext(t.Context(), "node", "reference.mjs", "./"+filepath.ToSlash(compile(t)))
	cmd.Stderr = t.Output()
	want, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(reference, want, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != string(want) {
		t.Error("docs/sdk-ts.md is not that of the code: run `make sdk-docs`")
	}
}
