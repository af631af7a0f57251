package integrity

import (
	"sync"

	"github.com/staunchid/staunch/account"
)

// watchers are those who wait for something to change, by its id. The zero value
// is ready.
type watchers[ID comparable] struct {
	mu sync.Mutex
	by map[ID]map[chan struct{}]bool
}

// Watch gives a channel that gets a value when the account has a new alert, and
// a function that ends it. Alerts of other servers on the same store do not
// come this way: who waits looks from time to time as well.
func (s *Service) Watch(id account.ID) (<-chan struct{}, func()) { return s.alerts.watch(id) }

func (w *watchers[ID]) watch(id ID) (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.by == nil {
		w.by = map[ID]map[chan struct{}]bool{}
	}
	if w.by[id] == nil {
		w.by[id] = map[chan struct{}]bool{}
	}
	w.by[id][c] = true
	return c, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.by[id], c)
		if len(w.by[id]) == 0 {
			delete(w.by, id)
		}
	}
}

func (w *watchers[ID]) wake(ids []ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range ids {
		for c := range w.by[id] {
			select {
			case c <- struct{}{}:
			default: // it has one already
			}
		}
	}
}
