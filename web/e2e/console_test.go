package e2e

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite"
)

// program is `staunch dev` as a process of its own, and its commands.
type program struct {
	t    *testing.T
	bin  string
	dir  string // of the server
	log  string // its file
	url  string // of the API
	port string
	cmd  *exec.Cmd
}

// lookedAt looks at the sources of what another program builds or runs, so that a
// result is not taken from go test's cache when one of them has changed.
func lookedAt(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != dir && (d.Name() == "node_modules" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case slices.Contains([]string{".go", ".sql", ".html", ".css", ".js", ".mjs"}, filepath.Ext(path)):
			_, err = os.Stat(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// startProgram builds the program and starts a server that has an app with accounts,
// vaults and a console.
func startProgram(t *testing.T) *program {
	t.Helper()
	lookedAt(t, "../..")
	p := &program{t: t, bin: filepath.Join(t.TempDir(), "staunch"), dir: filepath.Join(t.TempDir(), "dev")}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", p.bin, "../../cmd/staunch").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ctx, stop := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, p.bin, "dev", "--listen", "127.0.0.1:0", "--dir", p.dir)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr, p.log, p.cmd = log, log.Name(), cmd
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		text, _ := os.ReadFile(log.Name())
		t.Fatalf("it does not start:\n%s", text)
	}
	p.url = lines.Text()
	p.port = p.url[strings.LastIndex(p.url, ":")+1:]
	drained := make(chan struct{})
	go func() {
		for lines.Scan() {
		}
		close(drained)
	}()
	t.Cleanup(func() {
		stop()
		<-drained
		_ = cmd.Wait() // it was interrupted
		log.Close()
	})
	return p
}

// run runs a command to its end and gives its output.
func (p *program) run(args ...string) []byte {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), p.bin, args...)
	out, err := cmd.Output()
	if err != nil {
		p.t.Fatalf("staunch %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// say runs a command that prints one JSON object.
func (p *program) say(args ...string) map[string]any {
	p.t.Helper()
	var v map[string]any
	if err := json.Unmarshal(p.run(append(args, "--json")...), &v); err != nil {
		p.t.Fatal(err)
	}
	return v
}

// change writes to the store behind the server's back.
func (p *program) change(query string, args ...any) {
	p.t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(p.dir, "data", "demo.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		p.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(p.t.Context(), query, args...); err != nil {
		p.t.Fatal(err)
	}
}

// risk has a signal stand, as the flows and the app's backend raise them.
func (p *program) risk(id, device any, name string) {
	p.t.Helper()
	now := time.Now()
	p.change("INSERT INTO risk (account, device, signal, source, value, level, first_at, last_at, until) VALUES (?, ?, ?, 'staunch', '', '', ?, ?, ?)",
		id, device, name, now.UnixMicro(), now.UnixMicro(), now.AddDate(0, 0, 7).UnixMicro())
}

// sharpen puts a policy in force that has something to show: strict rules, an
// exception for one model, and a stage that only observes.
func (p *program) sharpen() {
	p.t.Helper()
	file := filepath.Join(p.dir, "policy.toml")
	text, err := os.ReadFile(file)
	if err != nil {
		p.t.Fatal(err)
	}
	policy := string(text)
	for was, is := range map[string]string{
		`profile = "google"`: `profile = "strict"`,
		"rollout = [\n": "rollout = [\n" +
			`  { name = "pilot-tw", app = "demo", platform = "any", operation = "register", countries = ["TW"], percent = 100, salt = "", mode = "observe" },` + "\n",
	} {
		if strings.Count(policy, was) != 1 {
			p.t.Fatalf("policy.toml has %q %d times", was, strings.Count(policy, was))
		}
		policy = strings.Replace(policy, was, is, 1)
	}
	now := time.Now().UTC()
	policy += fmt.Sprintf(`
[[exception]]
id = "cedar-5-ca-bit"
apps = ["demo"]
check = "ca_bit"
position = 1
match = { models = [{ manufacturer = "Example", model = "Cedar 5" }] }
owner = "mika"
ticket = "EX-17"
reason = "the factory's certificates lack the CA bit; fixed from batch 12 on"
not_before = %s
expires = %s
max_uses_per_day = 20
`, now.Add(-time.Hour).Format(time.RFC3339), now.AddDate(0, 0, 90).Format(time.RFC3339))
	if err := os.WriteFile(file, []byte(policy), 0o600); err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		p.t.Fatal(err)
	}
	for range 300 {
		if text, err := os.ReadFile(p.log); err == nil && strings.Contains(string(text), "msg=reloaded") {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	p.t.Fatal("the new policy does not come into force")
}

// TestConsole drives each page of the console, with what a load run and a few
// phones leave behind.
func TestConsole(t *testing.T) {
	tools(t)
	p := startProgram(t)
	p.sharpen()
	p.run("attest", "load", "--dir", p.dir, "--phones", "150", "--rate", "60", "--duration", "8s", "--mix", "honest=70,deviating=20,abusive=10")
	// The load is of one hour; spread it over six days, as if it had come by and by.
	p.change("UPDATE attest_stat SET hour = hour - (id * 7919) % 144")
	home := filepath.Join(t.TempDir(), "pixel")
	phone := p.say("phone", "enroll", "--server", p.url, "--home", home, "--name", "Pixel of Mika")
	p.say("phone", "freeze", "--home", home)
	p.risk(phone["account"], phone["device"], "new_device")
	p.risk(phone["account"], "", "recent_recovery")
	config := filepath.Join(p.dir, "staunch.toml")
	env := []string{
		"STAUNCH_URL=http://console.localhost:" + p.port, "STAUNCH_ACCOUNT=" + phone["account"].(string),
		"STAUNCH_LINK=" + p.say("operator", "add", "--config", config, "--name", "noa")["link"].(string),
	}
	if *screenshots {
		out, err := filepath.Abs("../../docs/screenshots")
		if err != nil {
			t.Fatal(err)
		}
		env = append(env, "STAUNCH_SCREENSHOTS="+out)
	}
	drive(t, "console.mjs", env...)

	// Somebody writes to the store: the console says so, and nothing stops.
	p.change("UPDATE audit_entry SET reason = 'nothing happened' WHERE account = ? AND action = 'account.freeze'", phone["account"])
	p.change("UPDATE device SET name = 'Another one' WHERE account = ?", phone["account"])
	env[2] = "STAUNCH_LINK=" + p.say("operator", "add", "--config", config, "--name", "lee")["link"].(string)
	drive(t, "consoletampered.mjs", env...)
}
