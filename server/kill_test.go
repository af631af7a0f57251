package server_test

import (
	"bufio"
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
	"github.com/staunchid/staunch/server"
)

// killEnv names the folder of a server that is going to be killed.
const killEnv = "STAUNCH_TEST_KILLED_SERVER"

// portEnv is its port, at localhost; empty: any, at APP.localhost.
const portEnv = "STAUNCH_TEST_SERVER_PORT"

// TestServerKilled kills a server while phones enrol, sign in, freeze and
// unfreeze, over and over. What was answered has happened, and all that is stored
// fits together.
func TestServerKilled(t *testing.T) {
	if os.Getenv(killEnv) != "" {
		t.Skip("this is the child")
	}
	rounds := 6
	if testing.Short() {
		rounds = 2
	}
	dir := t.TempDir()
	opts := setupAccountsIn(t, dir, "demo")
	opts.Listener.Close()
	var crowd []*resident
	for round := range rounds {
		child := serveChild(t, dir)
		to := at(t, child.url)
		for _, r := range crowd {
			r.phone.moveTo(to)
			r.recall(t, round)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var busy sync.WaitGroup
		answered := make(chan struct{}, 1)
		for _, r := range crowd[max(0, len(crowd)-3):] {
			busy.Go(func() { r.live(ctx, answered) })
		}
		fresh := make([]*resident, 3)
		for i := range fresh {
			fresh[i] = &resident{phone: newPhone(t, "demo", "http://demo.localhost", to)}
			fresh[i].phone.moveTo(to)
			busy.Go(func() { fresh[i].live(ctx, answered) })
		}
		select { // somebody has been answered, however slow the machine is
		case <-answered:
		case <-time.After(time.Minute):
			t.Fatalf("round %d: nobody was answered in a minute", round)
		}
		time.Sleep(time.Duration(20+90*round) * time.Millisecond)
		child.kill(t)
		cancel()
		busy.Wait()
		for _, r := range fresh {
			if r.phone.account != "" {
				crowd = append(crowd, r)
			}
		}
		report, err := server.CheckApp(t.Context(), opts.Config, "demo")
		if err != nil || len(report.Problems) != 0 {
			t.Fatalf("round %d: %+v, %v", round, report, err)
		}
		if report.Accounts < len(crowd) {
			t.Fatalf("round %d: %d accounts, and %d were answered", round, report.Accounts, len(crowd))
		}
	}
	if len(crowd) == 0 {
		t.Fatal("nobody was ever answered")
	}
	again := setupAccountsIn(t, dir, "demo")
	s := start(t, again)
	to := at(t, s.URL())
	for _, r := range crowd {
		r.phone.moveTo(to)
		r.recall(t, rounds)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	report, err := server.CheckApp(t.Context(), again.Config, "demo")
	if err != nil || len(report.Problems) != 0 || report.Unsealed != 0 {
		t.Errorf("at the end: %+v, %v", report, err)
	}
}

// resident is a phone, and what its account may be: as it was answered last, and
// as the call that was cut off would have made it.
type resident struct {
	phone  *phone
	states []accountv1.State
}

// live enrols, and then freezes, unfreezes and signs in until a call fails. The
// first enrolment that is answered is told.
func (r *resident) live(ctx context.Context, answered chan<- struct{}) {
	p := r.phone
	if p.account == "" {
		if p.enrol(ctx) != nil {
			return
		}
		r.states = []accountv1.State{accountv1.State_STATE_ACTIVE}
		select {
		case answered <- struct{}{}:
		default: // told already
		}
	}
	for {
		for _, step := range []struct {
			do func(context.Context) error
			to accountv1.State
		}{{p.freeze, accountv1.State_STATE_FROZEN}, {p.signIn, accountv1.State_STATE_FROZEN}, {p.unfreeze, accountv1.State_STATE_ACTIVE}, {p.signIn, accountv1.State_STATE_ACTIVE}} {
			r.states = append(r.states, step.to)
			if step.do(ctx) != nil {
				return
			}
			r.states = []accountv1.State{step.to}
		}
	}
}

// recall looks whether the account is what it may be, and signs in again.
func (r *resident) recall(t *testing.T, round int) {
	t.Helper()
	r.phone.token = ""
	got, err := r.phone.state(t.Context())
	if err != nil {
		t.Fatalf("round %d: %v", round, err)
	}
	ok := false
	for _, s := range r.states {
		ok = ok || s == got
	}
	if !ok {
		t.Fatalf("round %d: the account is %s, and may be %v", round, got, r.states)
	}
	if err := r.phone.signIn(t.Context()); err != nil {
		t.Fatalf("round %d: sign in: %v", round, err)
	}
	r.states = []accountv1.State{got}
}

// child is a server in a process of its own.
type child struct {
	cmd *exec.Cmd
	url string
}

func serveChild(t *testing.T, dir string, env ...string) *child {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestServedChild$", "-test.v")
	cmd.Env = append(append(os.Environ(), killEnv+"="+dir), env...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if url, ok := strings.CutPrefix(lines.Text(), "serving "); ok {
			go func() {
				for lines.Scan() { // so that it never waits for us
				}
			}()
			return &child{cmd, url}
		}
	}
	t.Fatalf("the child does not serve: %v", cmd.Wait())
	return nil
}

func (c *child) kill(t *testing.T) {
	t.Helper()
	if err := c.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Wait(); err == nil {
		t.Fatal("the child ended by itself")
	}
}

// TestServedChild is the server that TestServerKilled kills.
func TestServedChild(t *testing.T) {
	dir := os.Getenv(killEnv)
	if dir == "" {
		t.Skip("the child of TestServerKilled")
	}
	opts := setupAccountsIn(t, dir, "demo")
	opts.TestingOnlySealing(50 * time.Millisecond)
	log, err := os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	opts.Logger = slog.New(slog.NewTextHandler(log, nil))
	s, err := server.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stdout.WriteString("serving " + s.URL() + "\n"); err != nil {
		t.Fatal(err)
	}
	if filepath.Dir(opts.Config.DataDir) != dir {
		t.Fatal("not the folder that was asked for")
	}
	t.Fatal(s.Run(context.Background()))
}
