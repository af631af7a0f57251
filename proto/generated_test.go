// Package proto checks that gen/ belongs to the definitions here.
package proto

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write SUMS; only `make generate` does this, after it has generated")

// sums hashes what is generated and what it is generated from: definitions,
// settings, and the versions of the tools.
func sums(t *testing.T) string {
	t.Helper()
	root := ".."
	var lines []string
	add := func(name string, data []byte) {
		lines = append(lines, fmt.Sprintf("%x  %s\n", sha256.Sum256(data), name))
	}
	for _, dir := range []string{"proto", "gen", "sdk/ts/src/gen"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(file, ".proto") && dir == "proto" {
				return err
			}
			data, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			name, err := filepath.Rel(root, file)
			add(filepath.ToSlash(name), bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(filepath.Join(root, "buf.gen.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	add("buf.gen.yaml", bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")))
	add("tools.mod", toolVersions(t, filepath.Join(root, "tools.mod")))
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// toolVersions are the lines of tools.mod that decide what is generated.
func toolVersions(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for s := bufio.NewScanner(bytes.NewReader(data)); s.Scan(); {
		f := strings.Fields(s.Text())
		if len(f) >= 2 && (f[0] == "connectrpc.com/connect" || f[0] == "google.golang.org/protobuf") {
			fmt.Fprintln(&out, f[0], f[1])
		}
	}
	if out.Len() == 0 {
		t.Fatal("tools.mod names no generator")
	}
	return out.Bytes()
}

// TestGenerated fails when somebody has changed a definition without
// generating, or generated code by hand. `make generate-check` generates anew
// and compares, which takes the minutes that building the tools takes.
func TestGenerated(t *testing.T) {
	got := sums(t)
	if *update {
		if err := os.WriteFile("SUMS", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("SUMS")
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("gen/ and proto/ do not belong together; run make generate\nhave\n%swant\n%s", got, want)
	}
}
