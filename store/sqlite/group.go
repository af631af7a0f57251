package sqlite

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/staunchid/staunch/store"
)

// A group ends when it has so many members, or has been open for so long: who
// came first waits for the last.
const (
	groupMembers = 64
	groupTime    = 10 * time.Millisecond
)

// group is a transaction of SQLite's in which several of ours run, one after the
// other, each in a savepoint, as if each had a transaction of its own; a commit
// costs as much as all that one of them does. Who is done while others wait for
// the writer's connection passes it on to the first of them with the transaction
// open. Who finds nobody waiting commits. Nobody is told anything of what he did,
// or saw, before the commit; if that fails, nobody did anything.
//
// Who holds the connection may touch a group; err is read after done is closed.
type group struct {
	nonces  *nonceSet
	change  nonceChange // of the members so far
	members int
	until   time.Time // it takes members
	lost    error     // why nothing of it can be committed; nil: it can
	done    chan struct{}
	err     error // of the commit
}

// What keeps a member of a group apart from those before it.
const (
	savepoint = "SAVEPOINT member"
	release   = "RELEASE member"
	undo      = "ROLLBACK TO member"
)

// Update runs fn in a transaction that writes.
func (s *Store) Update(ctx context.Context, fn func(*Tx) error) error {
	if s.writer == nil {
		return fmt.Errorf("%w: opened for reading only", store.ErrAway)
	}
	c, err := s.writer.take(ctx)
	if err != nil {
		return err
	}
	if c.group == nil {
		if err := c.exec("BEGIN IMMEDIATE"); err != nil {
			s.writer.give(c)
			return fault(err)
		}
		c.group = &group{nonces: &s.nonces, until: time.Now().Add(s.groupTime), done: make(chan struct{})}
	}
	g := c.group
	alone := g.members == 0
	err = s.join(ctx, c, fn)
	if err != nil && alone {
		return err
	}
	<-g.done
	if g.err != nil {
		return g.err
	}
	return err
}

// join runs fn as a member of the group that is open on c, and passes c on.
func (s *Store) join(ctx context.Context, c *conn, fn func(*Tx) error) (err error) {
	g := c.group
	tx := &Tx{conn: c, app: s.app, nonces: g.nonces, earlier: &g.change}
	first := g.members == 0
	g.members++
	done := false
	defer func() {
		if !done { // an error, or a panic in fn
			g.undo(c, first)
		}
		s.pass(c)
	}()
	if !first {
		if err := c.exec(savepoint); err != nil {
			return fault(err)
		}
	}
	if err := tx.run(ctx, fn); err != nil {
		return err
	}
	if !first {
		if err := c.exec(release); err != nil {
			return fault(err)
		}
	}
	g.change.add(&tx.nonceChange)
	done = true
	return nil
}

// run runs fn, and reports whether what it did can be committed.
func (tx *Tx) run(ctx context.Context, fn func(*Tx) error) error {
	if err := fn(tx); err != nil {
		return err
	}
	if tx.failed != nil {
		return tx.failed
	}
	return ctx.Err()
}

// undo undoes what a member did. After some errors SQLite has undone the whole
// transaction by itself; then there is no savepoint to go back to, and all of the
// group is lost.
func (g *group) undo(c *conn, first bool) {
	if first {
		c.rollback()
		c.group = nil
		return
	}
	if err := errors.Join(c.exec(undo), c.exec(release)); err != nil {
		g.lost = fmt.Errorf("%w: sqlite: it was undone with another transaction, which failed; try again: %w", store.ErrAway, err)
	}
}

// pass passes the connection on to who waits; with the group, if that may go on.
func (s *Store) pass(c *conn) {
	g := c.group
	if g == nil {
		s.writer.give(c)
		return
	}
	if g.open() && s.writer.passOn(c) {
		return
	}
	if g.open() {
		runtime.Gosched() // who is about to come comes now; if nobody is, this takes no time
		if s.writer.passOn(c) {
			return
		}
	}
	s.writer.end(c)
}

// open reports whether the group takes another member.
func (g *group) open() bool {
	return g.lost == nil && g.members < groupMembers && time.Now().Before(g.until)
}

// settle ends the group, and tells its members.
func (g *group) settle(c *conn) {
	c.group = nil
	g.err = g.lost
	if g.err == nil {
		g.err = fault(c.exec("COMMIT"))
	}
	if g.err != nil {
		c.rollback()
	} else {
		g.nonces.commit(&g.change)
	}
	close(g.done)
}
