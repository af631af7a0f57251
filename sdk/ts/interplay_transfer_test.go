package ts

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// until reads lines up to an event.
func (r *running) until(t *testing.T, event string) line {
	t.Helper()
	for {
		l := r.next(t)
		if l.text("event") == event {
			return l
		}
		if l.text("event") == "error" || l.text("message") != "" {
			t.Fatalf("%s: waited for %s: %v", r.cmd, event, l)
		}
	}
}

// last is the last line.
func (r *running) last(t *testing.T) line {
	t.Helper()
	var last line
	for text := range r.lines {
		last = read(t, text)
	}
	if err := r.done(); err != nil {
		t.Fatalf("%s: %v: %v", r.cmd, err, last)
	}
	return last
}

// typing is a command with somebody who types.
func typing(t *testing.T, cmd *exec.Cmd) (*running, io.Writer) {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	return begin(t, cmd), in
}

// moves lets one phone move to another, and returns what each prints last.
func moves(t *testing.T, receive *exec.Cmd, send func(uri string) *exec.Cmd) (sent, received line) {
	t.Helper()
	to, keyboard := typing(t, receive)
	from := begin(t, send(to.until(t, "offer").text("uri")))
	number := from.until(t, "number").text("number")
	to.until(t, "number_wanted")
	if _, err := io.WriteString(keyboard, number+"\n"); err != nil {
		t.Fatal(err)
	}
	return from.last(t), to.last(t)
}

// TestMoveBothWays: an account goes from a phone in Go to one in TypeScript, and on
// to another in Go, with its sealing key and its history.
func TestMoveBothWays(t *testing.T) {
	t.Parallel()
	w := newMovesWorld(t, "none")
	ctx := t.Context()
	first := does(t, w.inGo(ctx, "first", "enroll", "--server", w.url, "--name", "First"))
	does(t, w.inGo(ctx, "first", "backup", "--pin-file", w.pinFile(t, "748219")))
	journal, err := os.ReadFile(filepath.Join(w.dir, "first", "backup.cbor"))
	if err != nil {
		t.Fatal(err)
	}
	history := filepath.Join(w.dir, "first", "history")
	want := map[string]string{"chat.jsonl": "{\"n\":1}\nno json\n", "pictures/ü.txt": "picture", "empty": ""}
	for name, content := range want {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(history, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(history, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	sent, got := moves(t, w.inTypeScript(ctx, "second", "receive", nil), func(uri string) *exec.Cmd {
		return w.inGo(ctx, "first", "transfer send", "--yes", "--scan", uri)
	})
	if got.text("account") != first.text("account") || got.text("sealing") != first.text("sealing_key_sha256") || got.text("sealing") == "" {
		t.Errorf("the second phone has %v, and the first had %v", got, first)
	}
	if sent["quarantined"] != 1.0 || got["quarantined"] != 1.0 {
		t.Errorf("quarantined: %v on the first phone and %v on the second, and one line is no JSON", sent["quarantined"], got["quarantined"])
	}
	sameFiles(t, does(t, w.inTypeScript(ctx, "second", "history", nil)), want)

	handset{w, "second", true}.cooled(t)
	sent, got = moves(t, w.inGo(ctx, "third", "transfer receive", "--server", w.url), func(uri string) *exec.Cmd {
		return w.inTypeScript(ctx, "second", "send", map[string]string{"uri": uri})
	})
	if got.text("account") != first.text("account") || got.text("sealing_key_sha256") != first.text("sealing_key_sha256") || sent.text("account") != first.text("account") {
		t.Errorf("the third phone has %v, and the first had %v", got, first)
	}
	if came, err := os.ReadFile(filepath.Join(w.dir, "third", "backup.cbor")); err != nil || !bytes.Equal(came, journal) {
		t.Errorf("the third phone has another half of the backup than the first had: %v", err)
	}
	for name, content := range want {
		text, err := os.ReadFile(filepath.Join(w.dir, "third", "history", name))
		if err != nil || string(text) != content {
			t.Errorf("%s: %q, %v; it was %q", name, text, err, content)
		}
	}
	if at := does(t, w.inTypeScript(ctx, "second", "moveStatus", nil)); at.text("state") != "acked" || at.text("role") != "sender" {
		t.Errorf("the second phone stands at %v", at)
	}
	back := does(t, w.inTypeScript(ctx, "second", "recallMove", nil))
	if back.text("state") != "recalled" {
		t.Errorf("recalled: %v", back)
	}
	if at := does(t, w.inGo(ctx, "third", "transfer status")); at.text("state") != "recalled" {
		t.Errorf("the third phone stands at %v", at)
	}
}

func sameFiles(t *testing.T, got line, want map[string]string) {
	t.Helper()
	files, _ := got["files"].(map[string]any)
	for name, content := range want {
		if files[name] != content {
			t.Errorf("%s: %q, and it was %q", name, files[name], content)
		}
	}
	if len(files) != len(want) {
		t.Errorf("%d files, and there were %d", len(files), len(want))
	}
}

// TestMoves runs the tests of moves in TypeScript, which have both phones in one
// process, against a server.
func TestMoves(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ file, hold string }{{"moves", "none"}, {"held", "4s"}} {
		t.Run(c.file, func(t *testing.T) {
			w := newMovesWorld(t, c.hold)
			setup, err := json.Marshal(map[string]string{"url": w.url, "origin": w.origin})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, "node", "--test", "--test-reporter=spec", filepath.Join(filepath.Dir(w.script), c.file+".test.js"))
			cmd.Env = append(os.Environ(), "STAUNCH_WORLD="+string(setup))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		})
	}
}
