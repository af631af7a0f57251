package ts

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// firstStart has `staunch dev` write its folder, and gives the text of its
// configuration. The data it has begun is thrown away: it is of that configuration.
func (w *world) firstStart(t *testing.T, dir string) (text string) {
	t.Helper()
	first := exec.CommandContext(t.Context(), w.staunch, "dev", "--dir", dir, "--listen", "127.0.0.1:0", "--json")
	first.Cancel = func() error { return first.Process.Signal(os.Interrupt) }
	first.WaitDelay = 10 * time.Second
	out, err := first.StdoutPipe()
	if err == nil {
		err = first.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(out).Decode(new(struct{})); err != nil { // it has written its configuration
		t.Fatal(err)
	}
	if err := first.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := first.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "data")); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "staunch.toml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// configure lets a server of `staunch dev` start with other values in its
// configuration: value by "section key", as "app.transfer hold_none".
func configure(t *testing.T, values map[string]string) func(w *world, dir string) {
	return func(w *world, dir string) {
		t.Helper()
		lines, section, left := strings.Split(w.firstStart(t, dir), "\n"), "", len(values)
		for i, line := range lines {
			if name, ok := strings.CutPrefix(line, "["); ok {
				section = strings.Trim(name[:strings.Index(name, "]")], "[")
			}
			key, _, ok := strings.Cut(line, " = ")
			if value, wanted := values[section+" "+key]; ok && wanted {
				lines[i] = key + ` = "` + value + `"`
				left--
			}
		}
		if left != 0 {
			t.Fatalf("the configuration of staunch dev has not all of %v", values)
		}
		w.write(t, dir, strings.Join(lines, "\n"))
	}
}

// write puts a configuration where the server reads it.
func (*world) write(t *testing.T, dir, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "staunch.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// seeded makes the server's profile "seed": an enclave that learns the PIN.
func seeded(t *testing.T) func(w *world, dir string) {
	return func(w *world, dir string) {
		t.Helper()
		w.write(t, dir, w.firstStart(t, dir)+"\n[recovery]\nprofile = \"seed\"\n")
	}
}

// newMovesWorld is a world in which moves of phones that are not beside each other
// are held for as long as hold says: "none", or some seconds. A phone that was added
// cools off for a second, and a code lives for five.
func newMovesWorld(t *testing.T, hold string) *world {
	t.Helper()
	return newWorld(t, configure(t, map[string]string{
		"app.transfer hold_none": hold, "app.transfer hold_risk": hold, "app.hold add": "1s", "app.transfer offer_ttl": "5s",
	}))
}
