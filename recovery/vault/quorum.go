package vault

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// QuorumOptions are what a replica needs to keep its marks with witnesses.
type QuorumOptions struct {
	Vault string
	Key   wire.MarkKey // of the vault: wire.DeriveMarkKey

	// Witnesses are all of them, the replica's own among them (Witness.Local).
	Witnesses []Peer
	Q, R, F   int

	// Own is the replica's own witness, which keeps the heads of the journals of
	// the others. nil: nobody keeps them here.
	Own *Witness

	Timeout time.Duration // of one call to the witnesses; 0: two seconds
	Logger  *slog.Logger  // nil: discards
}

// Quorum is the freshness of KR-1: registers without a leader in the memories of
// W witnesses. A mark counts once Q of them hold it, and R of them are asked, so
// that each load meets each mark that ever counted, at a witness who does not
// lie.
type Quorum struct {
	vault     string
	key       wire.MarkKey
	witnesses []Peer
	sizes     sizes
	own       *Witness
	timeout   time.Duration
	log       *slog.Logger

	mu   sync.Mutex
	told map[string]wire.View // guarded by mu: what each witness last said it knows
	view wire.View            // guarded by mu: what follows from told; never changed in place
	open map[[16]byte]opened  // guarded by mu: from Load to Advance
}

// opened is what a Load leaves for the Advance of the same account (rule Q7).
type opened struct {
	view wire.View
	mark Mark
	at   time.Time
}

// NewQuorum returns a Quorum over the witnesses.
func NewQuorum(o *QuorumOptions) (*Quorum, error) {
	s := sizes{len(o.Witnesses), o.Q, o.R, o.F}
	if err := s.check(); err != nil {
		return nil, err
	}
	if !wire.ValidVaultID(o.Vault) {
		return nil, fmt.Errorf("vault: %q names no vault", o.Vault)
	}
	if o.Key == (wire.MarkKey{}) {
		return nil, errors.New("vault: the mark key is all zeros, so that a witness could make marks")
	}
	ids := map[string]bool{}
	for _, p := range o.Witnesses {
		if ids[p.ID()] {
			return nil, fmt.Errorf("vault: the witness %s is there twice", p.ID())
		}
		ids[p.ID()] = true
	}
	q := &Quorum{
		vault: o.Vault, key: o.Key, witnesses: slices.Clone(o.Witnesses), sizes: s, own: o.Own,
		timeout: o.Timeout, log: o.Logger,
		told: map[string]wire.View{}, view: wire.View{}, open: map[[16]byte]opened{},
	}
	if q.timeout == 0 {
		q.timeout = 2 * time.Second
	}
	if q.log == nil {
		q.log = slog.New(slog.DiscardHandler)
	}
	return q, nil
}

// Level is LevelQuorum.
func (q *Quorum) Level() string { return LevelQuorum }

// viewTries is how often a load begins again because a witness came back under
// way. Two come at a first load: one that learns the view, and one that goes by it.
const viewTries = 5

// Load joins what R witnesses hold of acct.
func (q *Quorum) Load(ctx context.Context, acct [16]byte) (Mark, error) {
	ctx, cancel := context.WithTimeout(ctx, q.timeout)
	defer cancel()
	for range viewTries {
		view := q.current()
		m, err := q.load(ctx, acct)
		if err != nil {
			return Mark{}, err
		}
		if q.settled(acct, view, m) {
			return m, nil
		}
	}
	return Mark{}, fmt.Errorf("%w: witnesses came back while the account was loaded, %d times", ErrUnavailable, viewTries)
}

// settled keeps view and mark for Advance, if nobody has told of another view
// since before the load (rule Q7).
func (q *Quorum) settled(acct [16]byte, view wire.View, m Mark) bool {
	now := time.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	if !maps.Equal(q.view, view) {
		return false
	}
	if len(q.open) >= maxOpen {
		maps.DeleteFunc(q.open, func(_ [16]byte, o opened) bool { return now.Sub(o.at) > openFor })
	}
	q.open[acct] = opened{view, m, now}
	return true
}

// Accounts that were loaded and never advanced are forgotten after openFor, when
// there are maxOpen.
const (
	maxOpen = 4096
	openFor = time.Minute
)

func (q *Quorum) load(ctx context.Context, acct [16]byte) (Mark, error) {
	var joined Mark
	err := ask(ctx, q.witnesses, q.sizes.r, func(ctx context.Context, p Peer) error {
		h, err := p.Load(ctx, q.vault, acct)
		if err == nil {
			q.tell(p.ID(), h.View)
		}
		m := q.read(p, acct, h.Marks)
		q.mu.Lock()
		defer q.mu.Unlock()
		joined = Join(joined, m)
		return err
	})
	q.mu.Lock()
	defer q.mu.Unlock()
	return joined, err
}

// read joins what p holds. A mark whose tag is wrong is not ours: p lies, or has
// believed a liar when it joined. It is left out, as if p had kept silent about
// it, which is all that the tag lets a liar do.
func (q *Quorum) read(p Peer, acct [16]byte, tagged []wire.Tagged) Mark {
	var joined Mark
	for _, t := range tagged {
		w, err := q.key.Open(&t)
		if err == nil && w.Acct != acct {
			err = errors.New("the mark of another account")
		}
		if err != nil {
			q.log.Error("a witness holds a mark that this vault never made: replace the witness, and restart those that joined since", "witness", p.ID(), "error", err)
			continue
		}
		joined = Join(joined, unwire(w))
	}
	return joined
}

// Advance lets Q witnesses hold m, which grew out of what Load returned.
func (q *Quorum) Advance(ctx context.Context, acct [16]byte, m Mark) error {
	ctx, cancel := context.WithTimeout(ctx, q.timeout)
	defer cancel()
	q.mu.Lock()
	o, ok := q.open[acct]
	delete(q.open, acct)
	q.mu.Unlock()
	if !ok {
		return fmt.Errorf("%w: it was not loaded, or too long ago", ErrStale)
	}
	if m == o.mark || !m.Covers(o.mark) || m.check() != nil {
		return fmt.Errorf("%w: version %d does not grow out of what was loaded, version %d", ErrStale, m.Ver, o.mark.Ver)
	}
	t, err := q.key.Tag(m.wire(acct))
	if err != nil {
		return err
	}
	return ask(ctx, q.witnesses, q.sizes.q, func(ctx context.Context, p Peer) error { // Q2
		ack, err := p.Write(ctx, q.vault, t, o.view)
		switch {
		case err == nil && q.own != nil && p.ID() != q.own.ID():
			q.own.keep(p.ID(), ack.Head) // Q5
		case errors.Is(err, ErrStale):
			q.tell(p.ID(), ack.View)
		}
		return err
	})
}

// Now is the median of R clocks.
func (q *Quorum) Now(ctx context.Context) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, q.timeout)
	defer cancel()
	var mu sync.Mutex
	var clocks []time.Time
	err := ask(ctx, q.witnesses, q.sizes.r, func(ctx context.Context, p Peer) error {
		t, err := p.Clock(ctx)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		clocks = append(clocks, t)
		return nil
	})
	if err != nil {
		return time.Time{}, err
	}
	mu.Lock()
	defer mu.Unlock()
	slices.SortFunc(clocks, time.Time.Compare)
	return clocks[(len(clocks)-1)/2], nil
}

// current is the view that a write of now goes by.
func (q *Quorum) current() wire.View {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.view
}

// tell notes what a witness knows of the others.
func (q *Quorum) tell(id string, known wire.View) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if maps.Equal(q.told[id], known) {
		return
	}
	q.told[id] = known
	q.view = believed(q.told, q.sizes.f)
}
