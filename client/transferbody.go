package client

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
)

// lent is a segment that net/http may read until it is taken back. An answer that
// comes early does not end the request: the transport goes on writing, from the same
// memory. What is read next lies there in the clear, so a server that answers before it
// reads would be sent that.
type lent struct {
	mu      sync.Mutex // held while bytes of it are copied or written
	segment []byte     // nil: taken back
	whole   bool       // all of it was given to a connection
}

// open gives it from the beginning: net/http asks again when a connection that it has
// kept turns out to be closed.
func (l *lent) open() *lentBody { return &lentBody{of: l} }

// sent reports whether all of it was given away.
func (l *lent) sent() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.whole
}

// takeBack returns when nobody reads it any more, and nobody can begin to. The request
// must have ended, or been cancelled: a write that is under way ends with its connection.
func (l *lent) takeBack() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.segment = nil
}

// errTakenBack ends a request that has been answered already.
var errTakenBack = errors.New("client: the segment is no longer to be sent, its request has ended")

// lentBody is one reading of a segment, as a request's body.
type lentBody struct {
	of *lent
	at int
}

func (b *lentBody) Read(p []byte) (int, error) {
	return b.give(func(rest []byte) (int, error) {
		if len(rest) == 0 {
			return 0, io.EOF
		}
		return copy(p, rest), nil
	})
}

// writeTo writes the next n bytes at once, without a copy in between.
func (b *lentBody) writeTo(w io.Writer, n int64) (int64, error) {
	done, err := b.give(func(rest []byte) (int, error) { return w.Write(rest[:min(n, int64(len(rest)))]) })
	return int64(done), err
}

func (b *lentBody) give(do func(rest []byte) (int, error)) (int, error) {
	l := b.of
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.segment == nil {
		return 0, errTakenBack
	}
	n, err := do(l.segment[b.at:])
	b.at += n
	l.whole = b.at == len(l.segment)
	return n, err
}

// Close ends a reading. The segment is taken back by who has lent it.
func (b *lentBody) Close() error { return nil }

// wholeConn writes a segment to its connection in one call. net/http by itself copies it
// to a buffer of 32 KiB and calls the system for each: that is a tenth of what sending
// takes. Over TLS, which copies it anyway, it has nothing to do.
type wholeConn struct{ net.Conn }

// ReadFrom is what net/http writes a body by.
func (c wholeConn) ReadFrom(r io.Reader) (int64, error) {
	if limited, ok := r.(*io.LimitedReader); ok { // to its Content-Length
		if b, ok := limited.R.(*lentBody); ok {
			n, err := b.writeTo(c.Conn, limited.N)
			limited.N -= n
			return n, err
		}
	}
	return io.Copy(c.Conn, r)
}

// dialWhole has a transport's connections write segments in one call.
func dialWhole(t *http.Transport) {
	if t.Dial != nil { //nolint:staticcheck // the app's own way to dial stays as it is
		return
	}
	dial := t.DialContext
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return wholeConn{c}, nil
	}
}
