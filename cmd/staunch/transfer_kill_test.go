//go:build unix

package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestTransferKilled kills sender, receiver and server again and again while
// accounts move. Each move is complete or cleanly over in the end, and at no
// moment are two phones in charge, or none (transfer, section 17). `make
// soak-transfer` kills 200 times each.
func TestTransferKilled(t *testing.T) {
	t.Parallel() // it waits for processes most of the time
	each := 10
	if text := os.Getenv("STAUNCH_SOAK_KILLS"); text != "" {
		var err error
		if each, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	if testing.Short() {
		each = 2
	}
	s := newKillSite(t)
	s.history(48 << 20)
	k := &killer{killSite: s, left: map[string]int{"sender": each, "receiver": each, "server": each}, at: map[string]map[string]int{}, outcomes: map[string]int{}}
	s.start()
	for n := 0; k.remaining() > 0 && !t.Failed(); n++ {
		k.move(n)
	}
	t.Logf("%s", k.table())
	s.stop()
	var text strings.Builder
	if code := run([]string{"check", "--config", filepath.Join(s.dir, configName)}, &streams{strings.NewReader(""), &text, &text}); code != 0 || !strings.Contains(text.String(), ": 0 problems") {
		t.Errorf("check: exit %d, %s", code, text.String())
	}
}

// killSite is `staunch dev` without vaults, for which nobody waits.
type killSite struct {
	*testing.T
	dir, address string
	cmd          *exec.Cmd
	log          *os.File
}

func newKillSite(t *testing.T) *killSite {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &killSite{T: t, dir: t.TempDir(), address: l.Addr().String()}
	l.Close()
	if err := writeDevFiles(s.dir); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(s.dir, configName)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.NewReplacer(`recall_window = "2m"`, `recall_window = "1h"`, "[[app]]", "[recovery]\nprofile = \"none\"\n\n[[app]]").Replace(string(text))
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	if s.log, err = os.Create(filepath.Join(s.dir, "log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.kill()
		s.log.Close()
		if text, err := os.ReadFile(s.log.Name()); t.Failed() && err == nil {
			t.Logf("%s", text[max(0, len(text)-8000):])
		}
	})
	return s
}

// history makes what is moved.
func (s *killSite) history(size int) {
	s.Helper()
	dir := filepath.Join(s.dir, "history")
	if err := os.MkdirAll(filepath.Join(dir, "empty"), 0o700); err != nil {
		s.Fatal(err)
	}
	large := make([]byte, size)
	chaos := rand.NewChaCha8([32]byte{1})
	_, _ = chaos.Read(large) // it never fails
	for i := range 40 {
		n := min(len(large), 1+i*i*1000)
		if i == 0 {
			n = len(large)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%02d.bin", i)), large[:n], 0o600); err != nil {
			s.Fatal(err)
		}
	}
}

// start starts the server, and waits until it answers.
func (s *killSite) start() {
	s.Helper()
	s.cmd = exec.Command("staunch", "dev", "--dir", s.dir, "--listen", s.address, "--json")
	s.cmd.Stderr, s.cmd.SysProcAttr = s.log, &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		s.Fatal(err)
	}
	for until := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		res, err := http.Get("http://" + s.address + "/healthz")
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(until) {
			s.Fatalf("it does not start within %s: %v", patience, err)
		}
	}
}

func (s *killSite) kill() {
	if s.cmd != nil {
		_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
		_ = s.cmd.Wait() // it was killed
		s.cmd = nil
	}
}

func (s *killSite) stop() {
	s.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		s.Error(err)
	}
	s.cmd = nil
}

// killer moves accounts and kills who takes part.
type killer struct {
	*killSite
	left     map[string]int            // kills, by victim
	at       map[string]map[string]int // kills so far, by victim and by what it said last
	outcomes map[string]int
	samples  int // in which the phones in charge were counted
}

func (k *killer) remaining() int { return k.left["sender"] + k.left["receiver"] + k.left["server"] }

// move moves one account, with kills at random instants, until both phones know
// how it ended.
func (k *killer) move(n int) {
	k.Helper()
	m := &mover{T: k.T, url: "http://" + k.address, old: filepath.Join(k.dir, fmt.Sprint("old", n)), fresh: filepath.Join(k.dir, fmt.Sprint("new", n)), items: filepath.Join(k.dir, "history")}
	code, out := phoneCommand(k.T, "enroll", "--server", m.url, "--home", m.old, "--name", fmt.Sprint("P", n))
	if code != 0 {
		k.Fatal(code, out)
	}
	key, device := out["sealing_key_sha256"], out["device"].(string)
	soon := func() time.Time { return time.Now().Add(time.Duration(rand.IntN(900)) * time.Millisecond) }
	next, until := soon(), time.Now().Add(3*patience)
	for !m.turn() {
		if time.Now().After(until) {
			k.Errorf("move %d is not over:\n%s", n, m)
			break
		}
		if time.Now().After(next) && k.remaining() > 0 {
			k.strike(m)
			k.inCharge(m.old, device)
			next = soon()
		}
		time.Sleep(5 * time.Millisecond)
	}
	defer m.close()
	if k.Failed() {
		return
	}
	moved := k.inCharge(m.old, device)
	k.outcomes[m.outcome()]++
	switch got := m.outcome(); {
	case got == "complete":
		if err := sameTree(m.items, filepath.Join(m.fresh, historyName, filepath.Base(m.items))); err != nil {
			k.Errorf("move %d: %v", n, err)
		}
		if last := m.receive.last(); last["sealing_key_sha256"] != key || !moved {
			k.Errorf("move %d: the new phone has key %v, want %v; in charge %v", n, last["sealing_key_sha256"], key, moved)
		}
	case moved:
		k.Errorf("move %d has ended as %s, and the account has moved:\n%s", n, got, m)
	default:
		if code, out := phoneCommand(k.T, "status", "--home", m.old); code != 0 || out["device_state"] != "active" {
			k.Errorf("move %d has ended as %s, and the old phone is %v", n, got, out)
		}
	}
	for _, dir := range []string{m.old, m.fresh} { // the disk is small
		if err := os.RemoveAll(dir); err != nil {
			k.Error(err)
		}
	}
}

// strike kills one of the three, and starts it again.
func (k *killer) strike(m *mover) {
	var all []string
	for _, who := range []string{"sender", "receiver", "server"} {
		if k.left[who] > 0 && (who == "server" || m.window(who) != nil) {
			all = append(all, who)
		}
	}
	if len(all) == 0 {
		return
	}
	who, at := all[rand.IntN(len(all))], "-"
	if who == "server" {
		if w := m.window("receiver"); w != nil {
			at = said(w)
		}
		k.kill()
		k.start()
	} else {
		at = said(m.window(who))
		m.window(who).kill()
	}
	k.left[who]--
	if k.at[who] == nil {
		k.at[who] = map[string]int{}
	}
	k.at[who][at]++
}

// said is what a command said last.
func said(w *window) string {
	last := w.last()
	if last["event"] == "progress" {
		return fmt.Sprint(last["phase"])
	}
	if last["event"] == nil {
		return "-"
	}
	return fmt.Sprint(last["event"])
}

// inCharge asks the server which phones the account has, and wants exactly one
// in charge: the old one, or another when the old one leaves. It reports whether
// the account has moved.
func (k *killer) inCharge(old, device string) bool {
	k.Helper()
	code, out := phoneCommand(k.T, "devices", "--home", old)
	if code != 0 {
		k.Errorf("devices: exit %d, %v", code, out)
		return false
	}
	k.samples++
	using, others := false, 0
	for _, d := range out["devices"].([]any) {
		one := d.(map[string]any)
		switch {
		case one["device"] != device:
			others++
		case one["state"] == "active":
			using = true
		}
	}
	if using && others > 0 || !using && others != 1 {
		k.Errorf("in charge are: the old phone %v, %d others: %v", using, others, out)
	}
	return others > 0
}

// table is the result for people.
func (k *killer) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n  %-10s %6s  when\n", "killed", "times")
	for _, who := range slices.Sorted(maps.Keys(k.at)) {
		total, when := 0, []string{}
		for _, at := range slices.Sorted(maps.Keys(k.at[who])) {
			total += k.at[who][at]
			when = append(when, fmt.Sprintf("%s %d", at, k.at[who][at]))
		}
		fmt.Fprintf(&b, "  %-10s %6d  %s\n", who, total, strings.Join(when, ", "))
	}
	fmt.Fprintf(&b, "\n  %-24s %6s\n", "moves", "times")
	for _, how := range slices.Sorted(maps.Keys(k.outcomes)) {
		fmt.Fprintf(&b, "  %-24s %6d\n", how, k.outcomes[how])
	}
	fmt.Fprintf(&b, "\n  asked %d times who is in charge: exactly one phone, each time\n", k.samples)
	return b.String()
}
