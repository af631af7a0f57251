// Package insider plays an administrator in the demo, who has the store in his
// hands: he copies what a vault has sealed for an account, and puts it back later,
// when attempts have been counted.
//
//	i, err := insider.Open("data/demo.db")
//	copied, err := i.Copy(account, "v1")
//	back, err := i.Restore(account, "v1") // row and mark as they were
//
// It works on the file beside the server that runs, as a tool for databases would,
// and asks no part of the program: what keeps attempts from coming back must not be
// in the store. It is for `staunch dev` alone. Package
// recovery/recoverytest/insider, for tests, can do far more.
package insider

import (
	"fmt"
	"net/url"
	"path/filepath"
	"sync"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/store/sqlite/engine"
)

// Insider has one store in his hands. He is safe for concurrent use.
type Insider struct {
	uri string

	mu     sync.Mutex
	copies map[place]row // guarded by mu
}

// place is one vault's record of one account.
type place struct {
	account account.ID
	vault   string
}

// row is all that the store has of it but for its place.
type row struct {
	gen, ver, epoch, used, state, at int64
	record, mac                      []byte
}

// Record is what may be told of a record.
type Record struct {
	Version uint64
	Used    int
}

func (r row) told() Record { return Record{uint64(r.ver), int(r.used)} } //nolint:gosec // ver > 0, by the table's CHECK

// Open takes the file of a store. It is opened when it is needed.
func Open(path string) (*Insider, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("insider: %w", err)
	}
	uri := (&url.URL{Scheme: "file", Path: path, RawQuery: "mode=rw"}).String()
	return &Insider{uri: uri, copies: map[place]row{}}, nil
}

// Copy keeps the record as it is now. found is false if there is none.
func (i *Insider) Copy(id account.ID, vault string) (r Record, found bool, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	p := place{id, vault}
	err = i.within(func(c *engine.Conn) error {
		var now row
		if now, found, err = read(c, p); err == nil && found {
			i.copies[p], r = now, now.told()
		}
		return err
	})
	return r, found, err
}

// Restore puts back what was copied, with the mark that the program has made for
// it, so that nobody can tell by the row. found is false if nothing was copied, or
// there is no row any more.
func (i *Insider) Restore(id account.ID, vault string) (r Record, found bool, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	p := place{id, vault}
	old, copied := i.copies[p]
	if !copied {
		return r, false, nil
	}
	err = i.within(func(c *engine.Conn) error {
		s, err := c.Prepare(`UPDATE recovery_record SET gen = ?, ver = ?, epoch = ?, used = ?, state = ?, record = ?, updated_at = ?, mac = ?
			WHERE account = ? AND vault = ?`)
		if err != nil {
			return err
		}
		defer s.Close()
		if err := s.Run(old.gen, old.ver, old.epoch, old.used, old.state, old.record, old.at, old.mac, string(p.account), p.vault); err != nil {
			return err
		}
		found = c.Changes() == 1
		return nil
	})
	return old.told(), found, err
}

func read(c *engine.Conn, p place) (r row, found bool, err error) {
	s, err := c.Prepare(`SELECT gen, ver, epoch, used, state, record, updated_at, mac FROM recovery_record WHERE account = ? AND vault = ?`)
	if err != nil {
		return r, false, err
	}
	defer s.Close()
	found, err = s.Row([]any{string(p.account), p.vault}, func(s *engine.Stmt) error {
		return s.Scan(&r.gen, &r.ver, &r.epoch, &r.used, &r.state, &r.record, &r.at, &r.mac)
	})
	return r, found, err
}

// within opens the file beside the server, which has it open as well.
func (i *Insider) within(do func(*engine.Conn) error) (err error) {
	c, err := engine.Open(i.uri)
	if err != nil {
		return fmt.Errorf("insider: %w", err)
	}
	defer func() {
		if closing := c.Close(); closing != nil && err == nil {
			err = fmt.Errorf("insider: %w", closing)
		}
	}()
	if err := c.Exec(`PRAGMA busy_timeout = 5000`); err != nil {
		return fmt.Errorf("insider: %w", err)
	}
	if err := do(c); err != nil {
		return fmt.Errorf("insider: %w", err)
	}
	return nil
}
