package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// moveTimeout is how long a move may take, on a busy machine.
const moveTimeout = 20 * time.Minute

// moves are accounts that move from one software phone to another, each by `staunch
// phone transfer` in a process of its own, through `staunch dev`: the server of
// `staunch serve`, which trusts such phones.
type moves struct {
	dir, program, address string
	server                *process
	n                     int
}

func newMoves(ctx context.Context, dir, program string) (*moves, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	m := &moves{dir: dir, program: program, address: address}
	if err := m.configure(ctx); err != nil {
		return nil, err
	}
	m.server, err = m.start(ctx)
	return m, err
}

func (m *moves) start(ctx context.Context) (*process, error) {
	return startServer(ctx, m.dir+".log", m.program, "dev", "--dir", m.dir, "--listen", m.address, "--json")
}

// configure has the server write its files, and takes vaults and holds out.
func (m *moves) configure(ctx context.Context) error {
	p, err := m.start(ctx)
	if err != nil {
		return err
	}
	defer p.stop()
	if _, err := processor(m.address); err != nil { // waits until it serves
		return fmt.Errorf("%w\n%s", err, p.log())
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	<-p.done
	file := filepath.Join(m.dir, "staunch.toml")
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	changed := holds.ReplaceAll(text, []byte(`$1 = "none"`))
	changed = bytes.Replace(changed, []byte("[[app]]"), []byte("[recovery]\nprofile = \"none\"\n\n[[app]]"), 1)
	return errors.Join(os.RemoveAll(filepath.Join(m.dir, "data")), os.WriteFile(file, changed, 0o600))
}

// holds are the lines of a configuration that have a move wait.
var holds = regexp.MustCompile(`(?m)^(hold_(?:none|lan|near|risk)) = .*$`)

func (m *moves) stop()       { m.server.stop() }
func (m *moves) log() []byte { return m.server.log() }

// move enrols a phone, and moves its account to another one.
func (m *moves) move(ctx context.Context, history string) (t trial, err error) {
	ctx, cancel := context.WithTimeout(ctx, moveTimeout)
	defer cancel()
	m.n++
	from, to := filepath.Join(m.dir, fmt.Sprint("old", m.n)), filepath.Join(m.dir, fmt.Sprint("new", m.n))
	defer os.RemoveAll(from)
	defer os.RemoveAll(to)
	if _, err := processor(m.address); err != nil { // waits until it serves
		return t, err
	}
	if text, err := exec.CommandContext(ctx, m.program, "phone", "enroll", "--server", "http://"+m.address, "--home", from, "--name", "old", "--json").CombinedOutput(); err != nil {
		return t, fmt.Errorf("enroll: %w\n%s", err, text)
	}
	c := newCourse(m.address, m.server.cmd.Process.Pid)
	if err := c.begin(); err != nil {
		return t, err
	}
	command := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, m.program, append([]string{"phone", "transfer"}, append(args, "--json")...)...)
		cmd.Env = append(os.Environ(), "STAUNCH_PHONE_PROXIMITY=none")
		return cmd
	}
	receive, err := openTalk(command("receive", "--server", "http://"+m.address, "--home", to))
	if err != nil {
		return t, err
	}
	defer receive.kill()
	offer, err := receive.await("offer")
	if err != nil {
		return t, err
	}
	send, err := openTalk(command("send", "--home", from, "--yes", "--history", history, "--scan", offer.URI))
	if err != nil {
		return t, err
	}
	defer send.kill()
	number, err := send.await("number")
	if err == nil {
		_, err = receive.await("number_wanted")
	}
	if err == nil {
		_, err = fmt.Fprintln(receive.in, number.Number)
	}
	if err != nil {
		return t, err
	}
	return c.end(send, receive)
}

// course measures one move.
type course struct {
	address string
	server  int // its process
	spent   float64
	own     float64
	stop    chan struct{}
	usage   <-chan usage
}

func newCourse(address string, server int) *course {
	return &course{address: address, server: server, stop: make(chan struct{})}
}

func (c *course) begin() (err error) {
	if c.spent, err = processor(c.address); err != nil {
		return err
	}
	c.own = usageOf(c.server).own
	c.usage = watch(c.server, c.stop)
	return nil
}

// end waits for both phones, whose "confirmed" and "committed" are the first byte and
// the commit.
func (c *course) end(send, receive *talk) (t trial, err error) {
	defer close(c.stop)
	first, err := send.await("confirmed")
	if err != nil {
		return t, err
	}
	last, err := receive.await("committed")
	if err != nil {
		return t, err
	}
	t.wall = last.At.Sub(first.At)
	for i, k := range []*talk{send, receive} {
		if err := k.wait(); err != nil {
			return t, err
		}
		t.spent[i] = (k.cmd.ProcessState.UserTime() + k.cmd.ProcessState.SystemTime()).Seconds()
		t.memory[i] = <-k.usage
	}
	now, err := processor(c.address)
	t.spent[2] = now - c.spent
	c.stop <- struct{}{}
	t.serverMem = max(0, (<-c.usage).own-c.own)
	return t, err
}

// said is a line of a phone.
type said struct {
	Event  string    `json:"event"`
	At     time.Time `json:"at"`
	URI    string    `json:"uri"`
	Number string    `json:"number"`
}

// talk is a phone that runs, and tells what happens in lines of JSON.
type talk struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	lines  *bufio.Reader
	errors strings.Builder
	done   chan struct{}
	usage  <-chan usage
}

func openTalk(cmd *exec.Cmd) (*talk, error) {
	k := &talk{cmd: cmd, done: make(chan struct{})}
	cmd.Stderr = &k.errors
	var err error
	if k.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	k.lines = bufio.NewReader(out)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	k.usage = watch(cmd.Process.Pid, k.done)
	return k, nil
}

// await reads on until an event.
func (k *talk) await(event string) (s said, err error) {
	last := ""
	for {
		line, err := k.lines.ReadString('\n')
		if err != nil {
			return s, fmt.Errorf("no %q after\n%s%w", event, last, errors.Join(err, k.wait()))
		}
		last, s = line, said{}
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			return s, fmt.Errorf("%s: %w", line, err)
		}
		if s.Event == event {
			return s, nil
		}
	}
}

// wait reads the rest, and waits for the end.
func (k *talk) wait() error {
	_, err := io.Copy(io.Discard, k.lines)
	err = errors.Join(err, k.cmd.Wait())
	select {
	case <-k.done:
	default:
		close(k.done)
	}
	if err != nil {
		return fmt.Errorf("%w\n%s", err, k.errors.String())
	}
	return nil
}

// kill ends one that still runs.
func (k *talk) kill() {
	if k.cmd.ProcessState == nil {
		_ = k.cmd.Process.Kill() // it has ended already: as good
		_ = k.wait()             // another error is told
	}
}
