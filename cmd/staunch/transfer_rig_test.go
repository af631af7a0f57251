package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// window is a terminal in which a command of a transfer runs with --json.
type window struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	end chan struct{} // closed when it has ended
	err bytes.Buffer  // standard error; read it after end

	mu   sync.Mutex
	out  bytes.Buffer     // guarded by mu
	seen []map[string]any // guarded by mu: the events
	more chan struct{}    // guarded by mu: closed when there is another one
	bad  []string         // guarded by mu: lines that are none
}

// openWindow starts `staunch phone transfer COMMAND`.
func openWindow(env []string, args ...string) (*window, error) {
	w := &window{cmd: exec.Command("staunch", append([]string{"phone", "transfer"}, append(args, "--json")...)...), end: make(chan struct{}), more: make(chan struct{})}
	w.cmd.Env = env
	w.cmd.Stderr = &w.err
	var err error
	if w.in, err = w.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := w.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		lines := bufio.NewReader(out)
		for {
			line, err := lines.ReadBytes('\n')
			w.line(line, err == nil)
			if err != nil {
				break
			}
		}
		_ = w.cmd.Wait() // its exit code is asked for
		close(w.end)
	}()
	return w, nil
}

func (w *window) line(text []byte, whole bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out.Write(text)
	if !whole {
		return // of a process that was killed
	}
	var e map[string]any
	if err := json.Unmarshal(text, &e); err != nil || e["event"] == nil || e["at"] == nil || e["transfer"] == nil {
		w.bad = append(w.bad, string(text))
		return
	}
	w.seen = append(w.seen, e)
	close(w.more)
	w.more = make(chan struct{})
}

// await waits for an event. It fails when the command ends without one.
func (w *window) await(event string, d time.Duration) (map[string]any, error) {
	late := time.After(d)
	for from := 0; ; {
		w.mu.Lock()
		seen, more := w.seen, w.more
		w.mu.Unlock()
		for _, e := range seen[from:] {
			if e["event"] == event {
				return e, nil
			}
		}
		from = len(seen)
		select {
		case <-more:
		case <-w.end:
			if w.count() > from {
				continue
			}
			return nil, fmt.Errorf("it has ended with %d and no %q:\n%s%s", w.code(), event, w.text(), w.err.String())
		case <-late:
			return nil, fmt.Errorf("no %q within %s:\n%s", event, d, w.text())
		}
	}
}

func (w *window) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.seen)
}

// text is standard output so far.
func (w *window) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.String() + strings.Join(w.bad, "")
}

// last is the last event.
func (w *window) last() map[string]any {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.seen) == 0 {
		return map[string]any{}
	}
	return w.seen[len(w.seen)-1]
}

// code is the exit code, of a command that has ended; -1: it was killed.
func (w *window) code() int {
	<-w.end
	return w.cmd.ProcessState.ExitCode()
}

// kill ends it as a power cut does.
func (w *window) kill() {
	_ = w.cmd.Process.Kill()
	<-w.end
}

// person types the number that send shows where receive asks for it.
func person(receive, send *window) {
	number, err := send.await("number", patience)
	if err != nil {
		return
	}
	if _, err := receive.await("number_wanted", patience); err != nil {
		return
	}
	fmt.Fprintln(receive.in, number["number"])
}

// scriptMove is the command of scripts that moves an account:
//
//	move [-uri] [-number N] [-code N,M] [-new FLAGS] NEW OLD [flag of send...]
//
// receive runs in NEW and send in OLD, with $URL as the server. Their events are
// in NEW.out and OLD.out. -uri gives the code as text and not as a picture,
// -number types another number than the one that is shown, and -code says which
// exit codes are wanted of receive and send, 0 and 0 unless given.
func scriptMove(ts *testscript.TestScript, neg bool, args []string) {
	usage := func() { ts.Fatalf("usage: move [-uri] [-number N] [-code N,M] [-new FLAGS] NEW OLD [flag of send...]") }
	uri, number, codes, more := false, "", "0,0", ""
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		switch {
		case args[0] == "-uri":
			uri = true
		case args[0] == "-number" && len(args) > 1:
			number, args = args[1], args[1:]
		case args[0] == "-new" && len(args) > 1:
			more, args = args[1], args[1:]
		case args[0] == "-code" && len(args) > 1:
			codes, args = args[1], args[1:]
		default:
			usage()
		}
		args = args[1:]
	}
	if neg || len(args) < 2 {
		usage()
	}
	env := scriptEnv(ts)
	fresh, old := ts.MkAbs(args[0]), ts.MkAbs(args[1])
	receive, err := openWindow(env, append([]string{"receive", "--server", ts.Getenv("URL"), "--home", fresh}, strings.Fields(more)...)...)
	ts.Check(err)
	defer receive.kill()
	offer, err := receive.await("offer", patience)
	ts.Check(err)
	flags := []string{"send", "--home", old, "--yes", "--scan-image", filepath.Join(fresh, transferName, qrName)}
	if uri {
		flags = append(flags[:4], "--scan", offer["uri"].(string))
	}
	for i, a := range args[2:] {
		if i > 0 && args[2+i-1] == "--history" {
			a = ts.MkAbs(a)
		}
		flags = append(flags, a)
	}
	send, err := openWindow(env, flags...)
	ts.Check(err)
	defer send.kill()
	if number == "" {
		go person(receive, send)
	} else if _, err := receive.await("number_wanted", patience); err == nil {
		for range 3 {
			fmt.Fprintln(receive.in, number)
		}
	}
	for _, w := range []*window{receive, send} {
		select {
		case <-w.end:
		case <-time.After(2 * patience):
			ts.Fatalf("it does not end\nreceive:\n%s\nsend:\n%s", receive.text(), send.text())
		}
	}
	got := fmt.Sprintf("%d,%d", receive.code(), send.code())
	ts.Check(os.WriteFile(fresh+".out", []byte(receive.text()), 0o600))
	ts.Check(os.WriteFile(old+".out", []byte(send.text()), 0o600))
	if got != codes {
		ts.Fatalf("exit codes %s, want %s\nreceive:\n%s%s\nsend:\n%s%s", got, codes, receive.text(), receive.err.String(), send.text(), send.err.String())
	}
	if bad := append(receive.bad, send.bad...); len(bad) > 0 {
		ts.Fatalf("lines that are no events: %q", bad)
	}
}

// scriptEnv is the environment of a script.
func scriptEnv(ts *testscript.TestScript) []string {
	env := os.Environ()
	for _, name := range []string{"HOME", "STAUNCH_PHONE_PROXIMITY", "URL"} {
		if v := ts.Getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// scriptSameTree compares two folders: names, kinds and bytes.
func scriptSameTree(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: sametree DIR DIR")
	}
	ts.Check(sameTree(ts.MkAbs(args[0]), ts.MkAbs(args[1])))
}

// scriptSmallFiles makes a folder of N small files, a thousand in each of its own
// folders. With -check it wants them there, with the same in them.
func scriptSmallFiles(ts *testscript.TestScript, neg bool, args []string) {
	check := len(args) > 0 && args[0] == "-check"
	if check {
		args = args[1:]
	}
	if neg || len(args) != 2 {
		ts.Fatalf("usage: smallfiles [-check] DIR N")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	dir := ts.MkAbs(args[0])
	for i := range n {
		folder := filepath.Join(dir, fmt.Sprintf("%03d", i/1000))
		file, content := filepath.Join(folder, fmt.Sprintf("%06d.txt", i)), fmt.Appendf(nil, "message %d", i)
		if check {
			got, err := os.ReadFile(file)
			ts.Check(err)
			if !bytes.Equal(got, content) {
				ts.Fatalf("%s: %q", file, got)
			}
			continue
		}
		if i%1000 == 0 {
			ts.Check(os.MkdirAll(folder, 0o700))
		}
		ts.Check(os.WriteFile(file, content, 0o600))
	}
}

// scriptMemory sets a variable to a new folder, in memory where the machine has
// that: what is tested there is not how fast a disk is.
func scriptMemory(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: memory VAR")
	}
	dir, err := os.MkdirTemp("/dev/shm", "staunch-")
	if err != nil {
		dir, err = os.MkdirTemp("", "staunch-")
	}
	ts.Check(err)
	ts.Defer(func() { ts.Check(os.RemoveAll(dir)) })
	ts.Setenv(args[0], dir)
}

// sameTree reports how two folders differ.
func sameTree(want, got string) error {
	a, err := readTree(want)
	if err != nil {
		return err
	}
	b, err := readTree(got)
	if err != nil {
		return err
	}
	var all []error
	for name, content := range a {
		other, there := b[name]
		switch {
		case !there:
			all = append(all, fmt.Errorf("%q is not in %s", name, got))
		case content != other:
			all = append(all, fmt.Errorf("%q differs", name))
		}
	}
	for name := range b {
		if _, there := a[name]; !there {
			all = append(all, fmt.Errorf("%q is only in %s", name, got))
		}
	}
	return errors.Join(all...)
}

// readTree is what lies below a folder, by name: files with a sum of their bytes.
func readTree(dir string) (map[string]string, error) {
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			all[name] = "folder"
			return nil
		}
		all[name], err = sumOfFile(path)
		return err
	})
	return all, err
}

func sumOfFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	return fmt.Sprintf("%d bytes, %x", n, h.Sum(nil)), err
}
