//go:build unix

package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestRecoveryKilled cuts the power again and again while owners type right and
// wrong PINs: server and vaults are killed together. No count ever falls without
// a right PIN, and in the end everybody recovers (recovery, section 18, item 9).
func TestRecoveryKilled(t *testing.T) {
	t.Parallel() // it waits for processes most of the time
	owners, rounds := 10, 5
	if testing.Short() {
		owners, rounds = 3, 2
	}
	site := newSite(t)
	site.start()
	all := make([]*owner, owners)
	for i := range all {
		all[i] = site.enrol(i)
	}
	cut, answered := 0, 0
	for round := range rounds {
		busy, stop := make(chan struct{}), make(chan struct{})
		var tries sync.WaitGroup
		for worker := range 2 {
			tries.Go(func() {
				for i := worker; ; i += 2 {
					select {
					case <-stop:
						return
					default:
						all[i%owners].try(round, i)
					}
					if i == worker {
						busy <- struct{}{}
					}
				}
			})
		}
		<-busy // one was answered, however slow the machine is
		select {
		case <-busy:
		case <-time.After(time.Duration(rand.IntN(1000)) * time.Millisecond):
			go func() { <-busy }()
		}
		time.Sleep(time.Duration(rand.IntN(700)) * time.Millisecond)
		site.kill()
		close(stop)
		tries.Wait()
		site.start()
		for _, o := range all {
			cut, answered = cut+o.cut, answered+o.answered
			o.compare(round)
		}
	}
	if t.Logf("%d tries were answered, and %d cut off by %d kills", answered, cut, rounds); answered == 0 {
		t.Error("nobody was ever answered")
	}
	for _, o := range all {
		if code, out := o.run("recover", "--account", o.account, "--pin-file", site.pin("482917")); code != 0 || out["sealing_key_sha256"] != o.key || out["remaining"] != float64(10) {
			t.Errorf("%s, at the end: exit %d, %v", o.home, code, out)
		}
	}
	site.stop()
	var text strings.Builder
	if code := run([]string{"check", "--config", filepath.Join(site.dir, configName)}, &streams{strings.NewReader(""), &text, &text}); code != 0 || !strings.Contains(text.String(), ": 0 problems") {
		t.Errorf("check: exit %d, %s", code, text.String())
	}
}

// site is `staunch dev` with its vaults, which are killed together.
type site struct {
	*testing.T
	dir, address string
	cmd          *exec.Cmd
	log          *os.File
}

func newSite(t *testing.T) *site {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{T: t, dir: t.TempDir(), address: l.Addr().String()}
	l.Close()
	if s.log, err = os.Create(filepath.Join(s.dir, "log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.kill()
		s.log.Close()
		if text, err := os.ReadFile(s.log.Name()); t.Failed() && err == nil {
			t.Logf("%s", text[max(0, len(text)-4000):])
		}
	})
	return s
}

// start starts it, and waits until all vaults answer.
func (s *site) start() {
	s.Helper()
	s.cmd = exec.Command("staunch", "dev", "--dir", s.dir, "--listen", s.address, "--json")
	s.cmd.Stderr, s.cmd.SysProcAttr = s.log, &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		s.Fatal(err)
	}
	var text strings.Builder
	for until := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		text.Reset()
		if run([]string{"recovery", "status", "--config", filepath.Join(s.dir, configName)}, &streams{strings.NewReader(""), &text, &text}) == 0 {
			break
		}
		if time.Now().After(until) {
			s.Fatalf("it does not start within %s: %s", patience, text.String())
		}
	}
}

// kill is a power cut.
func (s *site) kill() {
	if s.cmd != nil {
		_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL) // the group: server and vaults
		_ = s.cmd.Wait()
		s.cmd = nil
	}
}

// stop ends it as an operator does.
func (s *site) stop() {
	s.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		s.Error(err)
	}
	s.cmd = nil
}

// pin is a file with a PIN.
func (s *site) pin(digits string) string {
	file := filepath.Join(s.dir, "pin-"+digits)
	if err := os.WriteFile(file, []byte(digits+"\n"), 0o600); err != nil {
		s.Error(err)
	}
	return file
}

// owner is a phone whose PIN is 482917.
type owner struct {
	*site
	home, account, key string

	remaining float64            // at most, as far as anybody was told
	used      map[string]float64 // by vault, at least
	right     bool               // the right PIN was tried since that was read
	answered  int                // tries since then
	cut       int                // those without an answer
}

func (s *site) enrol(i int) *owner {
	s.Helper()
	o := &owner{site: s, home: filepath.Join(s.dir, fmt.Sprint("phone", i)), remaining: 10}
	code, out := o.run("enroll", "--server", "http://"+s.address, "--name", fmt.Sprint("P", i))
	if code != 0 {
		s.Fatal(code, out)
	}
	o.account, o.key = out["account"].(string), out["sealing_key_sha256"].(string)
	if code, out := o.run("backup", "--pin-file", s.pin("482917")); code != 0 {
		s.Fatal(code, out)
	}
	o.compare(-1)
	return o
}

func (o *owner) run(command string, args ...string) (int, map[string]any) {
	return phoneCommand(o.T, append(append(strings.Fields(command), "--home", o.home), args...)...)
}

// try types a PIN: a wrong one, unless few attempts are left.
func (o *owner) try(round, n int) {
	digits := fmt.Sprintf("9%02d%03d", round, 137+n)
	if o.remaining < 5 || n%3 == 2 {
		digits, o.right = "482917", true
	}
	code, out := o.run("recover", "--account", o.account, "--pin-file", o.pin(digits), "--timeout", "5s")
	switch remaining, _ := out["remaining"].(float64); {
	case code == 0 && o.right:
		o.remaining = remaining
	case code == phoneWrongPIN && digits != "482917":
		if !o.right && remaining >= o.remaining {
			o.Errorf("%s: a wrong PIN has cost nothing: %v remain, and %v did", o.home, remaining, o.remaining)
		}
		o.remaining = remaining
	case code == phoneWrongPIN, code == phoneLocked, code == 0:
		o.Errorf("%s: PIN %s: exit %d, %v", o.home, digits, code, out)
	default:
		o.cut++
		return
	}
	o.answered++
}

// compare reads the counts, which nothing but a right PIN lowers.
func (o *owner) compare(round int) {
	o.Helper()
	var out map[string]any
	used := map[string]float64{}
	for until := time.Now().Add(patience); len(used) < 3; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(until) {
			o.Fatalf("%s, round %d: not all vaults tell the status: %v", o.home, round, out)
		}
		_, out = o.run("backup status")
		vaults, _ := out["vaults"].([]any)
		for _, v := range vaults {
			if one := v.(map[string]any); one["used"] != nil {
				used[one["id"].(string)] = one["used"].(float64)
			}
		}
	}
	remaining, ok := out["remaining"].(float64)
	if !ok {
		o.Fatalf("%s, round %d: %v", o.home, round, out)
	}
	if !o.right {
		if remaining > o.remaining {
			o.Errorf("%s, round %d: %v attempts remain, and %v did", o.home, round, remaining, o.remaining)
		}
		for id, n := range used {
			if n < o.used[id] {
				o.Errorf("%s, round %d: %v are used at %s, and %v were", o.home, round, n, id, o.used[id])
			}
		}
	}
	o.remaining, o.used, o.right, o.answered, o.cut = remaining, used, false, 0, 0
}
