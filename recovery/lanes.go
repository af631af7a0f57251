package recovery

import (
	"context"
	"sync"
)

// lanes let one call at a time be on its way to one vault for one account, from
// reading the record to storing the next one. Without them the receipts of two
// calls could be stored in another order than the vault executed them, and what
// one has shown would be taken for the other's.
type lanes struct {
	mu   sync.Mutex
	held map[laneOf]*lane // guarded by mu
}

type laneOf struct {
	vault string
	acct  [16]byte
}

type lane struct {
	free  chan struct{} // a token for who has it
	users int           // guarded by lanes.mu
}

// take waits for a lane and gives what gives it back.
func (l *lanes) take(ctx context.Context, vault string, acct [16]byte) (give func(), err error) {
	key := laneOf{vault, acct}
	l.mu.Lock()
	if l.held == nil {
		l.held = map[laneOf]*lane{}
	}
	at := l.held[key]
	if at == nil {
		at = &lane{free: make(chan struct{}, 1)}
		l.held[key] = at
	}
	at.users++
	l.mu.Unlock()
	leave := func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if at.users--; at.users == 0 {
			delete(l.held, key)
		}
	}
	select {
	case at.free <- struct{}{}:
		return func() {
			<-at.free
			leave()
		}, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
