package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/store"
)

// together runs the functions as members of one group, in order, and gives what
// Update says of each; the last is in it only if the one before leaves it open. A
// panic is an error.
func together(t *testing.T, s *Store, fns ...func(*Tx) error) []error {
	t.Helper()
	s.groupTime = time.Hour // on a machine that is busy, too
	errs := make([]error, len(fns))
	var groups []*group
	var all sync.WaitGroup
	start := func(i int, fn func(*Tx) error) {
		all.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					errs[i] = fmt.Errorf("panic: %v", p)
				}
			}()
			errs[i] = s.Update(t.Context(), func(tx *Tx) error {
				groups = append(groups, tx.conn.group) // one after the other
				return fn(tx)
			})
		})
	}
	held, err := s.writer.take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, fn := range fns {
		start(i, fn)
		for waiting(s) <= i { // so that they come in order
			runtime.Gosched()
		}
	}
	s.writer.give(held)
	all.Wait()
	if slices.ContainsFunc(groups[:min(len(groups), len(fns)-1)], func(g *group) bool { return g != groups[0] }) {
		t.Fatal("more than one group")
	}
	return errs
}

func waiting(s *Store) int {
	s.writer.mu.Lock()
	defer s.writer.mu.Unlock()
	return len(s.writer.queue)
}

// adds is a function that adds challenge n.
func adds(n byte) func(*Tx) error {
	return func(tx *Tx) error { return tx.AddChallenge(context.Background(), challenge(n)) }
}

// kept gives which of the challenges up to n are in the store.
func kept(t *testing.T, s *Store, n byte) (there []byte) {
	t.Helper()
	for i := range n {
		err := s.View(t.Context(), func(tx *Tx) error {
			_, err := tx.Challenge(t.Context(), challenge(i).Hash)
			if err == nil {
				there = append(there, i)
			}
			if errors.Is(err, registry.ErrChallengeUnknown) {
				return nil
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return there
}

// TestGroup: of those that are committed together each is as if it were alone.
func TestGroup(t *testing.T) {
	s := openTest(t, filepath.Join(t.TempDir(), "a.db"))
	ctx := t.Context()
	errNo := errors.New("no")
	read := func(n byte, want error) func(*Tx) error {
		return func(tx *Tx) error {
			if _, err := tx.Challenge(ctx, challenge(n).Hash); !errors.Is(err, want) {
				t.Errorf("challenge %d: %v, want %v", n, err, want)
			}
			return nil
		}
	}
	errs := together(t, s,
		adds(0), // the first has no savepoint
		read(0, nil),
		func(tx *Tx) error { return errors.Join(adds(1)(tx), errNo) },
		read(1, registry.ErrChallengeUnknown),
		func(tx *Tx) error { adds(2)(tx); panic("in the middle") },
		adds(0), // there already
		func(tx *Tx) error { adds(3)(tx); adds(0)(tx); return nil }, // a failure of the transaction's own
		adds(4),
		read(2, registry.ErrChallengeUnknown),
	)
	for i, want := range []string{2: "no", 4: "panic: in the middle", 5: "UNIQUE", 6: "UNIQUE", 8: ""} {
		if got := fmt.Sprint(errs[i]); (errs[i] != nil) != (want != "") || !strings.Contains(got, want) {
			t.Errorf("member %d: %s, want %q", i, got, want)
		}
	}
	if !errors.Is(errs[2], errNo) {
		t.Errorf("an error is changed: %v", errs[2])
	}
	if got := kept(t, s, 6); !slices.Equal(got, []byte{0, 4}) {
		t.Errorf("kept %v", got)
	}
}

// TestGroupFirstFails: those who come after one that failed at once do without it.
func TestGroupFirstFails(t *testing.T) {
	s := openTest(t, filepath.Join(t.TempDir(), "a.db"))
	held, err := s.writer.take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		if err := s.Update(t.Context(), func(tx *Tx) error { return errors.Join(adds(0)(tx), errors.New("no")) }); err == nil {
			t.Error("the first is committed")
		}
	})
	for waiting(s) < 1 {
		runtime.Gosched()
	}
	all.Go(func() {
		if err := s.Update(t.Context(), adds(1)); err != nil {
			t.Error(err)
		}
	})
	for waiting(s) < 2 {
		runtime.Gosched()
	}
	s.writer.give(held)
	all.Wait()
	if got := kept(t, s, 2); !slices.Equal(got, []byte{1}) {
		t.Errorf("kept %v", got)
	}
}

// TestGroupLost: when nothing of a group can be committed, no member is told that
// it was.
func TestGroupLost(t *testing.T) {
	ctx := t.Context()
	for name, last := range map[string]func(*Tx) error{
		"undone by SQLite": func(tx *Tx) error { // as after SQLITE_FULL
			return errors.Join(tx.conn.db.Exec("ROLLBACK"), errors.New("full"))
		},
		"the commit fails": func(tx *Tx) error {
			return tx.conn.db.Exec(`PRAGMA defer_foreign_keys = 1; INSERT INTO attest_serial (serial, key_id) VALUES ('1', 'nobody')`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := openTest(t, filepath.Join(t.TempDir(), "a.db"))
			var seen error
			errs := together(t, s, adds(0), func(tx *Tx) error {
				_, seen = tx.AddNonces(ctx, [][32]byte{{7}}, noon)
				return seen
			}, last, adds(1))
			if errs[0] == nil || errs[1] == nil || errs[2] == nil || seen != nil {
				t.Errorf("members were told %v", errs)
			}
			if name == "undone by SQLite" && !errors.Is(errs[0], store.ErrAway) {
				t.Errorf("the first was told %v", errs[0])
			}
			if got := kept(t, s, 2); slices.Contains(got, 0) || slices.Contains(got, 1) != (errs[3] == nil) {
				t.Errorf("kept %v, and the last was told %v", got, errs[3])
			}
			err := s.Update(ctx, func(tx *Tx) error {
				fresh, err := tx.AddNonces(ctx, [][32]byte{{7}}, noon)
				if err == nil && !fresh[0] {
					t.Error("a nonce that was not kept counts as used")
				}
				return errors.Join(err, errors.New("undo it"))
			})
			if err == nil || err.Error() != "undo it" {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// TestGroupNonces: a nonce is used by the first of a group, unless that is undone.
func TestGroupNonces(t *testing.T) {
	s := openTest(t, filepath.Join(t.TempDir(), "a.db"))
	fresh := make([]bool, 5)
	use := func(i int, then error) func(*Tx) error {
		return func(tx *Tx) error {
			got, err := tx.AddNonces(t.Context(), [][32]byte{{9}}, noon)
			if err != nil {
				return err
			}
			fresh[i] = got[0]
			return then
		}
	}
	together(t, s, adds(0), use(0, errors.New("no")), use(1, nil), use(2, nil), use(3, nil))
	if err := s.Update(t.Context(), use(4, nil)); err != nil {
		t.Fatal(err)
	}
	if want := []bool{true, true, false, false, false}; !slices.Equal(fresh, want) {
		t.Errorf("fresh %v, want %v", fresh, want)
	}
}

// TestPeek: it sees what is about to be committed, writes nothing and does not
// wait for the commit.
func TestPeek(t *testing.T) {
	s := openTest(t, filepath.Join(t.TempDir(), "a.db"))
	ctx := t.Context()
	peek := func() (err error) {
		return s.Peek(ctx, func(tx *Tx) error {
			_, err := tx.Challenge(ctx, challenge(0).Hash)
			return err
		})
	}
	if err := peek(); !errors.Is(err, registry.ErrChallengeUnknown) {
		t.Errorf("before: %v", err)
	}
	var all sync.WaitGroup
	held, err := s.writer.take(ctx)
	if err != nil {
		t.Fatal(err)
	}
	peeked := make(chan error, 1)
	for i, step := range []func(){
		func() { s.Update(ctx, adds(0)) },
		func() { peeked <- peek() },
		func() {
			s.Update(ctx, func(*Tx) error {
				if err := <-peeked; err != nil {
					t.Errorf("in the group: %v", err)
				}
				return nil
			})
		},
	} {
		all.Go(step)
		for waiting(s) <= i {
			runtime.Gosched()
		}
	}
	s.writer.give(held)
	all.Wait()
	if err := peek(); err != nil {
		t.Errorf("after: %v", err)
	}
	for name, look := range map[string]func(context.Context, func(*Tx) error) error{"Peek": s.Peek, "View": s.View} {
		if err := look(ctx, adds(1)); err == nil {
			t.Errorf("%s writes", name)
		}
	}
	if got := kept(t, s, 2); !slices.Equal(got, []byte{0}) {
		t.Errorf("kept %v", got)
	}
}

// TestGroupLeft: who gives up waiting takes nobody's turn with him.
func TestGroupLeft(t *testing.T) {
	s := openTest(t, filepath.Join(t.TempDir(), "a.db"))
	var all sync.WaitGroup
	for i := range 400 {
		all.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			if i%2 == 0 {
				go cancel()
			}
			defer cancel()
			c := challenge(0)
			c.Hash[1], c.Hash[2] = byte(i), byte(i>>8)
			err := s.Update(ctx, func(tx *Tx) error { return tx.AddChallenge(context.Background(), c) })
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			kept := s.View(t.Context(), func(tx *Tx) error { _, err := tx.Challenge(t.Context(), c.Hash); return err })
			if (err == nil) != (kept == nil) {
				t.Errorf("Update says %v, and afterwards it is %v", err, kept)
			}
		})
	}
	all.Wait()
	if err := s.Update(t.Context(), adds(1)); err != nil {
		t.Error(err)
	}
}
