package ts

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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

// TestQuickStart: what the README shows first runs, twice, in a project that has
// the package as npm would install it.
func TestQuickStart(t *testing.T) {
	w := newWorld(t)
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, code, ok := strings.Cut(string(readme), "```ts\n")
	code, _, end := strings.Cut(code, "```\n")
	if !ok || !end {
		t.Fatal("README.md has no code in TypeScript")
	}
	project := filepath.Join(w.dir, "project")
	put := func(name, text string) {
		t.Helper()
		file := filepath.Join(project, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	link := func(to, name string) {
		t.Helper()
		to, err := filepath.Abs(to)
		if err == nil {
			err = os.Symlink(to, filepath.Join(project, filepath.FromSlash(name)))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	manifest, err := os.ReadFile("package.json")
	if err != nil {
		t.Fatal(err)
	}
	put("phone.mts", code)
	put("package.json", `{"type": "module"}`)
	put("node_modules/@staunch/client/package.json", string(manifest))
	link(filepath.Join(filepath.Dir(w.script), "..", ".."), "node_modules/@staunch/client/dist")
	link("node_modules/@types", "node_modules/@types")
	run(t, "node", "node_modules/typescript/bin/tsc", "--ignoreConfig", "--strict", "--target", "es2022", "--module", "nodenext", "--types", "node", "--skipLibCheck",
		"--outDir", project, filepath.Join(project, "phone.mts"))

	start := func(ctx context.Context) string {
		cmd := exec.CommandContext(ctx, "node", "phone.mjs")
		cmd.Dir, cmd.Env = project, append(os.Environ(), "STAUNCH_URL="+w.origin)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	first := start(t.Context())
	for _, want := range []string{"account a_", "keep this on paper: ", "\nfrozen\nyou approve: "} {
		if !strings.Contains(first, want) {
			t.Errorf("no %q in\n%s", want, first)
		}
	}
	if again := start(t.Context()); !strings.HasPrefix(again, "frozen\nyou approve: ") {
		t.Errorf("it is not the same phone:\n%s", again)
	}
}
