package load

import (
	"slices"
	"strings"
	"time"
)

// Report is what became of a run.
type Report struct {
	Phones      int     `json:"phones"`     // that were to be registered
	Registered  int     `json:"registered"` // that were answered
	Interrupted bool    `json:"interrupted"`
	Seconds     float64 `json:"seconds"` // all of it

	// Requests are calls of VerifyRequest, and RequestsPerSecond is how many
	// there were in a second of the time in which phones sent requests.
	Requests          int64   `json:"requests"`
	RequestsPerSecond float64 `json:"requests_per_second"`

	Calls     []Call     `json:"calls"`
	Rows      []Row      `json:"rows"`
	Surprises []Surprise `json:"surprises"` // most frequent first
	Errors    []Error    `json:"errors"`    // calls without an answer; most frequent first
}

// Call says how long calls of one kind took.
type Call struct {
	Name  string  `json:"name"`
	Calls int64   `json:"calls"`
	P50   float64 `json:"p50_ms"`
	P90   float64 `json:"p90_ms"`
	P99   float64 `json:"p99_ms"`
	Max   float64 `json:"max_ms"`
}

// Row says what was answered to one kind of phones when they did one thing.
type Row struct {
	Kind      Kind             `json:"kind"`
	Action    string           `json:"action"`
	Code      string           `json:"code"` // that must, or may, refuse it; empty: none may
	Answers   int64            `json:"answers"`
	Accepted  int64            `json:"accepted"` // by the verdict
	Refused   int64            `json:"refused"`
	Observed  int64            `json:"observed"` // of Refused: let pass by a stage that only observes
	Excepted  int64            `json:"excepted"` // with the use of an exception
	Surprises int64            `json:"surprises"`
	Codes     map[string]int64 `json:"codes"` // that refused
}

// Surprise is an answer that should have been another.
type Surprise struct {
	Kind   Kind   `json:"kind"`
	Action string `json:"action"`
	What   string `json:"what"`
	Count  int64  `json:"count"`
}

// Error is a way in which calls failed.
type Error struct {
	Text  string `json:"text"`
	Count int64  `json:"count"`
}

// Good reports whether there were neither surprises nor errors.
func (r *Report) Good() bool { return len(r.Surprises) == 0 && len(r.Errors) == 0 }

func (t *tally) report(*Options) *Report {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	out := &Report{
		Phones: t.phones, Registered: t.made, Seconds: now.Sub(t.begin).Seconds(), Rows: t.sorted(),
		Calls: []Call{}, Surprises: []Surprise{}, Errors: []Error{},
	}
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	for _, name := range []string{callChallenge, callRegister, callRequest} {
		if l := t.calls[name]; l != nil {
			out.Calls = append(out.Calls, Call{name, l.n, ms(l.quantile(.5)), ms(l.quantile(.9)), ms(l.quantile(.99)), ms(l.max)})
		}
	}
	if l := t.calls[callRequest]; l != nil {
		out.Requests = l.n
		out.RequestsPerSecond = float64(l.n) / now.Sub(t.phases[phaseRequest]).Seconds()
	}
	for s, n := range t.wrong {
		s.Count = n
		out.Surprises = append(out.Surprises, s)
	}
	slices.SortFunc(out.Surprises, func(a, b Surprise) int {
		if a.Count != b.Count {
			return int(b.Count - a.Count)
		}
		return strings.Compare(a.Action+a.What, b.Action+b.What)
	})
	for text, n := range t.errors {
		out.Errors = append(out.Errors, Error{text, n})
	}
	slices.SortFunc(out.Errors, func(a, b Error) int {
		if a.Count != b.Count {
			return int(b.Count - a.Count)
		}
		return strings.Compare(a.Text, b.Text)
	})
	return out
}
