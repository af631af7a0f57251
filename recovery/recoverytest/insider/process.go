package insider

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// process is one part of a kit, which is killed and started again.
type process struct {
	name string
	args []string // after childWord
	join bool     // it is a witness: it must join the others before it counts
	log  io.Writer

	mu      sync.Mutex
	cmd     *exec.Cmd      // guarded by mu; nil: it does not run
	stdin   io.WriteCloser // guarded by mu; its end is that of this program
	ended   chan struct{}  // guarded by mu; closed when the process is gone
	rejoins chan struct{}  // guarded by mu; closed when it has joined
}

// start starts it; extra are arguments of this start alone.
func (p *process) start(extra ...string) error {
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("insider: %w", err)
	}
	cmd := exec.Command(exe, append(append([]string{childWord}, p.args...), extra...)...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("insider: %w", err)
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return fmt.Errorf("insider: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("insider: start %s: %w", p.name, err)
	}
	ended, rejoins := make(chan struct{}), make(chan struct{})
	go func() {
		p.read(stderr, sync.OnceFunc(func() { close(rejoins) }))
		_ = cmd.Wait() // it was killed: that is no news
		close(ended)
	}()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cmd, p.stdin, p.ended, p.rejoins = cmd, stdin, ended, rejoins
	return nil
}

// joinedWord is what a witness logs when it remembers.
const joinedWord = "recovery.rejoined"

// read copies the process's log, and looks for the word that it counts again.
func (p *process) read(r io.Reader, joined func()) {
	for lines := bufio.NewScanner(r); lines.Scan(); {
		if strings.Contains(lines.Text(), joinedWord) {
			joined()
		}
		fmt.Fprintf(p.log, "%s: %s\n", p.name, lines.Text())
	}
}

// kill ends it at once, as a power cut does.
func (p *process) kill() error {
	p.mu.Lock()
	cmd, stdin, ended := p.cmd, p.stdin, p.ended
	p.cmd = nil
	p.mu.Unlock()
	if cmd == nil {
		return nil
	}
	if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("insider: kill %s: %w", p.name, err)
	}
	stdin.Close() //nolint:errcheck // nobody reads it any more
	<-ended
	return nil
}

// freeze stops it without ending it, and goes on.
func (p *process) freeze(on bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return nil
	}
	return freeze(p.cmd.Process, on)
}

// joined waits until the process counts as a witness again.
func (p *process) joined(ctx context.Context) error {
	p.mu.Lock()
	rejoins, ended := p.rejoins, p.ended
	p.mu.Unlock()
	if !p.join {
		return nil
	}
	select {
	case <-rejoins:
		return nil
	case <-ended:
		return fmt.Errorf("insider: %s has ended: its log says why", p.name)
	case <-ctx.Done():
		return fmt.Errorf("insider: %s has not joined the others: %w", p.name, ctx.Err())
	}
}

// again repeats until what it does succeeds, less and less often.
func again(ctx context.Context, do func() error) error {
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		err := do()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(pause):
		}
	}
}
