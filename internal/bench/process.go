package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// cpuMetric is how Prometheus names the processor time of a process.
const cpuMetric = "process_cpu_seconds_total"

// process is a server that runs beside this program.
type process struct {
	cmd  *exec.Cmd
	out  *os.File
	done chan struct{} // closed when it has ended
}

// freeAddress is one that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// startServer starts a program whose log goes into a file. It dies with ctx.
func startServer(ctx context.Context, log, program string, args ...string) (*process, error) {
	out, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.CommandContext(ctx, program, args...), out: out, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = out, out
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(err, out.Close())
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // what went wrong stands in its log
	}()
	return p, nil
}

func (p *process) stop() {
	_ = p.cmd.Process.Kill() // it has ended already: as good
	<-p.done
	_ = p.out.Close() // in a folder that is removed
}

// log is the end of what the process has written.
func (p *process) log() []byte {
	text, _ := os.ReadFile(p.out.Name()) // shown beside another error
	return text[max(0, len(text)-2000):]
}

// processor asks a server for its processor time so far, in seconds. A server
// that has just been started gets time to listen.
func processor(address string) (float64, error) {
	var res *http.Response
	var err error
	for range 100 {
		if res, err = http.Get("http://" + address + "/metrics"); err == nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(text) {
		if value, ok := bytes.CutPrefix(line, []byte(cpuMetric+" ")); ok {
			return strconv.ParseFloat(string(bytes.TrimSpace(value)), 64)
		}
	}
	return 0, fmt.Errorf("%s has no metric %s", address, cpuMetric)
}

// ownProcessor is the processor time of this process so far, in seconds.
func ownProcessor() (float64, error) {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	all, err := r.Gather()
	if err != nil {
		return 0, err
	}
	for _, m := range all {
		if m.GetName() == cpuMetric {
			return m.GetMetric()[0].GetCounter().GetValue(), nil
		}
	}
	return 0, fmt.Errorf("this system does not tell %s", cpuMetric)
}
