package vault

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// How long a witness waits: for one round of joining, for the rest once enough
// have answered, and between two rounds.
const (
	roundTime = time.Minute
	graceTime = time.Second
	pauseMin  = 50 * time.Millisecond
	pauseMax  = 2 * time.Second
)

// Run joins the witness to the others, all of the set but itself, and returns
// nil when it is live. It goes on trying until ctx ends: fewer than R that
// remember are too few (rules Q3 to Q5).
func (w *Witness) Run(ctx context.Context, others []Peer) error {
	if err := w.announce(ctx, others); err != nil {
		w.log.Error("this witness began anew where others remember it: it joins them instead", "witness", w.id, "error", err)
	}
	pause, told := pauseMin, time.Time{}
	for number := w.next(); !w.Live(); {
		var err error
		if number, err = w.round(ctx, others, number); err == nil {
			break
		}
		level := slog.LevelDebug // after a start of all they find each other within seconds
		if pause == pauseMax && time.Since(told) > roundTime {
			level, told = slog.LevelWarn, time.Now()
		}
		w.log.Log(ctx, level, "the witness has not joined the others yet; it goes on trying", "witness", w.id, "error", err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return fmt.Errorf("vault: the witness %s has not joined the others: %w", w.id, errors.Join(ctx.Err(), err))
		}
		pause = min(2*pause, pauseMax)
	}
	w.log.Info("recovery.rejoined", "witness", w.id)
	return nil
}

// next is the incarnation after the one that its journal knows.
func (w *Witness) next() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.view[w.id].Number + 1
}

// announce tells the others of a witness that has begun. If one of them knows of
// another life of it, nothing should have been begun, and it remembers no more.
func (w *Witness) announce(ctx context.Context, others []Peer) error {
	w.mu.Lock()
	began := w.began
	w.began = false
	w.mu.Unlock()
	if !began {
		return nil
	}
	for _, a := range w.ask(ctx, others, 1) {
		if errors.Is(a.err, ErrStale) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.live = false
			return a.err
		}
	}
	return nil
}

// told is what one of the others has answered.
type told struct {
	peer  Peer
	err   error
	says  Memories
	marks map[account][]held
}

// round announces the incarnation number and goes live if R witnesses remember.
// It returns the number for the next round: a larger one if this is known as that
// of a life before (rule Q3).
func (w *Witness) round(ctx context.Context, others []Peer, number uint64) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, roundTime)
	defer cancel()
	answers := w.ask(ctx, others, number)
	next, known := number, error(nil)
	for _, a := range answers {
		if errors.Is(a.err, ErrStale) {
			next, known = max(next, number+1), a.err
			if n := a.says.View[w.id].Number; n <= maxIncarnation {
				next = max(next, n+1)
			}
		}
	}
	if known != nil {
		return next, known
	}
	voters := w.voters(ctx, answers)
	count := len(voters)
	if w.trusted(answers) {
		count++ // its own journal
	}
	if count < w.sizes.r {
		return number, fmt.Errorf("%w: %d remember, %d are needed", ErrAmnesia, count, w.sizes.r)
	}
	w.forgotten(answers)
	return number, w.adopt(voters, wire.Incarnation{Number: number, Boot: w.boot})
}

// ask announces the incarnation to all others and collects what they remember.
// It waits for all of them, but not long once R have answered.
func (w *Witness) ask(ctx context.Context, others []Peer, number uint64) []told {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	inc := wire.Incarnation{Number: number, Boot: w.boot}
	answers := make(chan told, len(others))
	for _, p := range others {
		go func() {
			a := told{peer: p, marks: map[account][]held{}}
			a.says, a.err = p.Join(ctx, inc, a.take)
			answers <- a
		}()
	}
	var all []told
	remember := 0
	var grace <-chan time.Time
	for range others {
		select {
		case a := <-answers:
			all = append(all, a)
		case <-grace:
			return all
		case <-ctx.Done():
			return all
		}
		if last := all[len(all)-1]; last.err == nil {
			remember++
		}
		if remember == w.sizes.r && grace == nil {
			grace = time.After(graceTime)
		}
	}
	return all
}

// take keeps a page of marks.
func (a *told) take(marks []VaultMark) error {
	for _, v := range marks {
		acct, m, err := readMark(v.Mark.Mark)
		if err != nil {
			return err
		}
		at := account{v.Vault, acct}
		if a.marks[at] = with(a.marks[at], held{m, v.Mark.Tag}); len(a.marks[at]) > maxMarks {
			return errManyMarks
		}
	}
	return nil
}

// maxMarks is how many marks of one account a witness may hold: more than W that
// differ are never there unless somebody lies.
const maxMarks = 256

var errManyMarks = fmt.Errorf("%w: more marks of an account than there can be", ErrPeer)

// with adds h to what is held of an account, unless it is there. All are kept,
// also those that others cover: whether a tag is right only the vault can tell.
func with(all []held, h held) []held {
	if slices.Contains(all, h) {
		return all
	}
	return append(all, h)
}

// adopt makes the witness live with what the voters remember, and what it has been
// told by others that joined meanwhile.
func (w *Witness) adopt(voters []told, inc wire.Incarnation) error {
	if err := w.merge(voters); err != nil {
		return err
	}
	if w.journal != nil {
		if err := w.journal.checkpoint(); err != nil {
			return err
		}
	}
	w.mu.Lock()
	wait := w.durable(entry{kind: entryLife, name: w.id, life: inc})
	w.mu.Unlock()
	if _, err := wait(); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.view = joinViews(w.view, wire.View{w.id: inc})
	if w.view[w.id] != inc {
		return fmt.Errorf("%w: incarnation %d of itself is known", ErrStale, w.view[w.id].Number)
	}
	w.live = true
	return nil
}

// merge takes what the voters remember into what is held.
func (w *Witness) merge(voters []told) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, v := range voters {
		w.view = joinViews(w.view, v.says.View)
		for at, marks := range v.marks {
			all := w.all(at)
			for _, h := range marks {
				all = with(all, h)
			}
			if len(all) > maxMarks {
				return errManyMarks
			}
			w.set(at, all)
		}
		for id, h := range v.says.Heads {
			w.keepHead(id, h)
		}
	}
	return nil
}
