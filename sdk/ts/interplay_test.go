package ts

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/attesttest"
)

// world is a server of `staunch dev` and the phones that meet there: those in Go,
// which are `staunch phone`, and those in TypeScript, which are
// test/interplay/phone.ts.
type world struct {
	staunch string // the program
	script  string // the compiled phone.ts
	url     string // of the server
	origin  string // of its pages, which passkeys are for
	attest  string // where phones in TypeScript have their keys attested
	dir     string
}

// newWorld begins one. It ends with the test. before may write the server's folder.
func newWorld(t *testing.T, before ...func(w *world, dir string)) *world {
	t.Helper()
	tools(t)
	w := &world{dir: t.TempDir(), script: filepath.Join(compile(t), "test", "interplay", "phone.js"), staunch: build(t), attest: attester(t)}

	dir := filepath.Join(w.dir, "server")
	for _, fn := range before {
		fn(w, dir)
	}
	server := exec.CommandContext(t.Context(), w.staunch, "dev", "--dir", dir, "--listen", "127.0.0.1:0", "--json")
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
	var at struct{ URL, Pages string }
	if err := json.NewDecoder(out).Decode(&at); err != nil {
		t.Fatal("the server has not begun:", err)
	}
	u, err := url.Parse(at.URL)
	if err != nil {
		t.Fatal(err)
	}
	w.url, w.origin = at.URL, "http://localhost:"+u.Port()
	return w
}

// attester attests keys of phones in TypeScript with the test roots, which
// `staunch dev` trusts.
func attester(t *testing.T) string {
	t.Helper()
	ca, err := attesttest.TestAndroidCA(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked struct{ Challenge, SPKI []byte }
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		k, err := ca.Phone().AttestKey(time.Now(), asked.SPKI, asked.Challenge)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		var answer struct {
			Chain []string `json:"chain"`
		}
		for _, c := range k.Chain() {
			answer.Chain = append(answer.Chain, base64.RawURLEncoding.EncodeToString(c))
		}
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// inTypeScript is a command of a phone in TypeScript.
func (w *world) inTypeScript(ctx context.Context, home, command string, args map[string]string) *exec.Cmd {
	setup, err := json.Marshal(map[string]string{"home": filepath.Join(w.dir, home, "phone.json"), "url": w.url, "attest": w.attest, "origin": w.origin})
	if err != nil {
		panic(err) // strings
	}
	if args == nil {
		args = map[string]string{}
	}
	rest, err := json.Marshal(args)
	if err != nil {
		panic(err)
	}
	return exec.CommandContext(ctx, "node", w.script, string(setup), command, string(rest))
}

// inGo is a command of a phone in Go.
func (w *world) inGo(ctx context.Context, home string, args ...string) *exec.Cmd {
	all := append([]string{"phone"}, strings.Fields(args[0])...)
	all = append(append(all, "--json", "--home", filepath.Join(w.dir, home)), args[1:]...)
	return exec.CommandContext(ctx, w.staunch, all...)
}

// line is a line of JSON that a phone has printed.
type line map[string]any

func (l line) text(name string) string {
	s, _ := l[name].(string)
	return s
}

// does runs a command to its end and returns the last line that it printed.
func does(t *testing.T, cmd *exec.Cmd) line {
	t.Helper()
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s\n%s", cmd, err, &out, &problems)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	return read(t, lines[len(lines)-1])
}

func read(t *testing.T, text string) line {
	t.Helper()
	l := line{}
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return l
}

// running is a command that goes on while others run.
type running struct {
	cmd   *exec.Cmd
	lines chan string
	done  func() error
}

// begin starts a command.
func begin(t *testing.T, cmd *exec.Cmd) *running {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = t.Output()
	r := &running{cmd: cmd, lines: make(chan string, 1000)}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(r.lines)
		for s := bufio.NewReader(out); ; {
			text, err := s.ReadString('\n')
			if text != "" {
				r.lines <- text
			}
			if err != nil {
				_, _ = io.Copy(io.Discard, s)
				return
			}
		}
	}()
	r.done = sync.OnceValue(cmd.Wait)
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = r.done()
	})
	return r
}

// next is the next line that it prints.
func (r *running) next(t *testing.T) line {
	t.Helper()
	select {
	case text, ok := <-r.lines:
		if !ok {
			t.Fatalf("%s printed no more: %v", r.cmd, r.done())
		}
		return read(t, text)
	case <-time.After(time.Minute):
		t.Fatalf("%s prints nothing", r.cmd)
	}
	return nil
}

// TestTour: every method of a phone works with a real server.
func TestTour(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	told := does(t, w.inTypeScript(t.Context(), "tourist", "tour", nil))
	if kinds, _ := told["alerts"].([]any); len(kinds) != 1 || kinds[0] != "account.freeze" {
		t.Error(told)
	}
}

// TestJoinBothWays: a phone in TypeScript lets one in Go in, and the reverse.
func TestJoinBothWays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()

	first := does(t, w.inTypeScript(ctx, "ts1", "enroll", map[string]string{"name": "First"}))
	if first.text("account") == "" || first.text("freezeCode") == "" || first.text("deviceState") != "active" {
		t.Fatal(first)
	}
	join := begin(t, w.inGo(ctx, "go1", "join", "--server", w.url, "--name", "Second"))
	asked := join.next(t)
	shown := does(t, w.inTypeScript(ctx, "ts1", "approve", map[string]string{"code": asked.text("code"), "number": asked.text("number")}))
	if shown.text("name") != "Second" {
		t.Error(shown)
	}
	if in := join.next(t); in.text("account") != first.text("account") {
		t.Errorf("%v, and the account is %s", in, first.text("account"))
	}

	owner := does(t, w.inGo(ctx, "go2", "enroll", "--server", w.url, "--name", "Third"))
	join = begin(t, w.inTypeScript(ctx, "ts2", "join", map[string]string{"name": "Fourth"}))
	asked = join.next(t)
	if err := join.cmd.Process.Kill(); err != nil { // the next one goes on where it was
		t.Fatal(err)
	}
	_ = join.done()
	join = begin(t, w.inTypeScript(ctx, "ts2", "join", map[string]string{"name": "Fourth"}))
	if again := join.next(t); again.text("code") != asked.text("code") || again.text("number") != asked.text("number") {
		t.Errorf("%v, and before %v", again, asked)
	}
	does(t, w.inGo(ctx, "go2", "approve", "--code", asked.text("code"), "--number", asked.text("number")))
	if in := join.next(t); in.text("account") != owner.text("account") || in.text("name") != "Fourth" {
		t.Errorf("%v, and the account is %s", in, owner.text("account"))
	}

	// A phone that was let in leaves; another is sent away.
	if left := does(t, w.inTypeScript(ctx, "ts2", "leave", nil)); left.text("account") != "" || left.text("app") != "demo" {
		t.Error(left)
	}
	devices := does(t, w.inTypeScript(ctx, "ts1", "devices", nil))
	all, _ := devices["devices"].([]any)
	for _, d := range all {
		if d, _ := d.(map[string]any); line(d).text("name") == "Second" {
			does(t, w.inTypeScript(ctx, "ts1", "veto", map[string]string{"device": line(d).text("device")}))
		}
	}
	if devices = does(t, w.inTypeScript(ctx, "ts1", "devices", nil)); len(all) != 2 || len(devices["devices"].([]any)) != 1 {
		t.Error(all, devices)
	}
}
