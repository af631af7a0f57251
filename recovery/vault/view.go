package vault

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/staunchid/staunch/recovery/wire"
)

// maxIncarnation bounds what anybody may say of an incarnation, so that a liar
// cannot make the next one impossible.
const maxIncarnation = 1 << 48

// errOldView: a write was begun before a witness restarted that is back by now.
// It must not count: the witness may have acknowledged it in the life that it
// has forgotten.
var errOldView = errors.New("vault: the write belongs to a view that is over")

// admits is rule Q4: what a witness that knows the incarnations of known, and
// among them its own, says to a write of the view v. No component may be older
// than it knows, and its own must be what it is. An incarnation that it has not
// heard of yet is none of its business.
func admits(known wire.View, self string, v wire.View) error {
	if v[self] != known[self] {
		return fmt.Errorf("%w: it names incarnation %d of %s, which is %d", errOldView, v[self].Number, self, known[self].Number)
	}
	for id, k := range known {
		if w := v[id]; w.Number < k.Number || w.Number == k.Number && w.Boot != k.Boot {
			return fmt.Errorf("%w: it names incarnation %d of %s, and %d is known", errOldView, w.Number, id, k.Number)
		}
	}
	return nil
}

// record is rule Q3: known with the incarnation that the witness id announces.
// One that is not newer is refused, but for the same once more.
func record(known wire.View, id string, inc wire.Incarnation) (wire.View, error) {
	k := known[id]
	switch {
	case inc == k:
		return known, nil
	case inc.Number > maxIncarnation || inc.Number == 0:
		return known, fmt.Errorf("%w: incarnation %d", wire.ErrMalformed, inc.Number)
	case inc.Number <= k.Number:
		return known, fmt.Errorf("%w: incarnation %d of %s, and %d is known", errOldView, inc.Number, id, k.Number)
	}
	next := maps.Clone(known)
	if next == nil {
		next = wire.View{}
	}
	next[id] = inc
	return next, nil
}

// joinViews is the newest of each witness that any of the views knows.
func joinViews(views ...wire.View) wire.View {
	joined := wire.View{}
	for _, v := range views {
		for id, inc := range v {
			if inc.Number > joined[id].Number && inc.Number <= maxIncarnation {
				joined[id] = inc
			}
		}
	}
	return joined
}

// believed is the view that a writer goes by, out of what each witness last told
// it: of itself each is believed, unless more than f others know of a newer
// incarnation of it. So f liars make nobody who has spoken look restarted; of one
// who has not, whoever knows most is believed. Safety does not hang on it, since
// witnesses look for themselves; but a write of a wrong view is in vain.
func believed(told map[string]wire.View, f int) wire.View {
	v := wire.View{}
	for id, own := range told {
		if inc, ok := own[id]; ok {
			v[id] = inc
		}
	}
	for id := range joinViews(slices.Collect(maps.Values(told))...) {
		var others []wire.Incarnation
		for from, known := range told {
			if inc, ok := known[id]; ok && from != id && inc.Number <= maxIncarnation {
				others = append(others, inc)
			}
		}
		slices.SortFunc(others, func(a, b wire.Incarnation) int { return cmp.Compare(b.Number, a.Number) })
		most := f
		if v[id].Number == 0 {
			most = 0
		}
		if len(others) > most && others[most].Number > v[id].Number {
			v[id] = others[most]
			continue
		}
		// A life that was not announced has the number of the next.
		for _, inc := range others {
			same := func(other wire.Incarnation) bool { return other == inc }
			if inc.Number == v[id].Number && inc != v[id] && count(others, same) > f {
				v[id] = inc
			}
		}
	}
	return v
}

func count(all []wire.Incarnation, is func(wire.Incarnation) bool) (n int) {
	for _, inc := range all {
		if is(inc) {
			n++
		}
	}
	return n
}
