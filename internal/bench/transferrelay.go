package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/staunchid/staunch/blob"
)

// The path of a move without cryptography: segments as long as sealed ones, in the
// same places, over as many connections of HTTP/1.1, through a server of net/http into
// the server's own folder of blobs and out of it. Nothing is sealed, hashed, checked
// or recorded. Each of the three is a process of this program.

// relays are such moves.
type relays struct {
	dir, self, address string
	server             *process
}

func newRelays(ctx context.Context, dir string) (*relays, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	r := &relays{dir: dir, self: self, address: address}
	r.server, err = startServer(ctx, filepath.Join(dir, "log"), self, "-relay", "serve", address, filepath.Join(dir, "blobs"))
	return r, err
}

func (r *relays) stop()       { r.server.stop() }
func (r *relays) log() []byte { return r.server.log() }

func (r *relays) move(ctx context.Context, history string) (t trial, err error) {
	ctx, cancel := context.WithTimeout(ctx, moveTimeout)
	defer cancel()
	c := newCourse(r.address, r.server.cmd.Process.Pid)
	if err := c.begin(); err != nil {
		return t, err
	}
	out := filepath.Join(r.dir, "received")
	defer os.Remove(out)
	receive, err := openTalk(exec.CommandContext(ctx, r.self, "-relay", "receive", r.address, out))
	if err != nil {
		return t, err
	}
	defer receive.kill()
	send, err := openTalk(exec.CommandContext(ctx, r.self, "-relay", "send", r.address, history))
	if err != nil {
		return t, err
	}
	defer send.kill()
	return c.end(send, receive)
}

// relay is one of the three processes.
func relay(role, address, path string) error {
	debug.SetGCPercent(20) // as `staunch phone transfer`
	switch role {
	case "serve":
		debug.SetGCPercent(100)
		return serveRelay(address, path)
	case "send":
		return sendRelay(address, path)
	case "receive":
		return receiveRelay(address, path)
	}
	return fmt.Errorf("-relay %s: there is no such role", role)
}

// shelf says which segments are there. The last one is empty.
type shelf struct {
	mu    sync.Mutex
	sizes map[string]int64
	more  chan struct{} // closed when there is another one
}

func (s *shelf) put(key string, size int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sizes[key] = size
	close(s.more)
	s.more = make(chan struct{})
}

func (s *shelf) wait(ctx context.Context, key string) (int64, error) {
	for {
		s.mu.Lock()
		size, ok := s.sizes[key]
		more := s.more
		s.mu.Unlock()
		if ok {
			return size, nil
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-more:
		}
	}
}

func (s *shelf) drop(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sizes, key)
}

// serveRelay takes segments, and gives them to who waits for them.
func serveRelay(address, dir string) error {
	blobs, err := blob.OpenFolder(&blob.FolderOptions{Dir: dir})
	if err != nil {
		return err
	}
	metrics := prometheus.NewRegistry()
	if err := metrics.Register(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})); err != nil {
		return err
	}
	there := &shelf{sizes: map[string]int64{}, more: make(chan struct{})}
	serve := func(do func(w http.ResponseWriter, r *http.Request, key string) error) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if err := do(w, r, "relay/"+r.PathValue("n")); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		}
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	mux.HandleFunc("PUT /{n}", serve(func(_ http.ResponseWriter, r *http.Request, key string) error {
		err := blobs.Put(r.Context(), key, r.ContentLength, r.Body)
		if err == nil {
			there.put(key, r.ContentLength)
		}
		return err
	}))
	mux.HandleFunc("GET /{n}", serve(func(w http.ResponseWriter, r *http.Request, key string) error {
		size, err := there.wait(r.Context(), key)
		if err != nil {
			return err
		}
		body, err := blobs.Get(r.Context(), key, 0, size)
		if err != nil {
			return err
		}
		defer body.Close()
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
		_, err = io.Copy(w, body)
		return err
	}))
	mux.HandleFunc("DELETE /{n}", serve(func(_ http.ResponseWriter, r *http.Request, key string) error {
		there.drop(key)
		return blobs.Delete(r.Context(), key)
	}))
	s := &http.Server{Addr: address, Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	return s.ListenAndServe()
}
