package ts

import (
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// secret is a sealing key of a phone in TypeScript.
const secret = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"

// fails runs a command that ends with an error and returns the last line that it printed.
func fails(t *testing.T, cmd *exec.Cmd) line {
	t.Helper()
	out, err := cmd.Output()
	if err == nil {
		t.Fatalf("%s: no error\n%s", cmd, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return read(t, lines[len(lines)-1])
}

// pinFile writes a PIN for a phone in Go.
func (w *world) pinFile(t *testing.T, pin string) string {
	t.Helper()
	path := filepath.Join(w.dir, "pin-"+pin)
	if err := os.WriteFile(path, []byte(pin+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// until runs the commands that mk makes until one succeeds, while they fail because a wait of the server is not over.
func until(t *testing.T, mk func() *exec.Cmd) line {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
		out, err := mk().Output()
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		last := read(t, lines[len(lines)-1])
		if err == nil {
			return last
		}
		if r := last.text("reason"); r != "TOO_EARLY" {
			t.Fatal(last)
		}
	}
	t.Fatal("the wait does not end")
	return nil
}

// TestRecoverBothWays: what a phone in Go has backed up comes back on one in
// TypeScript, and the reverse.
func TestRecoverBothWays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, configure(t, map[string]string{"app.wait recovery": "10s"})) // long enough to be too early
	ctx := t.Context()
	const pin, wrong = "748219", "748218"
	ts := func(home, command string, args map[string]string) *exec.Cmd {
		return w.inTypeScript(ctx, home, command, args)
	}

	inGo := does(t, w.inGo(ctx, "go1", "enroll", "--server", w.url, "--name", "Go"))
	does(t, w.inGo(ctx, "go1", "backup", "--pin-file", w.pinFile(t, pin)))
	inTS := does(t, ts("ts1", "enroll", map[string]string{"name": "TypeScript"}))
	stored := does(t, ts("ts1", "backUp", map[string]string{"pin": pin, "secret": secret}))
	if stored["acknowledged"] != 3.0 || stored["complete"] != true || stored["remaining"] != 10.0 || stored.text("assurance") != "process" {
		t.Fatal(stored)
	}

	// Two new phones begin at once, since both wait.
	if at := does(t, ts("ts2", "start", map[string]string{"account": inGo.text("account"), "name": "New"})); at["open"] != false {
		t.Fatal(at)
	}
	if early := fails(t, ts("ts2", "recover", map[string]string{"pin": pin})); early.text("reason") != "TOO_EARLY" {
		t.Fatal(early)
	}
	goRecovers := func() *exec.Cmd {
		return w.inGo(ctx, "go2", "recover", "--server", w.url, "--name", "New", "--account", inTS.text("account"), "--pin-file", w.pinFile(t, pin))
	}
	if early := fails(t, goRecovers()); early.text("reason") != "TOO_EARLY" {
		t.Fatal(early)
	}

	// Meanwhile, on the phone that has its account.
	if st := does(t, ts("ts1", "backupStatus", nil)); st.text("state") != "active" || len(st["vaults"].([]any)) != 3 {
		t.Error(st)
	}
	if no := fails(t, ts("ts1", "backUp", map[string]string{"pin": "123456", "secret": secret})); no.text("reason") != "PIN_REFUSED" {
		t.Error(no)
	}
	for _, left := range []string{"9 of 10", "8 of 10"} {
		if no := fails(t, ts("ts1", "recover", map[string]string{"pin": wrong})); no.text("reason") != "WRONG_PIN" || !strings.Contains(no.text("message"), left) {
			t.Error(no)
		}
	}
	own := does(t, ts("ts1", "recover", map[string]string{"pin": pin}))
	if own["remaining"] != 10.0 || own["answered"] != 3.0 || own.text("printed") != "[redacted]" {
		t.Error(own)
	}
	if renewed := does(t, ts("ts1", "renew", map[string]string{"pin": pin, "secret": secret})); renewed["complete"] != true || renewed["seq"] != 1.0 {
		t.Error(renewed)
	}
	if updated := does(t, ts("ts1", "update", map[string]string{"secret": secret})); updated["complete"] != true || updated["seq"] != 2.0 {
		t.Error(updated)
	}

	// What Go has sealed TypeScript opens.
	got := until(t, func() *exec.Cmd { return ts("ts2", "recover", map[string]string{"pin": pin}) })
	if kids := got["kids"].([]any); len(kids) != 1 || kids[0] != inGo.text("sealing_key_sha256") {
		t.Errorf("%v, and the key is %s", got, inGo.text("sealing_key_sha256"))
	}
	if e := does(t, ts("ts2", "finish", map[string]string{"name": "New"})); e.text("account") != inGo.text("account") || e.text("deviceState") == "" {
		t.Error(e)
	}

	// A journal of Go's is one of TypeScript's, byte by byte.
	journal, err := os.ReadFile(filepath.Join(w.dir, "go1", "backup.cbor"))
	if err != nil {
		t.Fatal(err)
	}
	if again := does(t, ts("ts1", "journal", map[string]string{"bytes": hex.EncodeToString(journal)})); again.text("bytes") != hex.EncodeToString(journal) {
		t.Error("a journal of Go's is written otherwise in TypeScript")
	}

	// And the reverse.
	back := until(t, goRecovers)
	if back.text("sealing_key_sha256") != own["kids"].([]any)[0] || back["payload_seq"] != 2.0 {
		t.Errorf("%v, and the key is %v", back, own["kids"])
	}
}

// TestRecoveryCancelled: a phone of the owner's cancels what one in TypeScript has begun.
func TestRecoveryCancelled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	owner := does(t, w.inGo(ctx, "go1", "enroll", "--server", w.url, "--name", "Owner"))
	does(t, w.inGo(ctx, "go1", "backup", "--pin-file", w.pinFile(t, "748219")))
	begun := does(t, w.inTypeScript(ctx, "thief", "start", map[string]string{"account": owner.text("account"), "name": "Thief"}))
	does(t, w.inGo(ctx, "go1", "veto", "--pending", begun.text("pending")))
	for _, want := range []string{"OVER", "NOT_ENROLLED"} {
		if no := fails(t, w.inTypeScript(ctx, "thief", "recover", map[string]string{"pin": "748219"})); no.text("reason") != want {
			t.Errorf("%v, want %s", no, want)
		}
	}
}

// TestRecoverSeed: the same methods where one enclave learns the PIN.
func TestRecoverSeed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, seeded(t))
	ctx := t.Context()
	ts := func(command string, args map[string]string) *exec.Cmd {
		return w.inTypeScript(ctx, "ts1", command, args)
	}
	const pin = "748219"
	does(t, ts("enroll", map[string]string{"name": "TypeScript"}))
	if no := fails(t, ts("recover", map[string]string{"pin": pin})); no.text("reason") != "RECOVERY_NOT_FOUND" {
		t.Error(no)
	}
	stored := does(t, ts("backUp", map[string]string{"pin": pin, "secret": secret}))
	if stored.text("profile") != "seed" || stored["vaults"] != 1.0 || stored["complete"] != true {
		t.Error(stored)
	}
	if no := fails(t, ts("update", map[string]string{"secret": secret})); no.text("reason") != "PROFILE" {
		t.Error(no)
	}
	if no := fails(t, ts("recover", map[string]string{"pin": "748218"})); no.text("reason") != "WRONG_PIN" || !strings.Contains(no.text("message"), "9 of 10") {
		t.Error(no)
	}
	if got := does(t, ts("recover", map[string]string{"pin": pin})); got["remaining"] != 10.0 || len(got["kids"].([]any)) != 1 {
		t.Error(got)
	}
	if changed := does(t, ts("changePin", map[string]string{"pin": "korrekt pferd", "secret": secret})); changed["seq"] != 2.0 {
		t.Error(changed)
	}
	if got := does(t, ts("recover", map[string]string{"pin": "korrekt pferd"})); got["seq"] != 2.0 {
		t.Error(got)
	}
	if st := does(t, ts("backupStatus", nil)); st.text("state") != "active" || st["remaining"] != 10.0 {
		t.Error(st)
	}
	does(t, ts("remove", nil))
	if no := fails(t, ts("recover", map[string]string{"pin": pin})); no.text("reason") != "RECOVERY_NOT_FOUND" {
		t.Error(no)
	}
}
