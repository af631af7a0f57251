package load

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"connectrpc.com/connect"
)

// The calls whose times are measured.
const (
	callChallenge = "CreateChallenge"
	callRegister  = "Register"
	callRequest   = "VerifyRequest"
)

// The phases of a run.
const (
	phaseRegister = "register"
	phaseRequest  = "request"
)

// tally counts what happens.
type tally struct {
	mu      sync.Mutex
	begin   time.Time
	phases  map[string]time.Time // when they began
	current string
	phones  int
	made    int // phones that have had their first answer

	calls    map[string]*latencies
	recent   latencies // since the last progress
	recentAt time.Time
	errors   map[string]int64
	failing  map[string]int // calls in a row that failed, by name
	rows     map[[2]string]*Row
	wrong    map[Surprise]int64
	goods    map[[2]string]*goods // by platform and call
}

// goods are the answers to those who must be accepted.
type goods struct {
	accepted int64
	refused  map[string]int64 // by code
}

func newTally(phones int) *tally {
	return &tally{
		begin: time.Now(), recentAt: time.Now(), phones: phones, phases: map[string]time.Time{}, calls: map[string]*latencies{},
		errors: map[string]int64{}, failing: map[string]int{}, rows: map[[2]string]*Row{}, wrong: map[Surprise]int64{}, goods: map[[2]string]*goods{},
	}
}

func (t *tally) phase(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.phases[name], t.current = time.Now(), name
	t.recent, t.recentAt = latencies{}, time.Now()
}

// registered counts a phone that was answered, whatever the answer.
func (t *tally) registered() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.made++
}

// mostFailing is how many calls of one name in a row may fail before a run ends.
const mostFailing = 100

// called counts a call that has ended. One that was cut off by the end of the
// run is none.
func (r *run) called(ctx context.Context, name string, begin time.Time, err error) {
	t, d := r.tally, time.Since(begin)
	if err != nil && ctx.Err() != nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.failing[name]++
		text := connect.CodeOf(err).String() + ": " + strings.TrimPrefix(err.Error(), connect.CodeOf(err).String()+": ")
		if len(text) > 160 {
			text = text[:160] + "..."
		}
		if _, known := t.errors[text]; !known && len(t.errors) >= 20 {
			text = "other errors"
		}
		t.errors[text]++
		if t.failing[name] >= mostFailing {
			r.stop(explain(err))
		}
		return
	}
	t.failing[name] = 0
	l := t.calls[name]
	if l == nil {
		l = &latencies{}
		t.calls[name] = l
	}
	l.add(d)
	t.recent.add(d)
}

// mostRefused is how many good phones may be refused for one reason, before any
// is accepted, until a run ends.
const mostRefused = 10

// judge holds an answer against what it should be, and counts both.
func (r *run) judge(p *phone, call, action string, want expect, a *answer) {
	t := r.tally
	t.mu.Lock()
	defer t.mu.Unlock()
	row := t.rows[[2]string{string(p.kind), action}]
	if row == nil {
		row = &Row{Kind: p.kind, Action: action, Code: want.code, Codes: map[string]int64{}}
		t.rows[[2]string{string(p.kind), action}] = row
	}
	row.Answers++
	switch {
	case a.accepted:
		row.Accepted++
	default:
		row.Refused++
		if a.allowed {
			row.Observed++
		}
		for _, code := range a.codes {
			row.Codes[code]++
		}
	}
	if a.excepted {
		row.Excepted++
	}
	if what := want.surprise(a); what != "" {
		row.Surprises++
		s := Surprise{Kind: p.kind, Action: action, What: what}
		if _, known := t.wrong[s]; known || len(t.wrong) < 100 {
			t.wrong[s]++
		}
	}
	if want.accept && !want.either {
		t.judgeGood(r, p.model.platform, call, a)
	}
}

// judgeGood ends the run if no good phone of a platform is accepted.
func (t *tally) judgeGood(r *run, platform, call string, a *answer) {
	g := t.goods[[2]string{platform, call}]
	if g == nil {
		g = &goods{refused: map[string]int64{}}
		t.goods[[2]string{platform, call}] = g
	}
	if a.accepted {
		g.accepted++
		return
	}
	for _, code := range a.codes {
		if g.refused[code]++; g.accepted == 0 && g.refused[code] >= min(mostRefused, int64(t.phones)) {
			r.stop(refusal(platform, call, code, a.detail))
			return
		}
	}
}

// Progress is how far a run is.
type Progress struct {
	Phase      string // "register" or "request"
	Phones     int
	Registered int           // phones that were answered
	Answers    int64         // all calls so far
	PerSecond  float64       // calls, since the last progress
	P50, P99   time.Duration // of them
	Errors     int64
	Surprises  int64
	Left       time.Duration // until the end, as far as that is known; 0: it is not
}

func (t *tally) progress(o *Options) Progress {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	p := Progress{Phase: t.current, Phones: t.phones, Registered: t.made}
	for _, l := range t.calls {
		p.Answers += l.n
	}
	for _, n := range t.errors {
		p.Errors += n
	}
	for _, r := range t.rows {
		p.Surprises += r.Surprises
	}
	p.PerSecond = float64(t.recent.n) / now.Sub(t.recentAt).Seconds()
	p.P50, p.P99 = t.recent.quantile(.5), t.recent.quantile(.99)
	t.recent, t.recentAt = latencies{}, now
	switch {
	case t.current == phaseRegister && t.made > 0:
		each := now.Sub(t.phases[phaseRegister]) / time.Duration(t.made)
		p.Left = each * time.Duration(t.phones-t.made)
		if !o.RegisterOnly {
			p.Left += o.Duration
		}
	case t.current == phaseRequest && o.Duration > 0:
		p.Left = max(0, time.Until(t.phases[phaseRequest].Add(o.Duration)))
	}
	return p
}

// sorted gives the rows as the phones are, and within a kind registrations
// first.
func (t *tally) sorted() []Row {
	rows := make([]Row, 0, len(t.rows))
	for _, r := range t.rows {
		rows = append(rows, *r)
	}
	order := []Kind{Honest, Deviating, Abusive}
	slices.SortFunc(rows, func(a, b Row) int {
		if d := slices.Index(order, a.Kind) - slices.Index(order, b.Kind); d != 0 {
			return d
		}
		x, y := strings.HasPrefix(a.Action, "register"), strings.HasPrefix(b.Action, "register")
		switch {
		case x && !y:
			return -1
		case y && !x:
			return 1
		}
		return strings.Compare(a.Action, b.Action)
	})
	return rows
}
