package stream

import (
	"container/heap"
	"math/rand/v2"
	"time"
)

// The back-off of a key.
const (
	firstWait = 100 * time.Millisecond
	lastWait  = 60 * time.Second
)

// Backoff is how long to wait after so many failures in a row: 100 ms, doubling
// to 60 s, each 20 % more or less, so that the keys of an outage spread out.
func Backoff(failures int) time.Duration {
	d := lastWait
	if n := max(failures, 1) - 1; n < 10 { // 2^10 times 100 ms is above the last
		d = min(firstWait<<n, lastWait)
	}
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}

// dueHeap has the lanes that wait, the earliest first.
type dueHeap[P any] struct{ lanes laneHeap[P] }

func (h *dueHeap[P]) push(l *lane[P]) { heap.Push(&h.lanes, l) }

func (h *dueHeap[P]) remove(l *lane[P]) {
	if l.index >= 0 {
		heap.Remove(&h.lanes, l.index)
	}
}

// pop takes the first lane that is due, or says when the next one is; zero: there
// is none.
func (h *dueHeap[P]) pop(now time.Time) (l *lane[P], next time.Time) {
	switch {
	case len(h.lanes) == 0:
		return nil, time.Time{}
	case h.lanes[0].due.After(now):
		return nil, h.lanes[0].due
	}
	return heap.Pop(&h.lanes).(*lane[P]), time.Time{}
}

type laneHeap[P any] []*lane[P]

func (h laneHeap[P]) Len() int           { return len(h) }
func (h laneHeap[P]) Less(i, j int) bool { return h[i].due.Before(h[j].due) }
func (h laneHeap[P]) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *laneHeap[P]) Push(x any) {
	l := x.(*lane[P])
	l.index = len(*h)
	*h = append(*h, l)
}

func (h *laneHeap[P]) Pop() any {
	old := *h
	l := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	l.index = -1
	return l
}
