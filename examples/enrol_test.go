package examples_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestEnrol runs enrol.sh against `staunch dev`, as the README tells its
// readers to do.
func TestEnrol(t *testing.T) {
	for _, program := range []string{"bash", "curl", "sed", "grep"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal("there is no " + program)
			}
			t.Skip("there is no " + program)
		}
	}
	binary := filepath.Join(t.TempDir(), "staunch")
	if out, err := exec.Command("go", "build", "-o", binary, "../cmd/staunch").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	dir := t.TempDir()
	url := startDev(t, binary, dir)
	if text, err := os.ReadFile(filepath.Join(dir, "url")); err != nil || strings.TrimSpace(string(text)) != url {
		t.Fatalf("the folder names %q, %v; the server is at %s", text, err, url)
	}
	for name, tt := range map[string]struct{ dir, url, want string }{
		"no server in the folder": {t.TempDir(), "", "/url: start `staunch dev --dir "},
		"no server at the URL":    {dir, "http://127.0.0.1:1", "no good answer from http://127.0.0.1:1/staunch.attest.v1.AttestService/CreateChallenge: does `staunch dev --dir "},
	} {
		cmd := exec.Command("bash", "enrol.sh", tt.dir)
		cmd.Env = append(os.Environ(), "STAUNCH="+binary, "URL="+tt.url)
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), tt.want) {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}

	for platform, want := range map[string][]string{
		"android": {"DECISION_ALLOW, key ", "PLATFORM_ANDROID, EC-P256, KEY_STATE_ACTIVE, TIER_AFFIRMING",
			"DECISION_DENY, ADVICE_NEW_CHALLENGE, common.challenge_used", "common.challenge_mismatch"},
		"apple": {"DECISION_ALLOW, key ", "PLATFORM_APPLE, EC-P256, KEY_STATE_ACTIVE, TIER_AFFIRMING",
			"DECISION_DENY, ADVICE_NEW_CHALLENGE, common.challenge_used", "apple.nonce_mismatch"},
	} {
		cmd := exec.Command("bash", "enrol.sh", dir)
		cmd.Env = append(os.Environ(), "STAUNCH="+binary, "PLATFORM="+platform)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v\n%s%s", platform, err, out, stderr.String())
		}
		rest := string(out)
		for _, text := range want { // in this order
			_, after, ok := strings.Cut(rest, text)
			if !ok {
				t.Fatalf("%s: no %q in\n%s", platform, text, out)
			}
			rest = after
		}
	}
}

// startDev starts a server over dir that ends with the test, and returns its URL.
func startDev(t *testing.T, binary, dir string) string {
	t.Helper()
	cmd := exec.Command(binary, "dev", "--dir", dir, "--listen", "127.0.0.1:0", "--json")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("staunch dev: %v", err)
		}
	})
	var at struct {
		URL string `json:"url"`
	}
	if err := json.NewDecoder(stdout).Decode(&at); err != nil || at.URL == "" {
		t.Fatalf("staunch dev: %+v, %v", at, err)
	}
	return at.URL
}
