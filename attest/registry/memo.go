package registry

import (
	"context"
	"sync"

	"github.com/staunchid/staunch/account"
)

// memo remembers of the newest hour what has been committed, so that who was
// counted already costs no statement. It only says what is so: while an hour
// lasts, none of its rows and hashes is taken back. Without it, after a
// restart, all is counted alike and costs a little more.
type memo struct {
	mu   sync.Mutex
	hour int64
	size *StatSize // of the hour; nil: not known
	rows map[StatKey]*memoRow
}

// memoRow is a row that is in the store.
type memoRow struct {
	full     bool // no more accounts are added to it
	accounts map[account.ID]bool
}

// row reports whether a row is known, and which of the accounts may not be
// in it yet.
func (m *memo) row(k StatKey, accounts []account.ID) (known bool, fresh []account.ID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.rows[k]
	if r == nil {
		return false, accounts
	}
	if r.full {
		return true, nil
	}
	for _, id := range accounts {
		if !r.accounts[id] {
			fresh = append(fresh, id)
		}
	}
	return true, fresh
}

// sizeOf is how much an hour holds, if that is known.
func (m *memo) sizeOf(hour int64) (StatSize, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.hour != hour || m.size == nil {
		return StatSize{}, false
	}
	return *m.size, true
}

// learn takes up what a transaction that is committed has added.
func (m *memo) learn(c *counting) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for hour, g := range c.growth {
		if hour > m.hour || m.rows == nil {
			m.hour, m.size, m.rows = hour, nil, map[StatKey]*memoRow{}
		}
		if hour < m.hour {
			continue
		}
		if m.size == nil {
			base := g.base
			m.size = &base
		}
		m.size.add(g.more)
	}
	for k, l := range c.rows {
		if k.Hour != m.hour {
			continue
		}
		r := m.rows[k]
		if r == nil {
			r = &memoRow{accounts: map[account.ID]bool{}}
			m.rows[k] = r
		}
		for _, id := range l.accounts {
			r.accounts[id] = true
		}
		if l.full {
			r.full, r.accounts = true, nil
		}
	}
}

// add adds what has come to it.
func (s *StatSize) add(more StatSize) {
	s.Rows += more.Rows
	s.Claimed += more.Claimed
	s.Hashes += more.Hashes
}

// growth is what a transaction adds to an hour.
type growth struct{ base, more StatSize }

// learnedRow is what a transaction found out about a row.
type learnedRow struct {
	full     bool
	accounts []account.ID // that are in it now
}

// row gives what c has learned of a row, to be added to.
func (c *counting) row(k StatKey) *learnedRow {
	if c.rows == nil {
		c.rows = map[StatKey]*learnedRow{}
	}
	if c.rows[k] == nil {
		c.rows[k] = &learnedRow{}
	}
	return c.rows[k]
}

// hour gives the growth of an hour in c, to be added to.
func (s *Service) hour(ctx context.Context, c *counting, hour int64) (*growth, error) {
	if g := c.growth[hour]; g != nil {
		return g, nil
	}
	base, ok := s.memo.sizeOf(hour)
	if !ok {
		var err error
		if base, err = c.StatSize(ctx, hour); err != nil {
			return nil, err
		}
	}
	if c.growth == nil {
		c.growth = map[int64]*growth{}
	}
	g := &growth{base: base}
	c.growth[hour] = g
	return g, nil
}

// room reports whether the hour has room for one more row like k.
func (g *growth) room(k StatKey) bool {
	claimed := g.base.Claimed + g.more.Claimed
	if k.ModelSource == fromClaimed {
		return claimed < maxClaimedRows
	}
	return g.base.Rows+g.more.Rows-claimed < maxStatRows
}

// took adds a new row.
func (g *growth) took(k StatKey) {
	g.more.Rows++
	if k.ModelSource == fromClaimed {
		g.more.Claimed++
	}
}
