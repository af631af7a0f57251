package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server that runs.
type process struct {
	program, dir, url string
	cmd               *exec.Cmd
	log               string // file
}

func startServer(ctx context.Context, program, dir string) (*process, error) {
	p := &process{program: program, dir: filepath.Join(dir, "dev"), log: filepath.Join(dir, "log")}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the process has its own
	p.cmd = exec.CommandContext(ctx, program, "dev", "--dir", p.dir, "--listen", "127.0.0.1:0", "--json")
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.Stderr = log
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w; build it with `make build`", err)
	}
	var said struct{ URL string }
	if err := json.NewDecoder(stdout).Decode(&said); err != nil {
		return nil, fmt.Errorf("the server did not start: %w\n%s", err, p.tail())
	}
	p.url = said.URL
	return p, nil
}

// stop ends the server in good order.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("the server ended: %w", err)
	}
	return nil
}

// tail is the end of the log.
func (p *process) tail() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	lines := strings.SplitAfter(string(text), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "")
}

// check looks for damage in the store.
func (p *process) check() error {
	out, err := exec.Command(p.program, "check", "--dir", p.dir).CombinedOutput()
	if err != nil {
		return fmt.Errorf("staunch check: %w\n%s", err, out)
	}
	return nil
}

// sample is what the server says of itself at one time.
type sample struct {
	at                time.Duration // since the first
	resident, heap    float64       // bytes
	goroutines, files float64
	store             int64 // bytes, with the write-ahead log
}

// measure takes a sample at every interval until ctx ends.
func (p *process) measure(ctx context.Context, every time.Duration) ([]sample, error) {
	var all []sample
	begin := time.Now()
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		s, err := p.sample()
		if err != nil {
			return all, err
		}
		s.at = time.Since(begin)
		all = append(all, s)
		select {
		case <-ctx.Done():
			return all, nil
		case <-t.C:
		}
	}
}

func (p *process) sample() (s sample, err error) {
	res, err := http.Get(p.url + "/metrics")
	if err != nil {
		return s, err
	}
	defer res.Body.Close()
	wanted := map[string]*float64{
		"process_resident_memory_bytes": &s.resident, "go_memstats_heap_alloc_bytes": &s.heap,
		"go_goroutines": &s.goroutines, "process_open_fds": &s.files,
	}
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if field := wanted[name]; field != nil {
			if *field, err = strconv.ParseFloat(value, 64); err != nil {
				return s, fmt.Errorf("%s: %w", name, err)
			}
			delete(wanted, name)
		}
	}
	if err := lines.Err(); err != nil {
		return s, err
	}
	for name := range wanted {
		return s, fmt.Errorf("/metrics has no %s; the soak run needs Linux", name)
	}
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return s, err
	}
	files, err := filepath.Glob(filepath.Join(p.dir, "data", "*.db*"))
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			s.store += info.Size()
		}
	}
	return s, err
}
