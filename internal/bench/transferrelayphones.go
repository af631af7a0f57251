package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/staunchid/staunch/transfer/sealed"
)

// relayStreams is how many segments are on their way at once, as in package client.
const relayStreams = 2

// wholeSegment is one of 64 records.
var wholeSegment = sealed.Header{Plain: sealed.MaxRecords * sealed.RecordSize}

// relayClient has connections as package client makes them.
func relayClient() *http.Client {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		return relayConn{c}, err
	}
	return &http.Client{Transport: &http.Transport{
		Protocols: p, DialContext: dial, MaxIdleConnsPerHost: 4, WriteBufferSize: 4 << 10, ReadBufferSize: 64 << 10, DisableCompression: true,
	}}
}

// relayConn writes a body in one call, as package client does.
type relayConn struct{ net.Conn }

func (c relayConn) ReadFrom(r io.Reader) (int64, error) {
	limited, ok := r.(*io.LimitedReader) // to the Content-Length, which is all of it
	if !ok {
		return io.Copy(c.Conn, r)
	}
	w, ok := limited.R.(io.WriterTo)
	if !ok {
		return io.Copy(c.Conn, r)
	}
	n, err := w.WriteTo(c.Conn)
	limited.N -= n
	return n, err
}

// call asks the server; another answer than 200 is an error.
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

// sendRelay reads the files of a folder, and sends them as segments.
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

// receiveRelay writes the segments to a file, in their order.
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
