package demo

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
)

// Bounds of what the page is told.
const (
	recordsKept  = 4000             // the newest
	recordsFirst = 100              // of what was there before the page was
	recordsMost  = 200              // in one answer
	recordsLate  = 30 * time.Second // how long a transaction may take before its entry is missed
)

// record is one thing that the server has written down. Its id names it for ever:
// chain and number of an audit entry; of a call that was refused, which is counted
// and logged but stands in no chain, its number since the server has started.
type record struct {
	Seq     uint64    `json:"seq"`
	ID      string    `json:"id"`   // "a_…/12", "app/7", "call/31"
	Kind    string    `json:"kind"` // "audit" or "call"
	Time    time.Time `json:"time"`
	Account string    `json:"account"` // empty: nobody's
	Actor   string    `json:"actor"`
	Action  string    `json:"action"`
	Code    string    `json:"code"`
	Subject string    `json:"subject"`
	Left    *int      `json:"left,omitempty"` // attempts at a PIN
	Words   string    `json:"words"`
	Refused bool      `json:"refused"`
	n       uint64    // in its chain
}

// records numbers what the chains of all accounts and the calls have to tell in the
// order in which it is seen.
type records struct {
	server Server
	now    func() time.Time
	run    string // of this server: numbers begin anew with it

	mu     sync.Mutex
	list   []record
	last   uint64 // number of the newest
	known  map[string]bool
	newest time.Time // of the entries that were read
	calls  uint64
	fresh  []record // calls since the last look
}

func newRecords(s Server, now func() time.Time) *records {
	return &records{server: s, now: now, run: strconv.FormatInt(now().UnixNano(), 36), known: map[string]bool{}}
}

// Called notes a call of the API that was refused, by what package rpc observes of
// it: neither body nor token.
func (s *Site) Called(procedure string, app account.AppID, caller account.Kind, code, reason string) {
	if code == "ok" || code == "canceled" || app != "" && app != s.app {
		return
	}
	l := s.records
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls++
	action := procedure[strings.LastIndexByte(procedure, '/')+1:]
	if reason == "" {
		reason = strings.ToUpper(code)
	}
	l.fresh = append(l.fresh, record{
		ID: fmt.Sprintf("call/%d", l.calls), Kind: "call", Time: l.now().UTC(), Actor: string(caller), Action: action, Code: reason,
		Words: "the call " + action + " is refused", Refused: true,
	})
	if len(l.fresh) > recordsKept { // nobody looks
		l.fresh = slices.Delete(l.fresh, 0, len(l.fresh)-recordsKept)
	}
}

// add puts r behind the others. The caller has locked.
func (l *records) add(r record) {
	l.last++
	r.Seq = l.last
	if l.list = append(l.list, r); len(l.list) > 2*recordsKept {
		l.list = append([]record(nil), l.list[len(l.list)-recordsKept:]...)
		l.known = map[string]bool{}
		for _, r := range l.list {
			l.known[r.ID] = true
		}
	}
}

// look reads what the chains have got since the last look. An entry bears the time
// at which its call began, so that one may come after a later one.
func (l *records) look(ctx context.Context) error {
	l.mu.Lock()
	since := l.newest.Add(-recordsLate)
	l.mu.Unlock()
	var fresh []record
	err := l.server.Recorded(ctx, since, func(e audit.Entry) { fresh = append(fresh, recordOf(e)) })
	if err != nil {
		return err
	}
	inOrder(fresh)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.newest.IsZero() && len(fresh) > recordsFirst { // what was long before is not what the page tells of
		for _, r := range fresh[:len(fresh)-recordsFirst] {
			l.known[r.ID] = true
		}
		fresh = fresh[len(fresh)-recordsFirst:]
	}
	told := l.fresh
	l.fresh = nil
	for _, r := range fresh {
		if r.Time.After(l.newest) {
			l.newest = r.Time
		}
		if !l.known[r.ID] {
			l.known[r.ID] = true
			told = append(told, r)
		}
	}
	inOrder(told)
	for _, r := range told {
		l.add(r)
	}
	return nil
}

// after gives the records behind a number, at most recordsMost.
func (l *records) after(n uint64) (out []record, next uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i, _ := slices.BinarySearchFunc(l.list, n+1, func(r record, n uint64) int {
		switch {
		case r.Seq < n:
			return -1
		case r.Seq > n:
			return 1
		}
		return 0
	})
	out = slices.Clone(l.list[i:min(len(l.list), i+recordsMost)])
	if len(out) > 0 {
		return out, out[len(out)-1].Seq
	}
	return []record{}, n
}
