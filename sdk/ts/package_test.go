package ts

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// install makes a project that has the package as `npm pack` makes it and npm would
// install it, with what the package depends on.
func install(t *testing.T) (project, pkg string) {
	t.Helper()
	tools(t)
	if _, err := exec.LookPath("npm"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("npm is not here: install Node 20 or later with npm")
		}
		t.Skip("npm is not here: install Node 20 or later with npm")
	}
	stage, project := t.TempDir(), t.TempDir()
	compiled := compile(t)
	for _, name := range []string{"package.json", "README.md", "LICENSE"} {
		b, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(filepath.Join(stage, name), b, 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for to, from := range map[string]string{"src": "src", "test": "test", "dist": compiled} { // the tests too: they are not to be in it
		if err := os.CopyFS(filepath.Join(stage, to), os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	pack := exec.CommandContext(t.Context(), "npm", "pack", "--ignore-scripts", "--offline", "--no-update-notifier", "--silent")
	pack.Dir, pack.Stderr = stage, t.Output()
	name, err := pack.Output()
	if err != nil {
		t.Fatal("npm pack:", err)
	}
	modules := filepath.Join(project, "node_modules")
	pkg = filepath.Join(modules, "@staunch", "client")
	unpack(t, filepath.Join(stage, strings.TrimSpace(string(name))), pkg)
	entries, err := os.ReadDir("node_modules")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		to, err := filepath.Abs(filepath.Join("node_modules", e.Name()))
		if err == nil {
			err = os.Symlink(to, filepath.Join(modules, e.Name()))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return project, pkg
}

// unpack puts the files of a package into a folder.
func unpack(t *testing.T, tarball, dir string) {
	t.Helper()
	f, err := os.Open(tarball)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zip, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for files := tar.NewReader(zip); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(h.Name, "package/")))
		b, err := io.ReadAll(files)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(to), 0o777)
		}
		if err == nil {
			err = os.WriteFile(to, b, 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestPackage: what npm packs has all that it names, and nothing that is not for
// its users; a source map leads to a source that is there.
func TestPackage(t *testing.T) {
	project, pkg := install(t)
	var files []string
	err := filepath.WalkDir(pkg, func(file string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(pkg, file)
			files = append(files, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	maps := 0
	for _, name := range files {
		switch {
		case slices.Contains([]string{"LICENSE", "README.md", "package.json"}, name), strings.HasPrefix(name, "src/"):
		case !strings.HasPrefix(name, "dist/src/"):
			t.Errorf("%s is in the package, and is nothing for its users", name)
		case strings.HasSuffix(name, ".map"):
			maps++
			var m struct{ Sources []string }
			b, err := os.ReadFile(filepath.Join(pkg, filepath.FromSlash(name)))
			if err == nil {
				err = json.Unmarshal(b, &m)
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, source := range m.Sources {
				if at := path.Join(path.Dir(name), source); !slices.Contains(files, at) {
					t.Errorf("%s leads to %s, which is not in the package: add it to \"files\" of package.json", name, at)
				}
			}
		case !slices.Contains(files, name+".map"):
			t.Errorf("%s has no source map", name)
		}
	}
	if maps == 0 {
		t.Error("no source maps")
	}
	license, err := os.ReadFile("../../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(pkg, "LICENSE")); err != nil || !bytes.Equal(b, license) {
		t.Errorf("the package's license is not that of the repository: copy LICENSE to sdk/ts (%v)", err)
	}

	// What goes wrong in it is told by the line of its source.
	script := `import { Phone } from "@staunch/client"; await Phone.open({ url: "no address", store: { read: async () => undefined } });`
	if err := os.WriteFile(filepath.Join(project, "wrong.mjs"), []byte(script), 0o666); err != nil {
		t.Fatal(err)
	}
	wrong := exec.CommandContext(t.Context(), "node", "--enable-source-maps", "wrong.mjs")
	wrong.Dir = project
	out, err := wrong.CombinedOutput()
	at := regexp.MustCompile(`(/[^ :]*/src/phone/core\.ts):\d+`).FindSubmatch(out)
	if err == nil || at == nil {
		t.Fatalf("no line of src/phone/core.ts (%v) in\n%s", err, out)
	}
	if _, err := os.Stat(string(at[1])); err != nil {
		t.Error(err)
	}
}
