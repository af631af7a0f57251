package ts

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// examples are the programs that the README shows, by the name in their first line.
func examples(t *testing.T) map[string]string {
	t.Helper()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, m := range regexp.MustCompile("(?ms)^```ts\n// (\\w+\\.mjs)\n(.*?)^```$").FindAllStringSubmatch(string(readme), -1) {
		all[m[1]] = m[2]
	}
	if blocks := strings.Count(string(readme), "```ts"); len(all) != blocks {
		t.Fatalf("README.md has %d blocks of TypeScript, and %d of them are programs with a name", blocks, len(all))
	}
	return all
}

// shop is a project with the README's programs, as a reader of it has them.
type shop struct {
	dir string
	env []string
}

// node is a run of one of the programs.
func (s shop) node(t *testing.T, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), "node", args...)
	cmd.Dir, cmd.Env = s.dir, s.env
	return cmd
}

// prints runs a program to its end.
func (s shop) prints(t *testing.T, args ...string) string {
	t.Helper()
	out, err := s.node(t, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("node %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// says waits for a line with some text, and gives what stands behind that.
func (r *running) says(t *testing.T, text string) string {
	t.Helper()
	for said := ""; ; {
		select {
		case got, ok := <-r.lines:
			if !ok {
				t.Fatalf("%s ended without saying %q: %v\n%s", r.cmd, text, r.done(), said)
			}
			if _, rest, ok := strings.Cut(got, text); ok {
				return strings.TrimSpace(rest)
			}
			said += got
		case <-time.After(time.Minute):
			t.Fatalf("%s does not say %q\n%s", r.cmd, text, said)
		}
	}
}

// TestExamples: the README's programs are what it says, in strict TypeScript and as
// they stand, with the package as npm packs it: a phone, its backup, a move to a new
// phone, and a third one that has only the PIN.
func TestExamples(t *testing.T) {
	t.Parallel()
	w := newWorld(t, configure(t, map[string]string{
		"app.transfer hold_none": "2s", "app.transfer hold_risk": "2s", "app.hold add": "1s", "app.wait recovery": "3s",
	}))
	project, _ := install(t)
	all := examples(t)
	check := []string{"node_modules/typescript/bin/tsc", "--ignoreConfig", "--noEmit", "--allowJs", "--checkJs", "--strict", "--target", "es2022", "--module", "nodenext", "--types", "node"}
	for name, code := range all {
		file := filepath.Join(project, name)
		if err := os.WriteFile(file, []byte(code), 0o666); err != nil {
			t.Fatal(err)
		}
		check = append(check, file)
	}
	run(t, "node", check...)

	set, err := exec.CommandContext(t.Context(), w.staunch, "vault", "show", filepath.Join(w.dir, "server", "data", "vaults", "set.cbor")).Output()
	if err != nil {
		t.Fatal(err)
	}
	_, release, _ := strings.Cut(string(set), "keys must sign\n")
	release, _, _ = strings.Cut(strings.TrimSpace(release), "\n")
	s := shop{project, append(os.Environ(), "STAUNCH_URL="+w.origin, "RELEASE_KEY="+release)}

	first := s.prints(t, "phone.mjs")
	for _, want := range []string{"account a_", "keep this on paper: ", "\nfrozen\nyou approve: "} {
		if !strings.Contains(first, want) {
			t.Errorf("no %q in\n%s", want, first)
		}
	}
	if again := s.prints(t, "phone.mjs"); !strings.HasPrefix(again, "frozen\nyou approve: ") {
		t.Errorf("it is not the same phone:\n%s", again)
	}
	done := s.prints(t, "backup.mjs")
	said, account, _ := strings.Cut(strings.TrimSpace(done), "node recover.mjs new ")
	if !strings.HasPrefix(said, "3 of 3 vaults have it.") || !strings.Contains(first, "account "+account+";") {
		t.Fatalf("backup.mjs: %s", done)
	}

	to, keyboard := typing(t, s.node(t, "receive.mjs", "new"))
	code := "STAUNCH:/" + to.says(t, "STAUNCH:/")
	from := begin(t, s.node(t, "send.mjs", "phone", code))
	number := from.says(t, "type this there: ")
	to.says(t, "type the number")
	if _, err := io.WriteString(keyboard, number+"\n"); err != nil {
		t.Fatal(err)
	}
	if left := from.says(t, "account "+account+" has moved."); !strings.HasPrefix(left, "Back again, until 2") {
		t.Errorf("send.mjs: %s", left)
	}
	if got := to.says(t, "account "+account); got != "is on this phone, with 1 files" {
		t.Errorf("receive.mjs: %s", got)
	}

	if waits := s.prints(t, "recover.mjs", "third", account); !strings.Contains(waits, "Come back after 2") {
		t.Fatalf("recover.mjs: %s", waits)
	}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(500 * time.Millisecond) {
		back := s.prints(t, "recover.mjs", "third", account)
		if strings.Contains(back, "1 key is back, and account "+account+" is on this phone") {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("recover.mjs: %s", back)
		}
	}
}
