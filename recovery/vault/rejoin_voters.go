package vault

import (
	"context"
)

// voters are those whose memory counts (rule Q5): who is live, or has a whole
// journal, if the journal agrees with the heads that the others keep of it.
func (w *Witness) voters(ctx context.Context, answers []told) []told {
	newest := w.newest(answers)
	var voters []told
	for _, a := range answers {
		if a.err != nil || !a.says.Live && !a.says.Journal {
			continue
		}
		kept, ok := newest[a.peer.ID()]
		if !ok {
			voters = append(voters, a)
			continue
		}
		h, err := a.peer.HeadAt(ctx, kept.N)
		if err != nil {
			continue
		}
		if !agrees(h, kept, a.says.Live) {
			w.rolledBack(a.peer.ID(), kept)
			continue
		}
		voters = append(voters, a)
	}
	return voters
}

// trusted reports whether its own journal counts.
func (w *Witness) trusted(answers []told) bool {
	w.mu.Lock()
	whole := w.whole
	w.mu.Unlock()
	if !whole {
		return false
	}
	kept, ok := w.newest(answers)[w.id]
	if ok && !agrees(w.headAt(kept.N), kept, false) {
		w.rolledBack(w.id, kept)
		return false
	}
	return true
}

// agrees compares a head with the one that is kept of it. One that is too old to
// be looked up may pass only for somebody who has been live all the time: a
// journal from the disk could have been made to look long.
func agrees(h HeadAnswer, kept Head, live bool) bool {
	return h.Known && h.Hash == kept.Hash || h.Past && live
}

// newest are the heads of the journals of all witnesses, as far as anybody keeps
// them.
func (w *Witness) newest(answers []told) map[string]Head {
	all := []map[string]Head{}
	for _, a := range answers {
		if a.err == nil {
			all = append(all, a.says.Heads)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	newest := map[string]Head{}
	for _, heads := range append(all, w.heads) {
		for id, h := range heads {
			if w.ids[id] && h.N > newest[id].N {
				newest[id] = h
			}
		}
	}
	return newest
}

func (w *Witness) rolledBack(id string, kept Head) {
	w.log.Error("recovery.rollback: the journal of a witness is older than others know it, or another: alarm the operators",
		"witness", id, "entries", kept.N, "hash", kept.Hash.String())
}

// forgotten alarms when the others, all of them, keep a head of this witness's
// journal that is far behind the marks of its last life: they have gone back
// together, and went on without the one that remembers. A head is kept when a
// mark is acknowledged and is on the keeper's disk with the next, so that no more
// than slack are missing when all go down at once.
func (w *Witness) forgotten(answers []told) {
	w.mu.Lock()
	whole := w.whole
	w.mu.Unlock()
	if !whole || len(answers) < w.sizes.w-1 {
		return // who has not answered may keep another
	}
	for _, a := range answers {
		if a.err != nil {
			return
		}
	}
	const slack = 16
	if n := w.journal.since(w.newest(answers)[w.id].N); n > slack {
		w.log.Error("recovery.rollback: the others know less of this witness's journal than they did, and have gone back together: alarm the operators",
			"witness", w.id, "writes", n)
	}
}
