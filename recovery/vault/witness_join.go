package vault

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/staunchid/staunch/recovery/wire"
)

// pageSize is how many marks a witness hands over at once.
const pageSize = 256

// join is message 3, as the witness that is asked sees it: first it records the
// new incarnation of from, and from then on refuses writes that name an older
// one; only then it hands over what it holds (rule Q4).
func (w *Witness) join(ctx context.Context, from string, inc wire.Incarnation, page func([]VaultMark) error) (Memories, error) {
	w.mu.Lock()
	view, err := record(w.view, from, inc)
	if err == nil && (!w.ids[from] || from == w.id) {
		err = fmt.Errorf("%w: %s is no other witness of this set", ErrPeer, from)
	}
	if err != nil {
		defer w.mu.Unlock()
		if errors.Is(err, errOldView) {
			err = fmt.Errorf("%w: %w", ErrStale, err)
		}
		return Memories{View: w.view}, err
	}
	w.view = view
	wait := w.durable(entry{kind: entryLife, name: from, life: inc})
	m := Memories{Live: w.live, Journal: w.whole, View: view, Heads: maps.Clone(w.heads)}
	var accounts []account
	for a := range w.marks {
		accounts = append(accounts, a)
	}
	w.mu.Unlock()
	if _, err := wait(); err != nil {
		return Memories{}, err
	}
	for len(accounts) > 0 {
		n := min(pageSize, len(accounts))
		marks, err := w.page(accounts[:n])
		if err == nil {
			err = ctx.Err()
		}
		for chunk := range slices.Chunk(marks, pageSize) {
			if err == nil {
				err = page(chunk)
			}
		}
		if err != nil {
			return Memories{}, err
		}
		accounts = accounts[n:]
	}
	return m, nil
}

// page is what it holds of the accounts now, which is at least what it held when
// the joining was recorded.
func (w *Witness) page(accounts []account) ([]VaultMark, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	marks := make([]VaultMark, 0, len(accounts))
	for _, a := range accounts {
		for _, h := range w.all(a) {
			t, err := h.tagged(a.acct)
			if err != nil {
				return nil, err
			}
			marks = append(marks, VaultMark{a.vault, t})
		}
	}
	return marks, nil
}

// headAt is message 5.
func (w *Witness) headAt(n uint64) HeadAnswer {
	if w.journal == nil {
		return HeadAnswer{}
	}
	return w.journal.headAt(n)
}

// keep notes the head of the journal of another witness.
func (w *Witness) keep(id string, h Head) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.keepHead(id, h)
}

func (w *Witness) keepHead(id string, h Head) {
	if w.ids[id] && id != w.id && h.N > w.heads[id].N {
		w.heads[id] = h
		if w.journal != nil {
			w.fresh[id] = h
		}
	}
}
