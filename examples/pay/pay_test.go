package main_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestReadme runs what README.md tells its readers to run, and wants the output
// that it shows.
func TestReadme(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := blocks(string(page))
	if len(shown) != 3 {
		t.Fatalf("README.md has %d blocks", len(shown))
	}
	source, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	manual, err := os.ReadFile("../../docs/requests.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(source), shown[2]) || !strings.Contains(string(manual), shown[2]) {
		t.Error("main.go, README.md and docs/requests.md do not hold the same code")
	}
	staunch, pay, phone := build(t, "../../cmd/staunch"), build(t, "."), build(t, "./phone")
	dir := t.TempDir()
	server, stop := start(t, staunch, "dev", "--dir", dir, "--listen", "127.0.0.1:0", "--json")
	var at struct {
		URL string `json:"url"`
	}
	if err := json.Unmarshal([]byte(server.line(t)), &at); err != nil {
		t.Fatal(err)
	}
	token := filepath.Join(dir, "service.token")
	service, _ := start(t, pay, "-listen", "127.0.0.1:0", "-staunch", at.URL, "-token", token)
	url, ok := strings.CutPrefix(service.line(t), "listening on ")
	if !ok {
		t.Fatal("the service does not say where it listens")
	}
	if out, err := exec.Command(phone, "-staunch", "http://127.0.0.1:1", "-token", token).CombinedOutput(); err == nil ||
		!strings.Contains(string(out), "does `staunch dev` run? -staunch URL says where; this was http://127.0.0.1:1") {
		t.Errorf("without a server: %v, %s", err, out)
	}
	use := func(platform string) string {
		t.Helper()
		cmd := exec.Command(phone, "-pay", url, "-staunch", at.URL, "-token", token, "-platform", platform)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("phone: %v\n%s", err, out)
		}
		return string(out)
	}
	logged := shown[1]
	for _, platform := range []string{"android", "apple"} {
		if got := use(platform); got != shown[0] {
			t.Errorf("%s: the phone tells\n%s\nand README.md shows\n%s", platform, got, shown[0])
		}
		var got strings.Builder
		for range strings.Count(logged, "\n") {
			got.WriteString(service.line(t) + "\n")
		}
		if got.String() != logged {
			t.Errorf("%s: the log holds\n%s\nand README.md shows\n%s", platform, &got, logged)
		}
		logged = strings.ReplaceAll(strings.ReplaceAll(logged, "common.signature_invalid", "apple.assertion_signature"), "common.request_replay", "apple.counter_replay")
	}

	stop()
	answer, err := http.Post(url+"/v1/remit", "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	if answer.Body.Close(); answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("without Staunch the service answers %s", answer.Status)
	}
}

// blocks are the fenced blocks of a page.
func blocks(page string) (all []string) {
	parts := strings.Split("\n"+page, "\n```")
	for i := 1; i < len(parts); i += 2 {
		_, text, _ := strings.Cut(parts[i], "\n") // behind the name of the language
		all = append(all, text+"\n")
	}
	return all
}

func build(t *testing.T, pkg string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "program")
	if out, err := exec.Command("go", "build", "-o", binary, pkg).CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", pkg, err, out)
	}
	return binary
}

// output gives the lines that a program writes, as they come.
type output chan string

func (o output) line(t *testing.T) string {
	t.Helper()
	select {
	case line, ok := <-o:
		if ok {
			return line
		}
		t.Fatal("the program has ended")
	case <-time.After(time.Minute):
		t.Fatal("the program writes nothing")
	}
	return ""
}

// start runs a program until the test ends, or stop is called.
func start(t *testing.T, binary string, args ...string) (_ output, stop func()) {
	t.Helper()
	cmd := exec.Command(binary, args...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(output, 100)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(stdout); s.Scan(); {
			lines <- s.Text()
		}
	}()
	stop = sync.OnceFunc(func() {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		cmd.Wait() // it was interrupted
	})
	t.Cleanup(stop)
	return lines, stop
}
