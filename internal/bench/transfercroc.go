package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// crocs are moves by croc (github.com/schollz/croc), from 9.6.10 on, over a relay of
// its own on this machine.
type crocs struct {
	dir, program, address string
	server                *process
	n                     int
}

func newCrocs(ctx context.Context, dir, program string) (*crocs, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return nil, err
	}
	// The first port is for meeting, each of the others for a stream.
	ports := fmt.Sprintf("%d,%d,%d", port, port+1, port+2)
	c := &crocs{dir: dir, program: program, address: address}
	c.server, err = startServer(ctx, filepath.Join(dir, "log"), program, "relay", "--host", host, "--ports", ports)
	return c, err
}

func (c *crocs) stop()       { c.server.stop() }
func (c *crocs) log() []byte { return c.server.log() }

// ticks are a second's in /proc (proc_pid_stat(5)): 100 on every Linux for Go.
const ticks = 100

// spentBy is the processor time of a process so far, in seconds.
func spentBy(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat: %s", pid, text)
	}
	user, err := strconv.ParseFloat(string(fields[11]), 64)
	system, err2 := strconv.ParseFloat(string(fields[12]), 64)
	return (user + system) / ticks, errors.Join(err, err2)
}

// move sends a folder. Its time is that of both commands: croc does not tell when the
// first byte goes.
func (c *crocs) move(ctx context.Context, history string) (t trial, err error) {
	ctx, cancel := context.WithTimeout(ctx, moveTimeout)
	defer cancel()
	c.n++
	out := filepath.Join(c.dir, fmt.Sprint("out", c.n))
	if err := os.Mkdir(out, 0o700); err != nil {
		return t, err
	}
	defer os.RemoveAll(out)
	for range 100 { // until the relay listens
		conn, err := net.Dial("tcp", c.address)
		if err == nil {
			conn.Close()
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	before, err := spentBy(c.server.cmd.Process.Pid)
	if err != nil {
		return t, err
	}
	command := func(args ...string) (*talk, error) {
		cmd := exec.CommandContext(ctx, c.program, append([]string{"--yes", "--relay", c.address}, args...)...)
		cmd.Env = append(os.Environ(), fmt.Sprintf("CROC_SECRET=1234-bench-of-moves-%d", c.n))
		cmd.Dir = c.dir
		return openTalk(cmd)
	}
	begun := time.Now()
	send, err := command("send", "--no-local", "--transfers", "2", history)
	if err != nil {
		return t, err
	}
	defer send.kill()
	receive, err := command("--out", out)
	if err != nil {
		return t, err
	}
	defer receive.kill()
	for i, k := range []*talk{send, receive} {
		if err := k.wait(); err != nil {
			return t, err
		}
		t.spent[i] = (k.cmd.ProcessState.UserTime() + k.cmd.ProcessState.SystemTime()).Seconds()
		t.memory[i] = <-k.usage
	}
	t.wall = time.Since(begun)
	if _, err := os.Stat(filepath.Join(out, filepath.Base(history))); err != nil {
		return t, fmt.Errorf("croc has not moved it: %w", err)
	}
	now, err := spentBy(c.server.cmd.Process.Pid)
	t.spent[2] = now - before
	return t, err
}
