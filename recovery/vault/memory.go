package vault

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Memory is the freshness of the seed profile: a map, which a restart empties.
// The larger ver wins, as on the slides (R4), whatever it says of the count:
// so an insider with m replicas that he restarts r times has L·(m+r) guesses.
// A KR-1 configuration with it is refused.
type Memory struct {
	mu    sync.Mutex
	marks map[[16]byte]Mark
}

// NewMemory returns a Memory that knows of nobody.
func NewMemory() *Memory { return &Memory{marks: map[[16]byte]Mark{}} }

// Load returns what is held.
func (f *Memory) Load(_ context.Context, acct [16]byte) (Mark, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.marks[acct], nil
}

// Advance holds m, if it is newer than what is held.
func (f *Memory) Advance(_ context.Context, acct [16]byte, m Mark) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if held := f.marks[acct]; m != held && m.Ver <= held.Ver {
		return fmt.Errorf("%w: version %d is held, %d was offered", ErrStale, held.Ver, m.Ver)
	}
	f.marks[acct] = m
	return nil
}

// Level is LevelMemory.
func (f *Memory) Level() string { return LevelMemory }

// Now is the clock of this machine: there is no other witness.
func (f *Memory) Now(context.Context) (time.Time, error) { return time.Now(), nil }
