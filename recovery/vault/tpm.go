package vault

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"sync"
	"time"

	"github.com/staunchid/staunch/internal/cbor"
	"github.com/staunchid/staunch/recovery/wire"
)

// Counter is a monotonic counter of the machine, such as an NV index of a TPM. It
// counts boots, never attempts: chips are slow, and wear out.
type Counter interface {
	// Value is what the counter stands at.
	Value(ctx context.Context) (uint64, error)
	// Increment adds one, durably, and returns the sum.
	Increment(ctx context.Context) (uint64, error)
}

// TPMOptions are what freshness by a counter needs. All are required.
type TPMOptions struct {
	Counter Counter

	// Saved is what Close returned when the process last stopped, unsealed; nil:
	// it did not stop cleanly, or never ran. Sealing it to the measured state is
	// the platform's part.
	Saved []byte

	// Begin says that there are no marks yet: the very first start, or after a
	// ceremony. It does not go with Saved.
	Begin bool
}

// TPM is the freshness of a single vault on a machine with a counter. A clean stop
// saves all marks and the counter's value; the next start believes them if the
// counter stands there still, and raises it, so they are believed once. After an
// unclean stop nobody knows what was counted: Load then gives ErrAmnesia until a
// ceremony. A virtual TPM whose state somebody can copy rolls back with it.
type TPM struct {
	mu    sync.Mutex
	known bool // guarded by mu, as all below: the marks are all there are
	value uint64
	marks map[[16]byte]Mark
}

// NewTPM raises the counter and believes what was saved, if it is of the value
// before.
func NewTPM(ctx context.Context, o *TPMOptions) (*TPM, error) {
	if o.Counter == nil || o.Begin && o.Saved != nil {
		return nil, errors.New("vault: freshness by a TPM needs a counter, and begins only where nothing was saved")
	}
	before, err := o.Counter.Value(ctx)
	if err != nil {
		return nil, fmt.Errorf("vault: the counter of the TPM: %w", err)
	}
	f := &TPM{marks: map[[16]byte]Mark{}, known: o.Begin}
	if o.Saved != nil {
		s := savedMarks{marks: f.marks}
		if err := decode(o.Saved, &s); err != nil {
			return nil, fmt.Errorf("%w: what was saved of a TPM's marks: %w", wire.ErrMalformed, err)
		}
		f.known = s.value == before // saved at the last stop, and not before it
	}
	if f.value, err = o.Counter.Increment(ctx); err != nil {
		return nil, fmt.Errorf("vault: the counter of the TPM: %w", err)
	}
	if f.value <= before { // or these marks would be believed once more
		return nil, fmt.Errorf("vault: the counter of the TPM went from %d to %d", before, f.value)
	}
	if !f.known {
		clear(f.marks)
	}
	return f, nil
}

// Load returns what is known. ErrAmnesia after an unclean stop.
func (f *TPM) Load(_ context.Context, acct [16]byte) (Mark, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.known {
		return Mark{}, fmt.Errorf("%w: the last stop was not clean, or an older state was put back", ErrAmnesia)
	}
	return f.marks[acct], nil
}

// Advance holds m, if it covers what is held.
func (f *TPM) Advance(_ context.Context, acct [16]byte, m Mark) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.known {
		return ErrAmnesia
	}
	if held := f.marks[acct]; !m.Covers(held) {
		return fmt.Errorf("%w: version %d is held, %d was offered", ErrStale, held.Ver, m.Ver)
	}
	f.marks[acct] = m
	return nil
}

// Level is LevelTPM.
func (f *TPM) Level() string { return LevelTPM }

// Now is the clock of this machine: there is no other witness.
func (f *TPM) Now(context.Context) (time.Time, error) { return time.Now(), nil }

// Close ends a clean stop: it returns the marks, to be sealed and kept for the
// next start, and knows nothing from then on.
func (f *TPM) Close() ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.known {
		return nil, ErrAmnesia
	}
	f.known = false
	return cbor.Encode((&savedMarks{f.value, maps.Clone(f.marks)}).Code)
}

// savedMarks is [value, [* mark]].
type savedMarks struct {
	value uint64
	marks map[[16]byte]Mark
}

func (s *savedMarks) Code(c *cbor.Coder) {
	c.Array(2)
	cbor.Uint(c, &s.value, 0, math.MaxUint64)
	var all []wire.Mark
	for acct, m := range s.marks {
		all = append(all, *m.wire(acct))
	}
	cbor.Slice(c, &all, 0, math.MaxInt32, func(m *wire.Mark) { m.Code(c) })
	for _, m := range all {
		s.marks[m.Acct] = unwire(m)
	}
}
