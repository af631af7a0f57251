package vault

import (
	"sync"

	"github.com/staunchid/staunch/recovery/wire"
)

// accountLocks let one call at a time work on an account.
type accountLocks struct {
	mu   sync.Mutex
	held map[wire.Acct]*accountLock // guarded by mu
}

type accountLock struct {
	mu      sync.Mutex
	waiting int // who has it or wants it; guarded by accountLocks.mu
}

func newAccountLocks() *accountLocks {
	return &accountLocks{held: map[wire.Acct]*accountLock{}}
}

// lock waits for the account and returns what gives it back.
func (l *accountLocks) lock(acct wire.Acct) (unlock func()) {
	l.mu.Lock()
	a := l.held[acct]
	if a == nil {
		a = &accountLock{}
		l.held[acct] = a
	}
	a.waiting++
	l.mu.Unlock()
	a.mu.Lock()
	return func() {
		a.mu.Unlock()
		l.mu.Lock()
		defer l.mu.Unlock()
		if a.waiting--; a.waiting == 0 {
			delete(l.held, acct)
		}
	}
}
