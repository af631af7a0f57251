package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/staunchid/staunch/store/sqlite/engine"
)

// nonceSet is what the writer knows of attest_nonce: all nonces in it up to a
// row. The table alone is the truth. It is only ever added to at its end, which
// costs a fraction of what an index over random hashes would, whose every entry
// is on another page; the set finds a hash in it.
//
// Each transaction of SQLite's first reads what others have added, in this
// process or in another. What is added in it gets into the set once it is
// committed. So the set needs no lock beyond that of the writer's connection.
type nonceSet struct {
	seen map[nonceMark]struct{}
	upTo int64 // id of the last row that is in it
}

// nonceMark is the first half of a hash: 128 bits tell any two apart.
type nonceMark [16]byte

// nonceChange is what a transaction makes of the set if it is committed, or all
// of a group.
type nonceChange struct {
	read  bool // of a group: what others have added is in the set
	added map[nonceMark]struct{}
	upTo  int64
	gone  [][]byte
}

// add adds what a member of a group has changed, which is not undone.
func (c *nonceChange) add(other *nonceChange) {
	if c.added == nil {
		c.added = other.added
	} else {
		maps.Copy(c.added, other.added)
	}
	c.upTo = max(c.upTo, other.upTo)
	c.gone = append(c.gone, other.gone...)
}

// commit changes the set after the commit.
func (s *nonceSet) commit(c *nonceChange) {
	for mark := range c.added {
		s.seen[mark] = struct{}{}
	}
	s.upTo = max(s.upTo, c.upTo)
	for _, hashes := range c.gone {
		for mark := range marks(hashes) {
			delete(s.seen, mark)
		}
	}
}

// marks gives the mark of each hash in a row.
func marks(hashes []byte) func(yield func(nonceMark) bool) {
	return func(yield func(nonceMark) bool) {
		for ; len(hashes) >= 32; hashes = hashes[32:] {
			if !yield(nonceMark(hashes[:16])) {
				return
			}
		}
	}
}

// NonceFloor gives the newest time of which nonces were deleted.
func (tx *Tx) NonceFloor(ctx context.Context) (time.Time, error) {
	var floor sql.NullInt64
	_, err := tx.row(ctx, "nonce floor", `SELECT created FROM attest_nonce_floor`, nil, &floor)
	return fromMicros(floor), err
}

// AddNonces stores those of the nonces that are new, and reports of each
// whether it is.
func (tx *Tx) AddNonces(ctx context.Context, hashes [][32]byte, created time.Time) ([]bool, error) {
	if tx.nonces == nil {
		return nil, tx.fail("nonce", errors.New("added in a transaction that only reads"))
	}
	if err := tx.readNonces(ctx); err != nil {
		return nil, err
	}
	change := &tx.nonceChange
	if change.added == nil {
		change.added = make(map[nonceMark]struct{}, len(hashes))
	}
	fresh := make([]bool, len(hashes))
	var row []byte
	for i, hash := range hashes {
		mark := nonceMark(hash[:16])
		_, used := tx.nonces.seen[mark]
		_, before := tx.earlier.added[mark]
		_, twice := change.added[mark]
		if !used && !before && !twice {
			change.added[mark] = struct{}{}
			row = append(row, hash[:]...)
			fresh[i] = true
		}
	}
	if len(row) == 0 {
		return fresh, nil
	}
	if _, err := tx.exec(ctx, "nonce", `INSERT INTO attest_nonce (created, hashes) VALUES (?, ?)`, micros(created), row); err != nil {
		return nil, err
	}
	change.upTo = tx.conn.db.LastInsertID()
	return fresh, nil
}

// readNonces reads what is in the table and not yet in the set. Nobody else can
// add to it during a transaction of SQLite's that writes, so once is enough; and
// what is read before anything is added in it is committed already.
func (tx *Tx) readNonces(ctx context.Context) error {
	if tx.earlier.read {
		return nil
	}
	set := tx.nonces
	err := tx.few(ctx, "nonce", `SELECT id, hashes FROM attest_nonce WHERE id > ? ORDER BY id`, []any{set.upTo}, func(rows *engine.Stmt) error {
		var id int64
		var hashes []byte
		if err := rows.Scan(&id, &hashes); err != nil {
			return unreadable(err)
		}
		if len(hashes)%32 != 0 {
			return unreadable(fmt.Errorf("nonces of %d bytes", len(hashes)))
		}
		for mark := range marks(hashes) {
			set.seen[mark] = struct{}{}
		}
		set.upTo = id
		return nil
	})
	tx.earlier.read = err == nil
	return err
}

// DeleteNonces deletes up to limit groups of nonces of requests that were made
// before t, and raises the floor to the newest of them.
func (tx *Tx) DeleteNonces(ctx context.Context, t time.Time, limit int) (int, error) {
	var newest int64
	n := 0
	err := tx.few(ctx, "nonce",
		`DELETE FROM attest_nonce WHERE id IN (SELECT id FROM attest_nonce WHERE created < ? ORDER BY created LIMIT ?) RETURNING created, hashes`,
		[]any{micros(t), limit}, func(rows *engine.Stmt) error {
			var created int64
			var hashes []byte
			if err := rows.Scan(&created, &hashes); err != nil {
				return unreadable(err)
			}
			newest = max(newest, created)
			tx.nonceChange.gone = append(tx.nonceChange.gone, hashes)
			n++
			return nil
		})
	if err != nil || n == 0 {
		return 0, err
	}
	_, err = tx.exec(ctx, "nonce floor", `INSERT INTO attest_nonce_floor (one, created) VALUES (1, ?)
		ON CONFLICT (one) DO UPDATE SET created = max(created, excluded.created)`, newest)
	return n, err
}
