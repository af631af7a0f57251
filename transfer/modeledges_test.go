package transfer

import (
	"fmt"
	"strings"
	"time"

	"github.com/staunchid/staunch/transfer/handover"
)

// search visits all that can be reached, and notes what must not be.
func (m *model) search() {
	start := node{s: Claimed, cIn: true, c: cUsing, n: nWaiting}
	m.seen[start] = step{}
	m.order = []node{start}
	for i := 0; i < len(m.order); i++ {
		n := m.order[i]
		m.invariants(n)
		edges := m.out(n)
		m.next[n] = edges
		for _, e := range edges {
			m.edges++
			if e.server && e.to != n && ended(n.s) {
				m.violated("I7", n, "then "+e.label)
			}
			if _, there := m.seen[e.to]; !there {
				m.seen[e.to] = step{n, e.label}
				m.order = append(m.order, e.to)
			}
		}
	}
	m.alive()
}

func ended(s State) bool { return s == Final || s == Recalled || s == Aborted }

func moved(s State) bool { return s == Committed || s == Acked || s == Final }

// invariants are I1 to I6.
func (m *model) invariants(n node) {
	switch {
	case n.cIn == n.nIn, n.cIn && n.c == cWiped, n.nIn && n.n == nGone:
		m.violated("I1", n, "exactly one phone is in charge, and has not wiped")
	case n.opened && !moved(n.s) && n.s != Recalled:
		m.violated("I2", n, "N opened the keys before the commit")
	case n.c == cWiped && n.s != Final, n.s == Final && !n.opened:
		m.violated("I3", n, "C wipes in FINAL alone, and in FINAL N has opened the keys")
	case n.c == cLocked && !moved(n.s) && n.s != Recalled:
		m.violated("I4", n, "C locked before the commit")
	case moved(n.s) && n.verified != both:
		m.violated("I5", n, "committed without all segments")
	case n.verified != 0 && !n.over:
		m.violated("I6", n, "N opened a segment while the hold was on")
	}
}

// alive is L: without further deaths, a state is reachable where a living phone is in
// charge and has the keys. Who died when nobody else had them is the recovery's.
func (m *model) alive() {
	good := map[node]bool{}
	for _, n := range m.order {
		good[n] = n.cIn && n.c == cUsing || n.nIn && n.n == nOpened
	}
	for changed := true; changed; {
		changed = false
		for _, n := range m.order {
			if good[n] {
				continue
			}
			for _, e := range m.next[n] {
				if !e.death && good[e.to] {
					good[n], changed = true, true
					break
				}
			}
		}
	}
	for _, n := range m.order {
		lost := n.c == cDead && n.cIn || n.n == nDead && n.s == Final || n.c == cDead && n.n == nDead
		if !good[n] && !lost {
			m.violated("L", n, "nobody will have the account and its keys again")
		}
	}
}

// violated notes a violation, and how it came to it.
func (m *model) violated(which string, n node, text string) {
	var path []string
	for at := n; m.seen[at].label != ""; at = m.seen[at].from {
		path = append([]string{m.seen[at].label}, path...)
	}
	m.bad = append(m.bad, fmt.Sprintf("%s %s: %s, after: %s", which, text, n, strings.Join(path, "; ")))
}

// out gives the edges out of a node.
func (m *model) out(n node) (all []edge) {
	add := func(label string, to node) { all = append(all, edge{label: label, to: to}) }
	// S does something, if its rules allow it.
	server := func(label string, rule func(*Transfer) error, then func(*node)) {
		t := m.row(n)
		t.settle(&m.terms.Policy, zero)
		if rule(&t) != nil {
			return
		}
		to := n
		to.s = t.State
		to.over = to.over || t.State == Streaming
		if then != nil {
			then(&to)
		}
		all = append(all, edge{label: label, to: to, server: true})
	}
	m.serverEdges(n, server)
	m.oldEdges(n, add)
	m.newEdges(n, add)
	m.wrongEdges(n, add, server)
	if n.c != cDead {
		to := n
		to.c = cDead
		all = append(all, edge{label: "C dies", to: to, death: true})
	}
	if n.n != nDead {
		to := n
		to.n = nDead
		all = append(all, edge{label: "N dies", to: to, death: true})
	}
	return all
}

func (n node) cAlive() bool { return n.c != cDead && n.c != cWiped }
func (n node) nAlive() bool { return n.n != nDead && n.n != nGone }

func (m *model) serverEdges(n node, server func(string, func(*Transfer) error, func(*node))) {
	toN := func(to *node) { to.cIn, to.nIn = false, true }
	toC := func(to *node) { to.cIn, to.nIn = true, false }
	if n.cAlive() {
		server("confirm in class lan", m.confirm(handover.ClassLAN), nil)
		server("confirm in class none", m.confirm(handover.ClassNone), nil)
		server("cancel by C", func(t *Transfer) error { return t.cancel(Sender, UserCancelled, zero) }, nil)
		for i := range 2 {
			bit := uint8(1 << i)
			if n.have&bit == 0 && n.c == cUsing {
				server(fmt.Sprint("PUT ", i), func(t *Transfer) error { return t.sends(1) }, func(to *node) { to.have |= bit })
			}
		}
	}
	server("the hold is over", func(t *Transfer) error {
		if t.State != Held {
			return errNothing
		}
		return m.until(func(t *Transfer) time.Time { return t.Opens })(t)
	}, nil)
	server("the limit is over", m.until(func(t *Transfer) time.Time { return t.Deadline }), nil)
	server("the window is over", m.until(func(t *Transfer) time.Time { return t.RecallUntil }), nil)
	if n.c == cFrozen {
		server("seal", m.grant(n.have), nil)
	}
	if n.n == nReceipt && m.bug != "revoke and add in two transactions" {
		server("commit", m.commit, toN)
	}
	if n.nAlive() {
		server("cancel by N", func(t *Transfer) error { return t.cancel(Receiver, UserCancelled, zero) }, nil)
	}
	if n.n == nOpened {
		server("acknowledge", m.ack, nil)
	}
	if n.c == cLocked {
		server("finalize", m.finish, nil)
		if m.bug != "no recall after the acknowledgement" || n.s != Acked {
			server("recall", m.recall, toC)
		}
	}
	if m.bug != "no recall after the acknowledgement" || n.s != Acked {
		server("veto", func(t *Transfer) error {
			if !t.lost("new", zero) {
				return errNothing
			}
			return nil
		}, toC)
	}
}

// oldEdges are what C does by itself, and what it learns.
func (m *model) oldEdges(n node, add func(string, node)) {
	t := m.row(n)
	seen := func(step handover.Step) bool {
		for _, e := range t.view(Sender, 0, zero).Envelopes {
			if e.Step == step {
				return true
			}
		}
		return false
	}
	to := n
	switch n.c {
	case cUsing, cFrozen:
		switch {
		case n.c == cUsing && n.s == Streaming && n.have == both:
			to.c = cFrozen
			add("C stores its grant", to)
		case n.c == cFrozen && n.s == Aborted:
			to.c = cUsing
			add("C learns ABORTED and thaws", to)
		case n.c == cFrozen && n.s == Recalled: // by a veto, before it knew of the commit
			to.c = cUsing
			add("C learns RECALLED and thaws", to)
		case n.c == cFrozen && moved(n.s) && seen(handover.StepReceipt):
			to.c = cLocked
			add("C verifies the receipt and signs itself out", to)
		}
	case cLocked:
		switch {
		case n.s == Recalled:
			to.c = cUsing
			add("C learns RECALLED", to)
		case n.s == Final && seen(handover.StepAck):
			to.c = cWiped
			add("C learns FINAL and wipes", to)
		}
	}
}

// newEdges are what N does by itself, and what it learns.
func (m *model) newEdges(n node, add func(string, node)) {
	if !n.nAlive() {
		return
	}
	t := m.row(n)
	v := t.view(Receiver, 0, zero)
	for i := range 2 {
		bit := uint8(1 << i)
		if n.n == nWaiting && n.have&bit != 0 && n.cipher&bit == 0 && t.fetches(1) == nil {
			to := n
			to.cipher |= bit
			add(fmt.Sprint("N has fetched ", i), to)
		}
		next := n.cipher&bit != 0 && n.verified == bit-1 // in order
		if n.n == nWaiting && next && (v.HoldShare != nil || n.verified != 0 || m.bug == "N opens segments while held") {
			to := n
			to.verified |= bit
			add(fmt.Sprint("N has verified ", i), to)
		}
	}
	to := n
	switch {
	case n.n == nWaiting && n.verified == both && v.Sealed != nil:
		to.n = nReceipt
		add("N verifies the grant and stores its receipt", to)
	case n.n == nReceipt && v.CommitShare != nil:
		to.n, to.opened = nOpened, true
		add("N opens the keys", to)
	case n.s == Aborted && n.n != nOpened, n.s == Recalled:
		to.n = nGone
		add("N learns "+string(n.s)+" and clears what it has", to)
	}
}

// wrongEdges are what a mistake adds.
func (m *model) wrongEdges(n node, add func(string, node), server func(string, func(*Transfer) error, func(*node))) {
	to := n
	switch m.bug {
	case "C signs out when its upload is done":
		if n.c == cUsing && n.have == both {
			to.c = cLocked
			add("C signs itself out", to)
		}
	case "N opens when all is staged":
		if n.n == nWaiting && n.verified == both {
			to.n, to.opened = nOpened, true
			add("N opens what it has", to)
		}
	case "the commit share is given at the seal":
		if n.s == Sealed && n.n == nReceipt {
			to.n, to.opened = nOpened, true
			add("N opens the keys", to)
		}
	case "commit without a receipt":
		if n.n == nWaiting {
			server("commit", m.commit, func(to *node) { to.cIn, to.nIn = false, true })
		}
	case "revoke and add in two transactions":
		if n.n == nReceipt && n.cIn {
			server("revoke", m.commit, func(to *node) { to.s, to.cIn = Sealed, false })
		}
		if n.n == nReceipt && !n.cIn {
			server("add", m.commit, func(to *node) { to.nIn = true })
		}
	case "C wipes without an acknowledgement":
		if n.c == cLocked && moved(n.s) {
			to.c = cWiped
			add("C wipes", to)
		}
	case "final from committed by time":
		if n.s == Committed {
			server("time", func(t *Transfer) error { t.end(Final, zero); return nil }, nil)
		}
	case "recall after final":
		if n.c == cLocked && n.s == Final {
			server("recall", func(t *Transfer) error { t.end(Recalled, zero); return nil }, func(to *node) { to.cIn, to.nIn = true, false })
		}
	}
}
