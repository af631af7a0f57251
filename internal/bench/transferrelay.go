package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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
	"github.com/staunchid/staunch/transfer/sealed"
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

// relayStreams is how many segments are on their way at once, as in package client.
const relayStreams = 2

// wholeSegment is one of 64 records.
var wholeSegment = sealed.Header{Plain: sealed.MaxRecords * sealed.RecordSize}

func relayClient() *http.Client {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	return &http.Client{Transport: &http.Transport{Protocols: p, MaxIdleConnsPerHost: 4, WriteBufferSize: 64 << 10, ReadBufferSize: 64 << 10, DisableCompression: true}}
}

func call(c *http.Client, method, url string, body []byte) (*http.Response, error) {
	r, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	res, err := c.Do(r)
	if err == nil && res.StatusCode != http.StatusOK {
		err = errors.Join(fmt.Errorf("%s %s: %s", method, url, res.Status), res.Body.Close())
	}
	return res, err
}

// tellNow prints an event, as `staunch phone transfer` does.
func tellNow(event string) error {
	return json.NewEncoder(os.Stdout).Encode(said{Event: event, At: time.Now()})
}

func sendRelay(address, dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var all []io.Reader
	for _, f := range files {
		file, err := os.Open(filepath.Join(dir, f.Name()))
		if err != nil {
			return err
		}
		defer file.Close()
		all = append(all, file)
	}
	if err := tellNow("confirmed"); err != nil {
		return err
	}
	type block struct {
		n    int
		data []byte
	}
	free, full, failed := make(chan []byte, relayStreams+1), make(chan block), make(chan error, relayStreams)
	client := relayClient()
	for range relayStreams {
		free <- make([]byte, wholeSegment.Size())
		go func() {
			for b := range full {
				res, err := call(client, http.MethodPut, fmt.Sprintf("http://%s/%d", address, b.n), b.data)
				if err == nil {
					err = res.Body.Close()
				}
				if err != nil {
					failed <- err
					return
				}
				free <- b.data[:cap(b.data)]
			}
			failed <- nil
		}()
	}
	r := io.MultiReader(all...)
	for n, more := 0, true; more; n++ {
		var data []byte
		select {
		case data = <-free:
		case err := <-failed:
			return err
		}
		h := wholeSegment
		for j := range h.Records() {
			k, err := io.ReadFull(r, h.Record(data, j))
			if err != nil { // the end: nothing is sent but the length of what is there
				h.Plain, more = uint32(j*sealed.RecordSize+k), false
				break
			}
		}
		b := block{n, data[:h.Size()]}
		if h.Plain == 0 {
			b.data = data[:0]
		}
		select {
		case full <- b:
		case err := <-failed:
			return err
		}
		if !more && h.Plain > 0 {
			full <- block{n + 1, nil}
		}
	}
	close(full)
	for range relayStreams {
		err = errors.Join(err, <-failed)
	}
	return err
}

// arrival is a segment on its way.
type arrival struct {
	data  []byte
	size  int
	err   error
	ready chan struct{}
}

func receiveRelay(address, out string) error {
	file, err := os.Create(out)
	if err != nil {
		return err
	}
	client := relayClient()
	queue, free := make(chan *arrival, relayStreams-1), make(chan []byte, relayStreams)
	for range relayStreams {
		free <- make([]byte, wholeSegment.Size())
	}
	go func() {
		for n := 0; ; n++ {
			a := &arrival{data: <-free, ready: make(chan struct{})}
			go a.fetch(client, fmt.Sprintf("http://%s/%d", address, n))
			queue <- a
		}
	}()
	for n := 0; ; n++ {
		a := <-queue
		<-a.ready
		if a.err != nil {
			return a.err
		}
		res, err := call(client, http.MethodDelete, fmt.Sprintf("http://%s/%d", address, n), nil)
		if err == nil {
			err = res.Body.Close()
		}
		if err != nil {
			return err
		}
		if a.size == 0 {
			break
		}
		for at := sealed.HeaderSize; at < a.size; at += sealed.RecordSize + sealed.TagSize {
			if _, err := file.Write(a.data[at:min(at+sealed.RecordSize, a.size-sealed.TagSize)]); err != nil {
				return err
			}
		}
		free <- a.data
	}
	return errors.Join(file.Close(), tellNow("committed"))
}

func (a *arrival) fetch(client *http.Client, url string) {
	defer close(a.ready)
	var res *http.Response
	if res, a.err = call(client, http.MethodGet, url, nil); a.err != nil {
		return
	}
	defer res.Body.Close()
	a.size, a.err = io.ReadFull(res.Body, a.data[:min(int64(len(a.data)), res.ContentLength)])
}
