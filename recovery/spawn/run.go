package spawn

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/staunchid/staunch/recovery/replica"
)

// How soon a vault is started again that has ended, and after how long a run the
// first of these counts again.
const (
	firstBackOff = 200 * time.Millisecond
	mostBackOff  = 5 * time.Second
	steady       = 10 * time.Second
	stopWait     = 5 * time.Second // for a child whose stdin was closed
	tellEvery    = time.Minute     // of one that ends again and again
)

// Run keeps the vaults and the witness running until ctx ends; then it ends them
// and returns nil. What ends by itself is started again.
func (s *Set) Run(ctx context.Context) error {
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("spawn: %w", err)
	}
	s.log.Warn("vaults are processes of this machine, NOT a TEE: who runs it can read their keys", "profile", s.o.Profile, "dir", s.o.Dir, "operators", 1)
	var parts sync.WaitGroup
	for _, c := range s.shape.children {
		parts.Go(func() {
			s.keep(ctx, "vault "+c.name(), func(ctx context.Context) error { return s.runChild(ctx, exe, c) })
		})
	}
	for _, w := range s.shape.witnesses {
		parts.Go(func() {
			s.keep(ctx, "witness "+w, func(ctx context.Context) error {
				return replica.RunWitness(ctx, &replica.Options{ID: w, Dir: filepath.Join(s.o.Dir, w), Create: s.first.Load(), Hosted: true, Logger: s.log})
			})
		})
	}
	parts.Wait()
	for _, l := range s.links {
		l.Close()
	}
	return nil
}

// keep runs a part again and again until ctx ends. One that cannot start is told of
// while the pauses grow, and once a minute after that.
func (s *Set) keep(ctx context.Context, name string, run func(context.Context) error) {
	var told time.Time
	for pause := firstBackOff; ; pause = min(2*pause, mostBackOff) {
		since := time.Now()
		err := run(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(since) > steady {
			pause = firstBackOff
		}
		if pause < mostBackOff || time.Since(told) > tellEvery {
			told = time.Now()
			s.log.Error(name+" has ended, and is started again", "error", err, "in", pause)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// runChild runs one vault. Its stdin is a pipe that ends with this process,
// however that ends; then it ends too.
func (s *Set) runChild(ctx context.Context, exe string, c child) error {
	cmd := exec.Command(exe, s.args(c)...)
	ownGroup(cmd)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("spawn: %w", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("spawn: %w", err)
	}
	cmd.Stderr = s.o.Stderr
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("spawn: %w", err)
	}
	go func() {
		for lines := bufio.NewScanner(io.LimitReader(stdout, 1<<20)); lines.Scan(); {
			s.log.Debug("vault "+c.name(), "says", lines.Text())
		}
		io.Copy(io.Discard, stdout) //nolint:errcheck // of a vault that says more than that, whose pipe must not fill up
	}()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		stdin.Close()
		select {
		case err = <-ended:
		case <-time.After(stopWait):
			err = errors.Join(errors.New("spawn: it does not end, and is killed"), cmd.Process.Kill(), <-ended)
		}
	}
	stdin.Close()
	if err == nil {
		err = errors.New("it was stopped")
	}
	return fmt.Errorf("spawn: %s: %w", c.name(), err)
}

// args are those of a child.
func (s *Set) args(c child) []string {
	args := append([]string{}, s.o.Command...)
	args = append(args, "--id", c.vault, "--dir", filepath.Join(s.o.Dir, c.folder()))
	if c.replica != "a" {
		args = append(args, "--replica", c.replica)
	}
	keys := "unix:" + filepath.Join(s.o.Dir, c.vault, "keys.sock")
	if c.keysOn {
		args = append(args, "--keys-on", keys)
	}
	if c.keysFrom {
		args = append(args, "--keys-from", keys)
	}
	if s.first.Load() || s.begins(c) {
		args = append(args, "--create")
	}
	return append(args, s.o.LogArgs...)
}

// begins reports whether a vault is in the place of another, and has never answered.
func (s *Set) begins(c child) bool {
	there, err := exists(filepath.Join(s.o.Dir, c.folder(), firstFile))
	return err == nil && there
}

// Ready waits until every vault answers, and notes then that none of them begins
// for the first time any more.
func (s *Set) Ready(ctx context.Context) error {
	errs := make([]error, len(s.shape.children))
	var waiting sync.WaitGroup
	for i, c := range s.shape.children {
		waiting.Go(func() { errs[i] = s.await(ctx, c) })
	}
	waiting.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if !s.first.Swap(false) {
		return nil
	}
	return s.begun(s.o.Dir)
}

// await waits for one vault, and notes that it has begun.
func (s *Set) await(ctx context.Context, c child) error {
	for {
		_, err := s.links[c.name()].Info(ctx)
		if err == nil {
			return s.begun(filepath.Join(s.o.Dir, c.folder()))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("spawn: vault %s does not answer; its log says why: %w", c.name(), errors.Join(ctx.Err(), err))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// begun notes it in a folder: what is lost from now on is not made anew.
func (s *Set) begun(dir string) error {
	err := os.Remove(filepath.Join(dir, firstFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("spawn: %w", err)
	}
	return syncDir(dir)
}
