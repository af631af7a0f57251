package vault

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/staunchid/staunch/recovery/wire"
)

// scheduler is what a search explores: how many honest witnesses there are and how
// many of them a write and a load must reach, what the insider may do, and which
// rule is broken. With a liar, who acknowledges everything and remembers nothing,
// the quorums among the honest are smaller by one.
type scheduler struct {
	honest, q, r int
	limit        int
	ops          int // calls
	flight       int // of them at once
	restarts     int
	bound        int // guesses that there should be
	status       bool
	content      bool
	owner        bool // makes attempt 1, and releases once

	largerWins   bool // the mark of the larger version wins whole
	otherLast    bool // equal charges are accepted with another last
	votesZero    bool // a restarted witness answers at once
	noViews      bool // a write may be of any view
	sparse       bool // marks with used 0 are dropped, and the record is believed
	unboundNonce bool // a release is good for any charge of its attempt

	reached  bool   // some state has as many as the bound
	admitted []bool // of every known, self and view: see tabulate
}

const most = 4 // honest witnesses

// small is a mark in 32 bits.
type small uint32

func pack(m Mark) small {
	return small(m.Gen | uint32(m.Ver)<<3 | m.Charges<<8 | m.Base<<12 | m.Closed<<16 | uint32(m.State)<<20 | uint32(m.Last[0])<<22 | uint32(m.Redo[0])<<26)
}

func (s small) mark() (m Mark) {
	m.Gen, m.Ver = uint32(s&7), uint64(s>>3&31)
	m.Charges, m.Base, m.Closed = uint32(s>>8&15), uint32(s>>12&15), uint32(s>>16&15)
	m.State, m.Last[0], m.Redo[0] = uint8(s>>20&3), uint8(s>>22&15), uint8(s>>26&3)
	return m
}

// lives are the incarnations of all witnesses, 2 bits each.
type lives uint8

func (l lives) of(i int) uint8            { return uint8(l >> (2 * i) & 3) }
func (l lives) with(i int, n uint8) lives { return l&^(3<<(2*i)) | lives(n)<<(2*i) }
func (l lives) join(other lives) (j lives) {
	for i := range most {
		j = j.with(i, max(l.of(i), other.of(i)))
	}
	return j
}

// modelWitness is an honest one. While it joins, mark is what it has learnt so far
// and from says from whom.
type modelWitness struct {
	mark  small
	known lives
	from  uint8
	live  bool
}

// The kinds of calls.
const (
	callNone = iota
	callEvaluate
	callStatus
	callContent
	callRelease
)

// call is one in flight: first it loads, then it sends.
type call struct {
	kind    uint8
	attempt uint8
	loads   uint8 // from whom
	sent    uint8 // to whom
	acks    uint8 // by whom
	sending bool
	answers bool // something leaves the vault when it counts
	view    lives
	mark    small // joined so far; then the new one
}

// world is one state. answered has a bit for each attempt that was answered and
// that a mark or a call still names; gone counts the others.
type world struct {
	w        [most]modelWitness
	calls    [2]call
	now      lives // true incarnations
	answered uint16
	gone     uint8
	nonces   uint16 // charges for which the owner has an answer to his attempt
	release  uint8  // the charge for which the owner signed his release; 0: not yet
	ops      uint8
	restarts uint8
	content  bool
}

func (r *scheduler) start() world {
	r.tabulate()
	first := pack(Mark{Gen: 1, Ver: 1})
	var s world
	for i := range r.honest {
		s.w[i] = modelWitness{mark: first, known: lives(0), live: true}
	}
	return s
}

// tabulate asks the real admits about every view that can occur.
func (r *scheduler) tabulate() {
	r.admitted = make([]bool, 256*most*256)
	view := func(l lives) wire.View {
		v := wire.View{}
		for i := range r.honest {
			v[fmt.Sprint("w", i)] = wire.Incarnation{Number: uint64(l.of(i)) + 1, Boot: wire.ID16{l.of(i)}}
		}
		return v
	}
	var views [256]wire.View
	for i := range views {
		views[i] = view(lives(i))
	}
	for known := range 256 {
		for self := range r.honest {
			for v := range 256 {
				r.admitted[(known*most+self)*256+v] = admits(views[known], fmt.Sprint("w", self), views[v]) == nil
			}
		}
	}
}

func (r *scheduler) join(a, b small) small {
	if r.largerWins {
		if a.mark().Ver >= b.mark().Ver {
			return a
		}
		return b
	}
	return pack(Join(a.mark(), b.mark()))
}

func (r *scheduler) covers(m, held small) bool {
	a, b := m.mark(), held.mark()
	switch {
	case r.largerWins:
		return a == b || a.Ver > b.Ver
	case r.otherLast && a.Charges == b.Charges:
		b.Last = a.Last
	}
	return a.Covers(b)
}

// next hands every state that one step leads to, in the form that all its mirror
// images share.
func (r *scheduler) next(s world, hand func(world)) {
	yield := func(t world) {
		r.over(&t)
		if r.hopeless(&t) {
			return
		}
		t = r.canonical(t)
		r.rename(&t)
		hand(t)
	}
	r.begin(s, yield)
	for c := range r.flight {
		for i := range r.honest {
			if bit := uint8(1) << i; s.calls[c].kind != callNone && s.w[i].live {
				switch call := &s.calls[c]; {
				case !call.sending && call.loads&bit == 0:
					yield(r.load(s, c, i))
				case call.sending && call.sent&bit == 0 && r.accepts(&s, call, i):
					yield(r.send(s, c, i))
				}
			}
		}
	}
	for i := range r.honest {
		if s.w[i].live && int(s.restarts) < r.restarts {
			yield(r.restart(s, i))
		}
		for j := range r.honest {
			if !s.w[i].live && s.w[j].live && s.w[i].from>>j&1 == 0 {
				yield(r.rejoin(s, i, j))
			}
		}
		if r.sparse && s.w[i].live && s.w[i].mark.mark().Used() == 0 && s.w[i].mark != 0 {
			t := s
			t.w[i].mark = 0
			yield(t)
		}
	}
	if s.release == 0 { // the owner releases once, with an answer that he got
		for charge := range uint8(16) {
			if s.nonces>>charge&1 == 1 {
				t := s
				t.release = charge
				yield(t)
			}
		}
	}
}

// begin starts a call, in a free place or in that of another which is given up,
// and loads from one witness. It may be of an attempt that something still names,
// or of a new one; to repeat one that is named nowhere is to begin a new one and
// gain nothing.
func (r *scheduler) begin(s world, yield func(world)) {
	if int(s.ops) == r.ops {
		return
	}
	places := []int{}
	for c := range r.flight {
		if s.calls[c].kind == callNone {
			places = []int{c}
			break
		}
		places = append(places, c)
	}
	named := r.named(&s)
	fresh := uint8(bits.TrailingZeros16(^named>>1) + 1)
	for _, c := range places {
		put := func(kind, attempt uint8) {
			t := s
			t.ops++
			t.calls[c] = call{kind: kind, attempt: attempt, view: s.now}
			t.content = t.content || kind == callContent
			for i := range r.honest {
				if t.w[i].live {
					yield(r.load(t, c, i))
				}
			}
		}
		for a := uint8(1); a <= 14; a++ {
			if named>>a&1 == 1 || a == fresh {
				put(callEvaluate, a)
			}
		}
		if r.status {
			put(callStatus, 0)
		}
		if r.content && !s.content {
			put(callContent, 0)
		}
		if s.release != 0 {
			put(callRelease, 0)
		}
	}
}

// named are the attempts that marks and calls name, and the owner's.
func (r *scheduler) named(s *world) (named uint16) {
	for i := range r.honest {
		named |= 1 << s.w[i].mark.last()
	}
	for _, c := range s.calls {
		named |= 1<<c.attempt | 1<<c.mark.last()
	}
	if r.owner {
		named |= 1 << 1
	}
	return named &^ 1
}

func (s small) last() uint8 { return uint8(s >> 22 & 15) }

// rename gives the attempts that are named the lowest numbers, in the order in
// which they are met; the owner's stays 1.
func (r *scheduler) rename(s *world) {
	var names [16]uint8
	next := uint8(1)
	if r.owner {
		names[1], next = 1, 2
	}
	name := func(a uint8) uint8 {
		if a != 0 && names[a] == 0 {
			names[a] = next
			next++
		}
		return names[a]
	}
	mark := func(m small) small { return m&^(15<<22) | small(name(m.last()))<<22 }
	for i := range r.honest {
		s.w[i].mark = mark(s.w[i].mark)
	}
	for c := range s.calls {
		o := &s.calls[c]
		o.mark, o.attempt = mark(o.mark), name(o.attempt)
	}
	var answered uint16
	for a := range uint8(16) {
		switch {
		case s.answered>>a&1 == 0:
		case names[a] != 0:
			answered |= 1 << names[a]
		default:
			s.gone++
		}
	}
	s.answered = answered
}

// over clears calls that can change nothing any more.
func (r *scheduler) over(s *world) {
	for c := range s.calls {
		o := &s.calls[c]
		if !o.sending || r.noViews || r.votesZero || r.sparse {
			continue
		}
		open := false
		for i := range r.honest {
			if o.sent>>i&1 == 0 && r.accepts(s, o, i) {
				open = true
			}
		}
		if !open {
			*o = call{}
		}
	}
}

func (r *scheduler) load(s world, c, i int) world {
	o := &s.calls[c]
	o.loads |= 1 << i
	if o.mark == 0 {
		o.mark = s.w[i].mark
	} else {
		o.mark = r.join(o.mark, s.w[i].mark)
	}
	if bits.OnesCount8(o.loads) == r.r {
		o.sending, o.loads = true, 0
		r.apply(&s, o)
	}
	return s
}

// apply is section 6 of the design, as far as the count goes.
func (r *scheduler) apply(s *world, o *call) {
	m := o.mark.mark()
	if m.Gen == 0 { // no mark, and a record: the future (section 6, step 3)
		if !r.sparse {
			*o = call{}
			return
		}
		m = Mark{Gen: 1, Ver: 1} // any record is believed, so the first one
	}
	attempt := [16]byte{o.attempt}
	switch {
	case m.State != StateActive:
	case o.kind == callEvaluate && m.Last == attempt: // free
		o.answers = true
	case o.kind == callEvaluate && int(m.Used()) >= r.limit:
		m.State = StateLocked
	case o.kind == callEvaluate:
		m.Charges++
		m.Last = attempt
		o.answers = true
	case o.kind == callContent:
		m.Gen++
		m.Redo = [16]byte{1}
	case o.kind == callRelease && m.Last[0] == 1 && m.Closed < m.Charges && (r.unboundNonce || m.Charges == uint32(s.release)):
		m.Base = m.Charges
	}
	m.Ver++
	o.mark = pack(m)
}

// accepts is what a witness says to a write.
func (r *scheduler) accepts(s *world, o *call, i int) bool {
	w := &s.w[i]
	return (r.noViews || r.admitted[(int(w.known)*most+i)*256+int(o.view)]) && r.covers(o.mark, w.mark)
}

// send lets a witness accept a write. One that refuses changes nothing.
func (r *scheduler) send(s world, c, i int) world {
	o, w := &s.calls[c], &s.w[i]
	o.sent |= 1 << i
	w.mark = o.mark
	o.acks |= 1 << i
	if bits.OnesCount8(o.acks) >= r.q && o.answers {
		o.answers = false
		s.answered |= 1 << o.attempt
		if r.owner && o.attempt == 1 {
			s.nonces |= 1 << o.mark.mark().Charges
		}
	}
	if o.sent == 1<<r.honest-1 {
		*o = call{}
	}
	return s
}

func (r *scheduler) restart(s world, i int) world {
	s.restarts++
	s.now = s.now.with(i, s.now.of(i)+1)
	s.w[i] = modelWitness{known: lives(0).with(i, s.now.of(i)), live: r.votesZero}
	for j := range r.honest { // who was joining from its old life begins anew
		if !s.w[j].live {
			s.w[j].from &^= 1 << i
		}
	}
	return s
}

// rejoin is one answer to i's announcement: j records first, then tells.
func (r *scheduler) rejoin(s world, i, j int) world {
	s.w[j].known = s.w[j].known.with(i, s.now.of(i))
	w := &s.w[i]
	if w.from == 0 && w.mark == 0 {
		w.mark = s.w[j].mark
	} else {
		w.mark = r.join(w.mark, s.w[j].mark)
	}
	w.known = w.known.join(s.w[j].known)
	w.from |= 1 << j
	if bits.OnesCount8(w.from) >= r.r {
		w.live, w.from = true, 0
	}
	return s
}

// score is how many attempts were answered.
func score(s world) int { return bits.OnesCount16(s.answered) + int(s.gone) }

// hopeless reports whether no more can be answered than the bound, however it
// goes on: each call that is in flight or still to come answers one at most.
func (r *scheduler) hopeless(s *world) bool {
	if score(*s) == r.bound {
		r.reached = true
	}
	hope := score(*s) + r.ops - int(s.ops)
	for _, c := range s.calls {
		if c.kind == callEvaluate && (!c.sending || c.answers) {
			hope++
		}
	}
	return hope <= r.bound
}

// canonical puts the calls and the witnesses in an order, since which is which
// does not matter.
func (r *scheduler) canonical(s world) world {
	if a, b := &s.calls[0], &s.calls[1]; b.kind != callNone && (a.kind == callNone || b.less(a)) {
		*a, *b = *b, *a
	}
	type place struct {
		key uint64
		i   int
	}
	var places [most]place
	for i := range r.honest {
		w := &s.w[i]
		key := uint64(w.mark)
		for _, c := range s.calls {
			key = key<<3 | uint64(c.loads>>i&1)<<2 | uint64(c.sent>>i&1)<<1 | uint64(c.acks>>i&1)
		}
		key = key<<2 | uint64(s.now.of(i))
		for _, c := range s.calls {
			key = key<<2 | uint64(c.view.of(i))
		}
		key = key<<4 | uint64(bits.OnesCount8(w.from))
		if w.live {
			key |= 1 << 3
		}
		places[i] = place{key, i}
	}
	slices.SortStableFunc(places[:r.honest], func(a, b place) int {
		switch {
		case a.key < b.key:
			return -1
		case a.key > b.key:
			return 1
		}
		return 0
	})
	sorted := true
	for i := range r.honest {
		sorted = sorted && places[i].i == i
	}
	if sorted {
		return s
	}
	mask := func(m uint8) (n uint8) {
		for i := range r.honest {
			n |= m >> places[i].i & 1 << i
		}
		return n
	}
	incs := func(l lives) (n lives) {
		for i := range r.honest {
			n = n.with(i, l.of(places[i].i))
		}
		return n
	}
	t := s
	for i := range r.honest {
		t.w[i] = s.w[places[i].i]
		t.w[i].from, t.w[i].known = mask(t.w[i].from), incs(t.w[i].known)
	}
	for c := range t.calls {
		o := &t.calls[c]
		o.loads, o.sent, o.acks, o.view = mask(o.loads), mask(o.sent), mask(o.acks), incs(o.view)
	}
	t.now = incs(s.now)
	return t
}

func (c *call) less(d *call) bool {
	a := uint64(c.mark)<<32 | uint64(c.kind)<<24 | uint64(c.attempt)<<16 | uint64(bits.OnesCount8(c.sent))<<8 | uint64(bits.OnesCount8(c.acks))<<4 | uint64(bits.OnesCount8(c.loads))
	b := uint64(d.mark)<<32 | uint64(d.kind)<<24 | uint64(d.attempt)<<16 | uint64(bits.OnesCount8(d.sent))<<8 | uint64(bits.OnesCount8(d.acks))<<4 | uint64(bits.OnesCount8(d.loads))
	return a < b
}
