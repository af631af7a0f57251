package vault

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// WitnessOptions are what a witness needs.
type WitnessOptions struct {
	ID   string    // witness-id: see WitnessID
	Boot wire.ID16 // of this start of the process

	// All are the witness-ids of the set, ID among them; Q, R and F how many must
	// acknowledge and answer, and how many may lie: the configuration's items 9
	// and 10.
	All     []string
	Q, R, F int

	// Dir is where it keeps its journal (on_total_amnesia = "checkpoint"). "":
	// none, and what it holds dies with the process.
	Dir string

	Now    func() time.Time // nil: time.Now
	Logger *slog.Logger     // nil: discards
}

// Witness keeps the marks of vaults in its memory. It reads no key, so it can
// neither make a mark nor tell a right tag from a wrong one; it compares, by the
// rules Q1, Q3 and Q4.
//
// A new one knows nothing: it neither answers nor acknowledges until Run has
// joined it to the others, or Begin has said that there is nothing to know.
type Witness struct {
	id    string
	boot  wire.ID16
	ids   map[string]bool // the set
	sizes sizes
	now   func() time.Time
	log   *slog.Logger

	journal *journal // nil: none

	mu    sync.Mutex
	whole bool // guarded by mu, as all below: there was a journal, and it was read
	live  bool
	began bool      // by Begin, and nobody has been told yet
	view  wire.View // incarnations it knows; never changed in place
	marks map[account]held
	more  map[account][]held // what did not agree with marks when it joined
	heads map[string]Head    // of the journals of others
	fresh map[string]Head    // those that are not in our journal yet
}

// account is one of a vault's.
type account struct {
	vault string
	acct  [16]byte
}

// held is a mark with the tag that its vault gave it.
type held struct {
	mark Mark
	tag  wire.ID16
}

// NewWitness returns a witness that knows nothing but what its journal says,
// which counts only after Run.
func NewWitness(o *WitnessOptions) (*Witness, error) {
	s := sizes{len(o.All), o.Q, o.R, o.F}
	if err := s.check(); err != nil {
		return nil, err
	}
	all := map[string]bool{}
	for _, id := range o.All {
		if !wire.ValidVaultID(id) || all[id] {
			return nil, fmt.Errorf("vault: %q names no witness, or two: 1 to 32 of a-z, 0-9 and -", id)
		}
		all[id] = true
	}
	if !all[o.ID] || o.Boot == (wire.ID16{}) {
		return nil, fmt.Errorf("vault: the witness %q is none of the set %q, or has no boot", o.ID, o.All)
	}
	w := &Witness{
		id: o.ID, boot: o.Boot, ids: all, sizes: s, now: o.Now, log: o.Logger,
		view: wire.View{}, marks: map[account]held{}, more: map[account][]held{}, heads: map[string]Head{}, fresh: map[string]Head{},
	}
	if w.now == nil {
		w.now = time.Now
	}
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	if o.Dir != "" {
		var err error
		if w.journal, w.whole, err = openJournal(o.Dir, w.state, w.learn); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// Close closes the journal. What was acknowledged is in it.
func (w *Witness) Close() error {
	w.mu.Lock()
	w.live = false
	w.mu.Unlock()
	if w.journal == nil {
		return nil
	}
	return w.journal.close()
}

// ID is the witness-id.
func (w *Witness) ID() string { return w.id }

// Live reports whether it answers and acknowledges.
func (w *Witness) Live() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.live
}

// load is message 1.
func (w *Witness) load(a account) (Held, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.live { // Q3
		return Held{}, w.amnesia()
	}
	h := Held{View: w.view}
	for _, one := range w.all(a) {
		t, err := one.tagged(a.acct)
		if err != nil {
			return Held{}, err
		}
		h.Marks = append(h.Marks, t)
	}
	return h, nil
}

// write is message 2. It is acknowledged with the head that wait returns, when
// the mark is durable; refused with a view.
func (w *Witness) write(vault string, t wire.Tagged, v wire.View) (wait func() (Head, error), known wire.View, err error) {
	acct, mark, err := readMark(t.Mark)
	if err != nil {
		return nil, nil, err
	}
	a := account{vault, acct}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.live { // Q3
		return nil, nil, w.amnesia()
	}
	if err := admits(w.view, w.id, v); err != nil { // Q4
		return nil, w.view, fmt.Errorf("%w: %w", ErrStale, err)
	}
	if now := w.held(a); !mark.Covers(now) { // Q1
		return nil, w.view, fmt.Errorf("%w: %s holds version %d", ErrStale, w.id, now.Ver)
	}
	w.marks[a] = held{mark, t.Tag}
	delete(w.more, a)
	return w.durable(entry{kind: entryMark, name: vault, mark: t}), nil, nil
}

// all is what it holds of an account. The caller has w.mu.
func (w *Witness) all(a account) []held {
	first, ok := w.marks[a]
	if !ok {
		return nil
	}
	return append([]held{first}, w.more[a]...)
}

// held is the join of it. The caller has w.mu.
func (w *Witness) held(a account) (m Mark) {
	for _, h := range w.all(a) {
		m = Join(m, h.mark)
	}
	return m
}

func (w *Witness) amnesia() error {
	return fmt.Errorf("%w: %s has restarted", ErrAmnesia, w.id)
}

// clock is message 4.
func (w *Witness) clock() time.Time { return w.now() }

// Begin says that there is nothing to know: the very first start of the set, or
// after a ceremony that took the marks for lost and moved the journals away. It
// is a separate act from opening, for whoever begins anew where marks were gives
// every account its whole limit again.
func (w *Witness) Begin() error {
	w.mu.Lock()
	if w.live || w.whole || len(w.marks) > 0 {
		defer w.mu.Unlock()
		return fmt.Errorf("vault: %s remembers already: nothing is begun anew where marks are", w.id)
	}
	life := wire.Incarnation{Number: 1, Boot: w.boot}
	w.view = joinViews(w.view, wire.View{w.id: life})
	wait := w.durable(entry{kind: entryLife, name: w.id, life: life})
	w.mu.Unlock()
	if _, err := wait(); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.live, w.began = true, true
	return nil
}

func (h held) tagged(acct [16]byte) (wire.Tagged, error) {
	b, err := wire.Encode(h.mark.wire(acct))
	return wire.Tagged{Mark: b, Tag: h.tag}, err
}

// Local is the witness for the one called from, in the same process.
func (w *Witness) Local(from string) Peer { return local{w, from} }

// sizes are how many witnesses there are, how many must acknowledge a write and
// answer a load, and how many may lie.
type sizes struct{ w, q, r, f int }

// check is section 7: each two writes, and each write and load, have a witness in
// common who does not lie.
func (s sizes) check() error {
	switch {
	case s.w < 1 || s.w > wire.MaxWitnesses || s.f < 0 || s.q < 1 || s.r < 1 || s.q > s.w || s.r > s.w:
		return fmt.Errorf("vault: freshness of %d witnesses with quorums of %d and %d", s.w, s.q, s.r)
	case s.q+s.r <= s.w+s.f:
		return fmt.Errorf("vault: a load may miss a write: Q + R must exceed W + f, and %d + %d does not exceed %d + %d", s.q, s.r, s.w, s.f)
	case 2*s.q <= s.w+s.f:
		return fmt.Errorf("vault: two writes may miss each other: 2Q must exceed W + f, and 2 * %d does not exceed %d + %d", s.q, s.w, s.f)
	}
	return nil
}
