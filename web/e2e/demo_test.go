package e2e

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var demoPictures = flag.Bool("demo-screenshots", false, "write the pictures of docs/demo.md to docs/screenshots")

// TestDemo goes through /demo from the first click to the last attack, over
// `staunch dev` as it is but for its waits: once with the browser's own
// authenticator, and once with one of software, as in a browser that has none.
func TestDemo(t *testing.T) {
	tools(t)
	bin := buildStaunch(t, t.TempDir())
	for _, authenticator := range []string{"browser", "software"} {
		t.Run(authenticator, func(t *testing.T) {
			demo := filepath.Join(t.TempDir(), "demo")
			_, stop := dev(t, bin, demo)
			stop()
			hasty(t, filepath.Join(demo, "staunch.toml"))
			at, _ := dev(t, bin, demo)
			env := []string{"STAUNCH_URL=" + at.Pages, "STAUNCH_AUTHENTICATOR=" + authenticator}
			if *demoPictures && authenticator == "browser" {
				out, err := filepath.Abs("../../docs/screenshots")
				if err != nil {
					t.Fatal(err)
				}
				env = append(env, "STAUNCH_SCREENSHOTS="+out)
			}
			drive(t, "demo.mjs", env...)
			drive(t, "demoways.mjs", env...)
		})
	}
}

// TestDemoTrouble has the page of /demo reloaded at the worst moment, clicks the
// wrong button and lets moves be refused; the waits are those of `staunch dev`.
func TestDemoTrouble(t *testing.T) {
	tools(t)
	dir := t.TempDir()
	at, _ := dev(t, buildStaunch(t, dir), filepath.Join(dir, "demo"))
	drive(t, "demotrouble.mjs", "STAUNCH_URL="+at.Pages)
}

// buildStaunch builds the program into dir.
func buildStaunch(t *testing.T, dir string) (bin string) {
	t.Helper()
	bin = filepath.Join(dir, "staunch")
	if out, err := exec.Command("go", "build", "-o", bin, "../../cmd/staunch").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return bin
}

// hasty shortens the waits of `staunch dev` that somebody would sit through.
func hasty(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	said := string(text)
	for _, key := range []string{"recovery", "hold_none", "hold_risk"} {
		line := regexp.MustCompile(`(?m)^` + key + ` = "30s"$`)
		if !line.MatchString(said) {
			t.Fatalf("%s: no %s of 30s in %s", file, key, said)
		}
		said = line.ReplaceAllString(said, key+` = "3s"`)
	}
	if strings.Contains(said, `recovery = "30s"`) {
		t.Fatal("a wait or hold of recovery is left")
	}
	if err := os.WriteFile(file, []byte(said), 0o600); err != nil {
		t.Fatal(err)
	}
}
