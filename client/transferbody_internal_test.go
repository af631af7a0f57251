package client

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
)

// full is the ciphertext of a test: as long as a segment, and nothing but "c".
func full() []byte { return bytes.Repeat([]byte("c"), fullBlock) }

// putTo is what puts segments to a server.
func putTo(url string) *bulk {
	return &bulk{http: newBulkClient(http.DefaultTransport), url: url, id: "t_1", token: []byte("token")}
}

// TestPutsWhole: a segment arrives as it is, over one connection, and again over
// another one when that is gone.
func TestPutsWhole(t *testing.T) {
	t.Parallel()
	var from []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil || !bytes.Equal(b, full()) || r.ContentLength != fullBlock {
			t.Errorf("%d bytes, Content-Length %d, %v", len(b), r.ContentLength, err)
		}
		from = append(from, r.RemoteAddr)
		w.WriteHeader(http.StatusCreated)
	}))
	defer s.Close()
	b := putTo(s.URL)
	for n := range 3 {
		if n == 2 {
			b.http.CloseIdleConnections()
		}
		if err := b.put(t.Context(), 1, 0, full()); err != nil {
			t.Fatal(err)
		}
	}
	if len(from) != 3 || from[0] != from[1] || from[1] == from[2] {
		t.Errorf("they came from %v", from)
	}
}

// TestWrittenAtOnce: net/http hands a segment to the connection, but for what fills
// its own small buffer, in one piece.
func TestWrittenAtOnce(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })) // an error of it is the client's too
	defer s.Close()
	pieces := new(pieceConn)
	b := putTo(s.URL)
	b.http = newBulkClient(&http.Transport{DialContext: func(ctx context.Context, network, address string) (c net.Conn, err error) {
		pieces.Conn, err = new(net.Dialer).DialContext(ctx, network, address)
		return pieces, err
	}})
	if err := b.put(t.Context(), 1, 0, full()); err != nil {
		t.Fatal(err)
	}
	if pieces.most < fullBlock-8<<10 {
		t.Errorf("no piece was longer than %d bytes of %d", pieces.most, fullBlock)
	}
}

// TestAnsweredEarly: a server that answers a segment before it reads it is sent
// nothing of what lies there afterwards, and its answer does not count.
func TestAnsweredEarly(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{
		"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}",
		"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\n{}",
	} {
		t.Run(strings.Fields(answer)[1], func(t *testing.T) {
			t.Parallel()
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			refilled, got := make(chan struct{}), make(chan []byte, 1)
			go func() {
				defer close(got)
				c, err := ln.Accept()
				if err != nil {
					t.Error(err)
					return
				}
				defer c.Close()
				if err := c.(*net.TCPConn).SetReadBuffer(16 << 10); err != nil {
					t.Error(err)
				}
				r := bufio.NewReader(c)
				if _, err := http.ReadRequest(r); err != nil {
					t.Error(err)
				}
				fmt.Fprint(c, answer)
				<-refilled
				_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
				all, _ := io.ReadAll(r) // it breaks off
				got <- all
			}()
			segment := full()
			b := putTo("http://" + ln.Addr().String())
			b.http = newBulkClient(&http.Transport{DialContext: narrow}) // a segment does not fit in between
			err = b.put(t.Context(), 1, 0, segment)
			for i := range segment {
				segment[i] = 'p' // what is read next
			}
			close(refilled)
			if connect.CodeOf(err) != connect.CodeUnavailable && !strings.Contains(answer, "503") {
				t.Errorf("the answer counts: %v", err)
			}
			if err == nil {
				t.Error("no error")
			}
			if all := <-got; bytes.ContainsRune(all, 'p') {
				t.Errorf("%d bytes of what lay there later were sent", bytes.Count(all, []byte("p")))
			}
		})
	}
}

// narrow dials a connection that holds little.
func narrow(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return c, c.(*net.TCPConn).SetWriteBuffer(16 << 10)
}

// TestTakenBack: what was taken back is not read again.
func TestTakenBack(t *testing.T) {
	t.Parallel()
	l := &lent{segment: []byte("segment")}
	b := l.open()
	if n, err := b.Read(make([]byte, 3)); n != 3 || err != nil || l.sent() {
		t.Fatal(n, err, l.sent())
	}
	l.takeBack()
	for _, r := range []io.Reader{b, l.open()} {
		if n, err := r.Read(make([]byte, 3)); n != 0 || !errors.Is(err, errTakenBack) {
			t.Errorf("%d bytes, %v", n, err)
		}
	}
}

// pieceConn sees how long the pieces are that are written to a connection.
type pieceConn struct {
	net.Conn
	most int
}

func (p *pieceConn) Write(b []byte) (int, error) {
	p.most = max(p.most, len(b))
	return p.Conn.Write(b)
}

// keeping is a transport that answers, and does not let go of the body.
type keeping struct{ body io.ReadCloser }

func (k *keeping) RoundTrip(r *http.Request) (*http.Response, error) {
	k.body = r.Body
	return &http.Response{StatusCode: http.StatusServiceUnavailable, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// TestKeptBody: once a segment was put nobody reads it, whatever the transport does.
func TestKeptBody(t *testing.T) {
	t.Parallel()
	k := new(keeping)
	if err := (&bulk{http: newBulkClient(k), url: "http://localhost", id: "t_1"}).put(t.Context(), 1, 0, full()); err == nil {
		t.Fatal("no error")
	}
	if n, err := k.body.Read(make([]byte, 3)); n != 0 || !errors.Is(err, errTakenBack) {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// stuck is a connection that takes nothing until it is closed.
type stuck struct{ writing, closed chan struct{} }

func (s stuck) Write([]byte) (int, error) {
	close(s.writing)
	<-s.closed
	return 0, net.ErrClosed
}

// TestTakenBackLater: a write that is under way is waited for.
func TestTakenBackLater(t *testing.T) {
	t.Parallel()
	l, conn, back := &lent{segment: full()}, stuck{make(chan struct{}), make(chan struct{})}, make(chan struct{})
	go l.open().writeTo(conn, fullBlock) //nolint:errcheck // the connection is closed under it
	<-conn.writing
	go func() { l.takeBack(); close(back) }()
	select {
	case <-back:
		t.Error("it was taken back while it is written")
	case <-time.After(50 * time.Millisecond):
	}
	close(conn.closed)
	<-back
}
