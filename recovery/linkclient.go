package recovery

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// LinkClient is a Link to a vault in a process of its own, over one connection
// that many calls share. A call that finds no connection makes one; one whose
// connection breaks fails, and the next makes another.
type LinkClient struct {
	dial func(context.Context) (net.Conn, error)

	mu      sync.Mutex
	conn    *linkConn     // guarded by mu; nil: none yet
	calling chan struct{} // guarded by mu; closed when the dialling under way is over; nil: there is none
	failed  error         // guarded by mu: of the last dialling
	closed  bool          // guarded by mu
}

// NewLinkClient returns a link that connects when it is first used.
func NewLinkClient(dial func(context.Context) (net.Conn, error)) *LinkClient {
	return &LinkClient{dial: dial}
}

// DialLink is NewLinkClient for a network and an address of package net, such as
// "unix" and the path of a vault.sock.
func DialLink(network, address string) *LinkClient {
	return NewLinkClient(func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, address)
	})
}

// Call hands a call to the vault. ErrVaultUnavailable: there is no reply, and
// nobody knows whether it was executed; the same call may be repeated.
func (l *LinkClient) Call(ctx context.Context, c *wire.Call) (*wire.Reply, error) {
	body, err := wire.Encode(c)
	if err != nil {
		return nil, err
	}
	if body, err = l.ask(ctx, wire.FrameCall, body); err != nil {
		return nil, err
	}
	reply, err := wire.Decode[wire.Reply](body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrVaultUnavailable, err)
	}
	return &reply, nil
}

// Evidence fetches the vault's evidence; with a nonce it is made for it.
func (l *LinkClient) Evidence(ctx context.Context, nonce []byte) ([]byte, error) {
	return l.ask(ctx, wire.FrameEvidence, nonce)
}

// Info fetches what the vault says of itself: a binding that nothing proves.
func (l *LinkClient) Info(ctx context.Context) (*wire.Binding, error) {
	body, err := l.ask(ctx, wire.FrameInfo, nil)
	if err != nil {
		return nil, err
	}
	b, err := wire.Decode[wire.Binding](body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrVaultUnavailable, err)
	}
	return &b, nil
}

// Close ends the connection. Calls that wait fail, and later ones too.
func (l *LinkClient) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.conn != nil {
		l.conn.end(net.ErrClosed)
	}
	return nil
}

// ask sends one frame and waits for its answer.
func (l *LinkClient) ask(ctx context.Context, kind string, body []byte) ([]byte, error) {
	conn, err := l.connected(ctx)
	if err == nil {
		var f *wire.Frame
		if f, err = conn.ask(ctx, kind, body); err == nil {
			if f.Kind == kind {
				return f.Body, nil
			}
			err = fmt.Errorf("%s: %.200q", f.Kind, f.Body)
		}
	}
	return nil, fmt.Errorf("%w: %w", ErrVaultUnavailable, err)
}

// connected is the connection. If there is none that works, one caller dials for
// all, and none of them waits longer than it wants to.
func (l *LinkClient) connected(ctx context.Context) (*linkConn, error) {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil, net.ErrClosed
	}
	if l.conn != nil && l.conn.works() {
		defer l.mu.Unlock()
		return l.conn, nil
	}
	if l.calling == nil {
		l.calling = make(chan struct{})
		go l.redial(l.calling)
	}
	done := l.calling
	l.mu.Unlock()
	select {
	case <-done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return nil, l.failed
	}
	return l.conn, nil
}

// linkWait is how long dialling a vault, or writing to it, may take.
const linkWait = 5 * time.Second

// cancelWait is how long giving a call up may take.
const cancelWait = 100 * time.Millisecond

func (l *LinkClient) redial(done chan struct{}) {
	ctx, cancel := context.WithTimeout(context.Background(), linkWait)
	defer cancel()
	conn, err := l.dial(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	defer close(done)
	l.calling = nil
	if l.failed = err; err != nil {
		return
	}
	l.conn = newLinkConn(conn)
	if l.closed {
		l.conn.end(net.ErrClosed)
	}
}

// linkConn is one connection.
type linkConn struct {
	conn    net.Conn
	writing chan struct{} // whoever writes a frame has put something in

	mu      sync.Mutex
	next    uint64                      // guarded by mu
	waiting map[uint64]chan *wire.Frame // guarded by mu; nil: the connection has ended
	err     error                       // guarded by mu: why
}

func newLinkConn(conn net.Conn) *linkConn {
	c := &linkConn{conn: conn, writing: make(chan struct{}, 1), waiting: map[uint64]chan *wire.Frame{}}
	go c.read()
	return c
}

func (c *linkConn) works() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.waiting != nil
}

// read hands answers to those who wait, until the connection ends.
func (c *linkConn) read() {
	in := bufio.NewReaderSize(c.conn, 16<<10)
	for {
		f, err := wire.ReadFrame[wire.Frame](in)
		if err != nil {
			c.end(err)
			return
		}
		c.mu.Lock()
		answer := c.waiting[f.ID]
		delete(c.waiting, f.ID)
		c.mu.Unlock()
		if answer != nil { // else who asked has given up
			answer <- &f
		}
	}
}

// end closes the connection and fails those who wait.
func (c *linkConn) end(err error) {
	c.conn.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting == nil {
		return
	}
	for _, answer := range c.waiting {
		close(answer)
	}
	c.waiting, c.err = nil, err
}

func (c *linkConn) ask(ctx context.Context, kind string, body []byte) (*wire.Frame, error) {
	answer := make(chan *wire.Frame, 1)
	c.mu.Lock()
	if c.waiting == nil {
		defer c.mu.Unlock()
		return nil, c.err
	}
	c.next++
	id := c.next
	c.waiting[id] = answer
	c.mu.Unlock()
	if err := c.write(ctx, &wire.Frame{ID: id, Kind: kind, Body: body}); err != nil {
		c.forget(id)
		return nil, err
	}
	select {
	case f, ok := <-answer:
		if !ok {
			return nil, c.reason()
		}
		return f, nil
	case <-ctx.Done():
		c.forget(id)
		c.cancel(id)
		return nil, ctx.Err()
	}
}

// cancel tells the vault that nobody waits for a call any more, so that one that
// it has not begun, since it stands still, is not charged for later.
func (c *linkConn) cancel(id uint64) {
	ctx, done := context.WithTimeout(context.Background(), cancelWait)
	defer done()
	_ = c.write(ctx, &wire.Frame{ID: id, Kind: wire.FrameCancel}) // a connection that takes no frame has ended
}

// write gives up with the context; a frame that is half written ends the
// connection.
func (c *linkConn) write(ctx context.Context, f *wire.Frame) error {
	select {
	case c.writing <- struct{}{}:
		defer func() { <-c.writing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	until := time.Now().Add(linkWait)
	if d, ok := ctx.Deadline(); ok && d.Before(until) {
		until = d
	}
	err := c.conn.SetWriteDeadline(until)
	if err == nil {
		err = wire.WriteFrame(c.conn, f)
	}
	if err != nil {
		c.end(err)
	}
	return err
}

func (c *linkConn) forget(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting, id)
}

func (c *linkConn) reason() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return errors.Join(errors.New("recovery: the connection to the vault broke"), c.err)
}
