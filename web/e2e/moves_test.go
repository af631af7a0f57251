package e2e

import (
	"bufio"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// movePictures writes the pictures of a move, which needs phones, and so a whole
// server.
var movePictures = flag.Bool("move-screenshots", false, "write the pictures of a move to docs/screenshots")

// TestMoves: a browser of the account looks on while `staunch phone transfer` moves
// it from phone to phone, over the program's own server.
func TestMoves(t *testing.T) {
	tools(t)
	dir := t.TempDir()
	bin := filepath.Join(dir, "staunch")
	if out, err := exec.Command("go", "build", "-o", bin, "../../cmd/staunch").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	demo := filepath.Join(dir, "demo")
	_, stop := dev(t, bin, demo)
	stop()
	patient(t, filepath.Join(demo, "staunch.toml"))
	at, _ := dev(t, bin, demo)
	env := []string{"STAUNCH_URL=" + at.Pages, "STAUNCH_API=" + at.URL, "STAUNCH_BIN=" + bin, "STAUNCH_HOMES=" + dir}
	if *movePictures {
		out, err := filepath.Abs("../../docs/screenshots")
		if err != nil {
			t.Fatal(err)
		}
		env = append(env, "STAUNCH_SCREENSHOTS="+out)
	}
	drive(t, "moves.mjs", env...)
}

// served is what `staunch dev` says when it answers.
type served struct{ URL, Pages string }

// dev runs `staunch dev` over dir until stop, or until the test ends.
func dev(t *testing.T, bin, dir string) (at served, stop func()) {
	t.Helper()
	cmd := exec.Command(bin, "dev", "--dir", dir, "--listen", "127.0.0.1:0", "--json")
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := false
	stop = func() {
		if done {
			return
		}
		done = true
		_ = cmd.Process.Signal(os.Interrupt)
		late := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		late.Stop()
	}
	t.Cleanup(stop)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("staunch dev: %v", err)
	}
	if err := json.Unmarshal([]byte(line), &at); err != nil || at.Pages == "" {
		t.Fatalf("staunch dev: %q, %v", line, err)
	}
	return at, stop
}

// patient gives the server times that a slow machine cannot miss: the hold of
// phones that are not near each other outlives the test, every other one is short,
// and an account can be taken back for ten minutes.
func patient(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	to := map[string]string{"hold_none": `"30m"`, "hold_risk": `"2s"`, "recall_window": `"10m"`}
	changed := 0
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		name, _, _ := strings.Cut(line, " = ")
		if value, ok := to[name]; ok {
			lines[i] = name + " = " + value
			changed++
		}
	}
	if changed != len(to) {
		t.Fatalf("%d of %d settings are in %s", changed, len(to), text)
	}
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
}
