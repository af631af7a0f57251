package vault

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/staunchid/staunch/internal/cbor"
	"github.com/staunchid/staunch/recovery/wire"
)

// Link is a witness in another process. It connects when it is first asked, and
// again when the connection has ended.
type Link struct {
	id      string
	dial    func(context.Context) (net.Conn, error)
	options LinkOptions
	config  *tls.Config

	mu      sync.Mutex
	up      *dialled      // guarded by mu: nil when there is no connection
	calling chan struct{} // guarded by mu: closed when a dialling has ended
	failed  error         // guarded by mu: why the last dialling failed
	next    time.Time     // guarded by mu: not dialled again before
	closed  bool          // guarded by mu
}

// redial is how long a link waits after it could not connect.
const redial = 100 * time.Millisecond

// NewLink returns a link to the witness id. dial connects to where it serves.
func NewLink(id string, dial func(context.Context) (net.Conn, error), o *LinkOptions) (*Link, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	config, err := o.tlsConfig()
	if err != nil {
		return nil, err
	}
	return &Link{id: id, dial: dial, options: *o, config: config}, nil
}

// ID is the witness-id.
func (l *Link) ID() string { return l.id }

// Close ends the connection, and what waits on it.
func (l *Link) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.up != nil {
		l.up.out.end()
		l.up = nil
	}
	return nil
}

// connection returns the connection there is, or waits for one to be made.
func (l *Link) connection(ctx context.Context) (*dialled, error) {
	l.mu.Lock()
	if l.up != nil && l.up.ended() {
		l.up = nil
	}
	switch {
	case l.closed:
		l.mu.Unlock()
		return nil, errGone
	case l.up != nil:
		defer l.mu.Unlock()
		return l.up, nil
	case l.calling == nil && time.Now().Before(l.next):
		defer l.mu.Unlock()
		return nil, l.failed
	case l.calling == nil:
		l.calling = make(chan struct{})
		go l.connect(context.WithoutCancel(ctx))
	}
	calling := l.calling
	l.mu.Unlock()
	select {
	case <-calling:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.up == nil {
		return nil, l.failed
	}
	return l.up, nil
}

// connect dials once.
func (l *Link) connect(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	up, err := l.greet(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.failed, l.next = fmt.Errorf("vault: no link to the witness %s: %w", l.id, err), time.Now().Add(redial)
		l.options.logger().Debug("no link", "witness", l.id, "error", err)
	} else if l.closed {
		up.out.end()
	} else {
		l.up = up
	}
	close(l.calling)
	l.calling = nil
}

func (l *Link) greet(ctx context.Context) (*dialled, error) {
	conn, err := l.dial(ctx)
	if err != nil {
		return nil, err
	}
	made, err := l.options.greet(ctx, tls.Client(conn, l.config))
	if err == nil && made.peer.witness != l.id {
		err = fmt.Errorf("%w: it is %s, and %s was wanted", ErrPeer, made.peer.witness, l.id)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	d := &dialled{link: made, out: newFrames(made.conn), pending: map[uint64]chan answer{}}
	go d.read()
	return d, nil
}

// dialled is a connection whose answers find who has asked by the request's id.
type dialled struct {
	*link
	out *frames

	mu      sync.Mutex
	last    uint64                 // guarded by mu: id of the last request
	pending map[uint64]chan answer // guarded by mu
}

func (d *dialled) ended() bool {
	select {
	case <-d.out.done:
		return true
	default:
		return false
	}
}

func (d *dialled) read() {
	defer d.out.end()
	for {
		a, err := wire.ReadFrame[answer](d.in)
		if err != nil {
			return
		}
		d.mu.Lock()
		waiter := d.pending[a.id]
		d.mu.Unlock()
		if waiter == nil {
			continue // who asked has given up
		}
		select {
		case waiter <- a:
		case <-d.out.done:
			return
		case <-time.After(stalled): // pages that nobody takes
			return
		}
	}
}

// ask sends r and hands the pages of its answer to page, and the end to body.
func (l *Link) ask(ctx context.Context, r *request, page func([]byte) error, body wire.Coded) (known wire.View, err error) {
	d, err := l.connection(ctx)
	if err != nil {
		return nil, err
	}
	answers := make(chan answer, 8)
	d.mu.Lock()
	d.last++
	r.id = d.last
	d.pending[r.id] = answers
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.pending, r.id)
	}()
	if err := d.out.offer(r); err != nil {
		return nil, err
	}
	for {
		select {
		case a := <-answers:
			if a.code == sayPage && page != nil {
				if err := page(a.body); err != nil {
					return nil, err
				}
				continue
			}
			return l.understand(&a, body)
		case <-d.out.done:
			return nil, errGone
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// understand reads the end of an answer.
func (l *Link) understand(a *answer, body wire.Coded) (known wire.View, err error) {
	switch a.code {
	case sayOK:
		return nil, cbor.Decode(a.body, body.Code)
	case sayStale:
		known, err := wire.Decode[wire.View](a.body)
		return known, errors.Join(fmt.Errorf("%w: says %s", ErrStale, l.id), err)
	case sayAmnesia:
		return nil, fmt.Errorf("%w: %s has restarted", ErrAmnesia, l.id)
	}
	return nil, fmt.Errorf("%w: the witness %s refuses: %q", ErrPeer, l.id, a.body)
}
