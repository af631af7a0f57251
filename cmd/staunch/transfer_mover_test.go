package main

import (
	"fmt"
	"slices"
	"testing"
)

// mover is a person with two phones who runs each command again until it gives
// an answer.
type mover struct {
	*testing.T
	url, old, fresh, items string

	receive, send *window // nil: not started yet
	uri, number   string  // as shown last
	typed         *window // the receive that was told the number
	runs          int
	past          []string // outputs of runs that were cut off
}

// window is a command that runs; nil: it does not.
func (m *mover) window(who string) *window {
	w := map[string]*window{"sender": m.send, "receiver": m.receive}[who]
	if w == nil {
		return nil
	}
	select {
	case <-w.end:
		return nil
	default:
		return w
	}
}

// again are the exit codes after which a command is run again: it was killed, or
// interrupted, or the server was away.
func again(code int) bool { return code == -1 || code == phoneUnreachable }

// turn does what is to be done now. It reports whether both phones know how the
// move has ended.
func (m *mover) turn() bool {
	if m.needs(m.receive) {
		m.receive = m.run("receive", "--server", m.url, "--home", m.fresh)
		return false
	}
	if e, ok := latest(m.receive, "offer"); ok {
		m.uri = e["uri"].(string)
	}
	if m.uri == "" {
		return m.ended(m.receive)
	}
	if m.needs(m.send) {
		m.send = m.run("send", "--home", m.old, "--yes", "--history", m.items, "--scan", m.uri)
		return false
	}
	if e, ok := latest(m.send, "number"); ok {
		m.number = e["number"].(string)
	}
	if _, wanted := latest(m.receive, "number_wanted"); wanted && m.number != "" && m.typed != m.receive {
		m.typed = m.receive
		fmt.Fprintln(m.receive.in, m.number)
	}
	return m.ended(m.receive) && m.ended(m.send)
}

// needs reports whether a command is to be run, for the first time or again.
func (m *mover) needs(w *window) bool {
	return w == nil || m.ended(w) && again(w.code())
}

func (*mover) ended(w *window) bool {
	select {
	case <-w.end:
		return true
	default:
		return false
	}
}

func (m *mover) run(args ...string) *window {
	m.Helper()
	for _, w := range []*window{m.receive, m.send} {
		if w != nil && m.ended(w) {
			m.past = append(m.past, fmt.Sprintf("exit %d\n%s%s", w.code(), w.text(), w.err.String()))
		}
	}
	m.runs++
	w, err := openWindow(nil, args...)
	if err != nil {
		m.Fatal(err)
	}
	return w
}

// outcome is how it ended: "complete", or the reason that both phones give.
func (m *mover) outcome() string {
	a, b := m.receive.code(), m.send.code()
	if a == 0 && b == 0 {
		return "complete"
	}
	why, other := m.receive.last()["reason"], m.send.last()["reason"]
	if a != b || why != other || why == nil || !slices.Contains([]int{phoneRefused, phoneFull}, a) {
		m.Errorf("the phones do not agree: %d %v, %d %v\n%s", a, why, b, other, m)
	}
	return fmt.Sprint(why)
}

// String is what both commands have said.
func (m *mover) String() string {
	text := ""
	for _, p := range m.past[max(0, len(m.past)-4):] {
		text += "before: " + p + "\n"
	}
	for name, w := range map[string]*window{"receive": m.receive, "send": m.send} {
		if w != nil {
			text += name + ":\n" + w.text()
			if m.ended(w) {
				text += w.err.String()
			}
		}
	}
	return text
}

// close ends what still runs.
func (m *mover) close() {
	for _, w := range []*window{m.receive, m.send} {
		if w != nil {
			w.kill()
		}
	}
}

// latest is the last event of a name.
func latest(w *window, event string) (map[string]any, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range slices.Backward(w.seen) {
		if e["event"] == event {
			return e, true
		}
	}
	return nil, false
}
