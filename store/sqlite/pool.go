package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/staunchid/staunch/store"
)

// pool holds a fixed number of connections to one file. They are lent in the
// order in which they were asked for, so that a holder can see whether anybody
// waits, and pass a connection on as it is.
type pool struct {
	path string
	mode mode
	all  int

	mu     sync.Mutex
	idle   []*conn
	queue  []chan *conn // each has room for one
	closed bool
	back   *sync.Cond // a connection has become idle
}

func newPool(path string, m mode, size int) *pool {
	p := &pool{path: path, mode: m, all: size}
	p.back = sync.NewCond(&p.mu)
	for range size {
		p.idle = append(p.idle, &conn{dead: true})
	}
	return p
}

// take waits for a connection, which give or passOn must follow.
func (p *pool) take(ctx context.Context) (*conn, error) {
	c, err := p.wait(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.open(p.path, p.mode); err != nil {
		p.give(c)
		return nil, fault(err)
	}
	return c, nil
}

func (p *pool) wait(ctx context.Context) (*conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, errClosed()
	}
	if n := len(p.idle); n > 0 {
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return c, nil
	}
	turn := make(chan *conn, 1)
	p.queue = append(p.queue, turn)
	p.mu.Unlock()
	select {
	case c := <-turn:
		if c == nil {
			return nil, errClosed()
		}
		return c, nil
	case <-ctx.Done():
		p.leave(turn)
		return nil, ctx.Err()
	}
}

func errClosed() error { return fmt.Errorf("%w: closed", store.ErrAway) }

// leave takes one who waits out of the queue. If his turn has come meanwhile, he
// does as if he had had it.
func (p *pool) leave(turn chan *conn) {
	p.mu.Lock()
	i := slices.Index(p.queue, turn)
	if i >= 0 {
		p.queue = slices.Delete(p.queue, i, i+1)
	}
	p.mu.Unlock()
	if i >= 0 {
		return
	}
	if c := <-turn; c != nil {
		p.end(c)
	}
}

// passOn gives a connection to the first who waits, as it is; false: nobody does.
func (p *pool) passOn(c *conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.first(c)
}

// first is passOn for who holds the lock.
func (p *pool) first(c *conn) bool {
	if len(p.queue) == 0 {
		return false
	}
	p.queue[0] <- c
	p.queue = slices.Delete(p.queue, 0, 1)
	return true
}

// give gives a connection back, on which no transaction is open.
func (p *pool) give(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.first(c) {
		p.idle = append(p.idle, c)
		p.back.Signal()
	}
}

// end gives a connection back, whatever is open on it.
func (p *pool) end(c *conn) {
	if c.group != nil {
		c.group.settle(c)
	}
	p.give(c)
}

// with runs fn on a connection on which no transaction is open.
func (p *pool) with(ctx context.Context, fn func(*conn) error) error {
	c, err := p.take(ctx)
	if err != nil {
		return err
	}
	defer p.give(c)
	if c.group != nil {
		c.group.settle(c)
		if err := c.open(p.path, p.mode); err != nil { // it may have been lost
			return fault(err)
		}
	}
	return fn(c)
}

// close sends away who waits, and waits until every connection is idle.
func (p *pool) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, turn := range p.queue {
		turn <- nil
	}
	p.queue = nil
	for len(p.idle) < p.all {
		p.back.Wait()
	}
	var errs error
	for _, c := range p.idle {
		errs = errors.Join(errs, c.close())
	}
	return errs
}
