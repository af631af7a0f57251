package demo_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/store/sqlite"
)

// TestThief: every attack of the panel happens against a real server with real
// vaults, is stopped there, and the record that it names stands in the store with
// the code that it tells.
func TestThief(t *testing.T) {
	url, dir := serveDev(t)
	got := attack(t, url)
	for name, want := range map[string]struct {
		action, code string
		account      bool // in Marie's own chain
	}{
		"repackaged":         {"attest.register", "android.app_signer", false},
		"emulator":           {"attest.register", "android.software_root", false},
		"unlocked":           {"attest.register", "android.boot_unlocked", false},
		"forged":             {"attest.register", "android.signature", false},
		"replayed-payment":   {"attest.request", "common.request_replay", true},
		"changed-payment":    {"attest.request", "common.request_digest", false},
		"stolen-session":     {"session.refused", "session_elsewhere", true},
		"foreign-origin":     {"session.refused", "passkey_refused", false},
		"strangers-code":     {"transfer.aborted", "number_mismatch", true},
		"second-reader":      {"transfer.contended", "contended", true},
		"guessed-pin":        {"recovery.attempt", "", true},
		"rolled-back-record": {"recovery.attempt", "", true},
	} {
		o, ok := got[name]
		delete(got, name)
		if !ok || !o.Stopped || o.Error != "" || o.Words == "" || o.StoppedBy == "" {
			t.Errorf("%s: %+v", name, o)
			continue
		}
		e := entryOf(t, filepath.Join(dir, "data", "demo.db"), o.RecordedID)
		if e.Action != want.action || e.Reason != want.code || string(e.Account) == o.Victim != want.account {
			t.Errorf("%s: %s is %s %q of %q, Marie is %s", name, o.RecordedID, e.Action, e.Reason, e.Account, o.Victim)
		}
		if shown := o.Code; shown != want.code && shown != want.action {
			t.Errorf("%s: the panel says %q", name, shown)
		}
	}
	for name := range got {
		t.Errorf("%s is in the panel, and nobody has said how it must end", name)
	}
}

// outcome is a line of test/thief.ts.
type outcome struct {
	Name, Victim, StoppedBy, Code, RecordedID, Words, Error string
	Stopped                                                 bool
}

// attack runs all attacks.
func attack(t *testing.T, url string) map[string]outcome {
	t.Helper()
	script := filepath.Join(t.TempDir(), "thief.mjs")
	command(t, "go", "tool", "-modfile=../../tools.mod", "esbuild", "--bundle", "--platform=node", "--format=esm", "--target=es2022",
		"--log-level=warning", "--outfile="+script, "test/thief.ts")
	all := map[string]outcome{}
	lines := bufio.NewScanner(bytes.NewReader(command(t, "node", script, url)))
	for lines.Scan() {
		var o outcome
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		all[o.Name] = o
	}
	return all
}

// serveDev runs `staunch dev` until the test ends.
func serveDev(t *testing.T) (url, dir string) {
	t.Helper()
	for _, needed := range []string{"node_modules/qr", "../../sdk/ts/node_modules/hash-wasm"} {
		if _, err := os.Stat(needed); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal(needed + " is not installed: run `make node-modules`")
			}
			t.Skip(needed + " is not installed: run `make node-modules`")
		}
	}
	looked(t)
	program := filepath.Join(t.TempDir(), "staunch")
	command(t, "go", "build", "-o", program, "../../cmd/staunch")
	dir, err := os.MkdirTemp("", "demo-") // sockets are in there, whose path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	server := exec.CommandContext(t.Context(), program, "dev", "--dir", dir, "--listen", "127.0.0.1:0", "--json")
	server.Cancel = func() error { return server.Process.Signal(os.Interrupt) }
	server.WaitDelay = 10 * time.Second
	server.Stderr = t.Output()
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Wait(); err != nil && t.Context().Err() == nil {
			t.Error("the server:", err)
		}
	})
	var at struct{ Pages string }
	if err := json.NewDecoder(out).Decode(&at); err != nil {
		t.Fatal("the server has not begun:", err)
	}
	return at.Pages, dir
}

// looked opens the folders of all that the test has others build, so that go test
// does not give the outcome of an older program.
func looked(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		switch name := d.Name(); {
		case name == "node_modules", name == "testdata", name == "bin", strings.HasPrefix(name, "dist"), strings.HasPrefix(name, ".") && len(name) > 2:
			return fs.SkipDir
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func command(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, name, args...)
	var failed bytes.Buffer
	c.Stderr = &failed
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, failed.String())
	}
	return out
}

// entryOf reads the entry that an id names from the store itself.
func entryOf(t *testing.T, path, id string) (e audit.Entry) {
	t.Helper()
	chain, number, ok := strings.Cut(id, "/")
	n, err := strconv.ParseUint(number, 10, 63)
	if !ok || err != nil {
		t.Fatalf("%q names no entry", id)
	}
	if chain == "app" {
		chain = ""
	}
	s, err := sqlite.Open(t.Context(), &sqlite.Options{Path: path, App: "demo", ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.View(t.Context(), func(tx *sqlite.Tx) error {
		var found bool
		if e, found, err = tx.AuditEntry(t.Context(), account.ID(chain), n); err == nil && !found {
			t.Errorf("the store has no entry %s", id)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}
