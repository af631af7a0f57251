package server_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/staunchid/staunch/client"
	"github.com/staunchid/staunch/server"
	"github.com/staunchid/staunch/transfer"
)

// mortal is a server in a process of its own, which is killed and started again at
// one address.
type mortal struct {
	t    *testing.T
	dir  string
	port string

	mu    sync.Mutex
	child *child
	kills atomic.Int32
}

func newMortal(t *testing.T) *mortal {
	t.Helper()
	if os.Getenv(killEnv) != "" {
		t.Skip("this is the child")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err := errors.Join(err, l.Close()); err != nil {
		t.Fatal(err)
	}
	m := &mortal{t: t, dir: t.TempDir(), port: port}
	m.child = serveChild(t, m.dir, portEnv+"="+port)
	t.Cleanup(func() {
		m.child.kill(t)
		m.tellErrors()
	})
	return m
}

func (m *mortal) origin() string { return "http://localhost:" + m.port }

// kill kills the server, and starts it again.
func (m *mortal) kill() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.child.kill(m.t)
	m.child = serveChild(m.t, m.dir, portEnv+"="+m.port)
	m.kills.Add(1)
}

// tellErrors shows what the servers have logged of a test that has failed.
func (m *mortal) tellErrors() {
	log, err := os.ReadFile(filepath.Join(m.dir, "log"))
	if err != nil {
		m.t.Error(err)
	}
	for line := range strings.Lines(string(log)) {
		if m.t.Failed() && (strings.Contains(line, "level=ERROR") || strings.Contains(line, "level=WARN")) {
			m.t.Log(strings.TrimSpace(line))
		}
	}
}

// sound checks the store while the server runs, and that no ciphertext is left that
// had not become whole.
func (m *mortal) sound() {
	m.t.Helper()
	report, err := server.CheckApp(m.t.Context(), setupAccountsIn(m.t, m.dir, "demo").Config, "demo")
	if err != nil || !report.OK() {
		m.t.Errorf("check: %+v, %v", report.Problems, err)
	}
	if half, err := os.ReadDir(filepath.Join(m.dir, "data", "blobs", ".arriving")); err != nil || len(half) > 0 {
		m.t.Errorf("%d blobs are still arriving, %v", len(half), err)
	}
}

// blobs are the files of ciphertext.
func (m *mortal) blobs() (all []string) {
	err := filepath.WalkDir(filepath.Join(m.dir, "data", "blobs", "demo"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all = append(all, path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		m.t.Error(err)
	}
	return all
}

// TestMoveOverKilledServer: whenever the server is killed, the phones go on, and the
// account moves once.
func TestMoveOverKilledServer(t *testing.T) {
	m := newMortal(t)
	c, n := newMover(t, m.origin()).enrolled(20<<20), newMover(t, m.origin())
	ended := make(chan struct{})
	var killer sync.WaitGroup
	killer.Go(func() {
		for pause := 150 * time.Millisecond; ; pause += 130 * time.Millisecond {
			select {
			case <-ended:
				return
			case <-time.After(pause):
				m.kill()
			}
		}
	})
	of, to := c.move(t.Context(), n)
	close(ended)
	killer.Wait()
	c.handedOver(n, of, to)
	m.sound()
	if m.kills.Load() == 0 {
		t.Error("the server was never killed")
	}
	t.Logf("%d kills; old: %v; new: %v", m.kills.Load(), c.events, n.events)
}

// once does something at the first request for a path.
func once(part, method string, do func(*http.Request)) func(*http.Request) error {
	var done atomic.Bool
	return func(r *http.Request) error {
		if r.Method == method && strings.Contains(r.URL.Path, part) && !done.Swap(true) {
			do(r)
		}
		return nil
	}
}

// cutBody kills the server when half of a body has gone out.
type cutBody struct {
	io.ReadCloser
	left int64
	cut  func()
}

func (b *cutBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p[:min(len(p), 64<<10)])
	if b.left -= int64(n); b.left <= 0 && b.cut != nil {
		b.cut()
		b.cut = nil
	}
	return n, err
}

// TestMoveKilledAt: the crash points of the server (docs/transfer.md).
func TestMoveKilledAt(t *testing.T) {
	after := func(d time.Duration, m *mortal) func(*http.Request) {
		return func(*http.Request) { time.AfterFunc(d, m.kill) }
	}
	for name, set := range map[string]func(t *testing.T, m *mortal, c, n *mover){
		"in the middle of a PUT": func(_ *testing.T, m *mortal, c, _ *mover) {
			c.hook = once("/transfer/v1/", http.MethodPut, func(r *http.Request) { r.Body = &cutBody{r.Body, r.ContentLength / 2, m.kill} })
		},
		"a segment is gone before the seal": func(t *testing.T, m *mortal, _, n *mover) {
			n.hook = once("/transfer/v1/", http.MethodGet, func(*http.Request) {
				for _, file := range wait(t, m) {
					must(t, os.Remove(file))
				}
			})
		},
		"Commit, at once": func(_ *testing.T, m *mortal, _, n *mover) { n.hook = once("/Commit", http.MethodPost, after(0, m)) },
		"Commit, after 3 ms": func(_ *testing.T, m *mortal, _, n *mover) {
			n.hook = once("/Commit", http.MethodPost, after(3*time.Millisecond, m))
		},
		"Commit, after 10 ms": func(_ *testing.T, m *mortal, _, n *mover) {
			n.hook = once("/Commit", http.MethodPost, after(10*time.Millisecond, m))
		},
		"Commit, after 30 ms": func(_ *testing.T, m *mortal, _, n *mover) {
			n.hook = once("/Commit", http.MethodPost, after(30*time.Millisecond, m))
		},
		"Seal": func(_ *testing.T, m *mortal, c, _ *mover) {
			c.hook = once("/Seal", http.MethodPost, after(5*time.Millisecond, m))
		},
		"Confirm": func(_ *testing.T, m *mortal, c, _ *mover) {
			c.hook = once("/Confirm", http.MethodPost, after(5*time.Millisecond, m))
		},
		"Acknowledge": func(_ *testing.T, m *mortal, _, n *mover) {
			n.hook = once("/Acknowledge", http.MethodPost, after(5*time.Millisecond, m))
		},
		"all at the first GET": func(_ *testing.T, m *mortal, _, n *mover) {
			n.hook = once("/transfer/v1/", http.MethodGet, after(0, m))
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMortal(t)
			c, n := newMover(t, m.origin()).enrolled(9<<20), newMover(t, m.origin())
			set(t, m, c, n)
			of, to := c.move(t.Context(), n)
			c.handedOver(n, of, to)
			m.sound()
		})
	}
}

// wait is for ciphertext to come.
func wait(t *testing.T, m *mortal) []string {
	for range 200 {
		if all := m.blobs(); len(all) > 0 {
			return all
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Error("no ciphertext has come")
	return nil
}

// TestLostAfterSeal: what the server loses when all was sealed ends the move with a
// reason on both phones, and the old one goes on as it was.
func TestLostAfterSeal(t *testing.T) {
	m := newMortal(t)
	c, n := newMover(t, m.origin()).enrolled(9<<20), newMover(t, m.origin())
	sealed := make(chan struct{})
	c.hook = func(r *http.Request) error {
		if strings.HasSuffix(r.URL.Path, "/Wait") && has(c, client.EventSealed) {
			select {
			case <-sealed:
			default:
				close(sealed)
			}
		}
		return nil
	}
	n.hook = func(r *http.Request) error {
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/transfer/v1/") {
			select {
			case <-sealed:
			case <-r.Context().Done():
				return r.Context().Err()
			}
			for _, file := range m.blobs() {
				if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
					t.Error(err)
				}
			}
		}
		return nil
	}
	of, to := c.move(t.Context(), n)
	for _, err := range []error{of.err, to.err} {
		var ended *client.MoveEnded
		if !errors.As(err, &ended) || ended.Reason != string(transfer.Integrity) {
			t.Errorf("it ended by %v", err)
		}
	}
	if _, err := c.phone.Status(context.WithoutCancel(t.Context())); err != nil || len(c.did) > 0 {
		t.Errorf("the old phone: %v, it did %v", err, c.did)
	}
	m.sound()
}

func has(m *mover, event string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.events {
		if e == event {
			return true
		}
	}
	return false
}
