package vault

import (
	"slices"

	"github.com/staunchid/staunch/recovery/wire"
)

// durable puts e, and the heads that others have told since, into the journal.
// The caller has w.mu, and calls wait without it.
func (w *Witness) durable(e entry) (wait func() (Head, error)) {
	if w.journal == nil {
		return func() (Head, error) { return Head{}, nil }
	}
	b := w.journal.add(w.fresh, e)
	clear(w.fresh)
	return func() (Head, error) { return w.journal.wait(b) }
}

// learn is what an entry of the journal says, when the witness starts.
func (w *Witness) learn(e entry) error {
	switch e.kind {
	case entryMark, entryMore:
		acct, m, err := readMark(e.mark.Mark)
		if err != nil {
			return err
		}
		a := account{e.name, acct}
		w.remember(a, held{m, e.mark.Tag}, e.kind == entryMark)
	case entryLife:
		w.view = joinViews(w.view, wire.View{e.name: e.life})
	case entryHead:
		w.heads[e.name] = e.head
	}
	return nil
}

// remember takes a mark into what is held. One that was written covered all that
// was held then. A snapshot may be ahead of the segment after it, and then holds
// what came later.
func (w *Witness) remember(a account, h held, written bool) {
	now := w.held(a)
	all := w.all(a)
	switch {
	case written && h.mark.Covers(now):
		all = []held{h}
	case written && now.Covers(h.mark):
	default:
		all = with(all, h)
	}
	w.set(a, all)
}

// set replaces what is held of an account. The caller has w.mu.
func (w *Witness) set(a account, all []held) {
	w.marks[a] = all[0]
	delete(w.more, a)
	if len(all) > 1 {
		w.more[a] = slices.Clone(all[1:])
	}
}

// state is all that it knows, for a snapshot.
func (w *Witness) state() state {
	return func(yield func([]entry) bool) {
		w.mu.Lock()
		var first []entry
		for id, life := range w.view {
			first = append(first, entry{kind: entryLife, name: id, life: life})
		}
		for id, h := range w.heads {
			first = append(first, entry{kind: entryHead, name: id, head: h})
		}
		accounts := make([]account, 0, len(w.marks))
		for a := range w.marks {
			accounts = append(accounts, a)
		}
		w.mu.Unlock()
		if !yield(first) {
			return
		}
		for some := range slices.Chunk(accounts, pageSize) {
			if !yield(w.entries(some)) {
				return
			}
		}
	}
}

func (w *Witness) entries(accounts []account) (all []entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range accounts {
		kind := uint8(entryMark)
		for _, h := range w.all(a) {
			t, err := h.tagged(a.acct)
			if err != nil {
				continue // a mark that was read can be written
			}
			all = append(all, entry{kind: kind, name: a.vault, mark: t})
			kind = entryMore
		}
	}
	return all
}
