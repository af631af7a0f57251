package demo

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/staunchid/staunch/web/site"
)

// oneCall is how far apart the times of two entries of one call may be.
const oneCall = time.Second

// inOrder puts what is told in the order in which a reader would tell it: by time,
// and what an entry rests on before it. The entries of a call are all written at its
// end, and the pillar that answers last has not always been asked last: an account
// would be made before its phone has shown what it is.
func inOrder(list []record) {
	slices.SortStableFunc(list, func(a, b record) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Account, b.Account), cmp.Compare(a.n, b.n))
	})
	for i := 1; i < len(list); i++ {
		before := &list[i-1]
		if list[i].Action == "attest.register" && rests(before.Action) && list[i].Time.Sub(before.Time) < oneCall {
			list[i-1], list[i] = list[i], list[i-1]
		}
	}
}

// rank is 0 for a consent, which comes before what was consented to in the same call.
func rank(r record) int {
	if r.Action == "approval.confirmed" {
		return 0
	}
	return 1
}

// rests reports whether an action is done for a phone that has just shown what it is.
func rests(action string) bool {
	return action == "account.enrol" || action == "transfer.offered" || action == "recovery.start"
}

// recorded tells the page what is new.
func (c *call) recorded() (any, error) {
	q := c.r.URL.Query()
	var after uint64
	if text := q.Get("after"); text != "" {
		n, err := strconv.ParseUint(text, 10, 63)
		if err != nil {
			return nil, fmt.Errorf("%w: after: %q is no number", site.ErrRequest, text)
		}
		after = n
	}
	if run := q.Get("run"); run != c.records.run { // numbers of another server
		after = 0
	}
	if err := c.records.look(c.r.Context()); err != nil {
		return nil, err
	}
	list, next := c.records.after(after)
	return struct {
		Run     string   `json:"run"`
		Next    uint64   `json:"next"`
		Records []record `json:"records"`
	}{c.records.run, next, list}, nil
}
