package client_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/client"
)

// TestMove: account, keys and history move, and both phones say so.
func TestMove(t *testing.T) {
	for name, files := range map[string]map[string]string{"a history": aHistory(), "none": nil, "an empty file": {"e": ""}} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, files)
			n, c := p.run(t.Context())
			p.complete(n, c)
			if got := p.c.said(); got != "peer number matched confirmed sealed committed signed_out" {
				t.Errorf("old: %s", got)
			}
			want := "offer claimed number_wanted matched confirmed "
			if name == "a history" {
				want += "quarantined "
			}
			if got := p.n.said(); got != want+"sealed committed" {
				t.Errorf("new: %s", got)
			}
			if p.c.events[1].Peer == nil || p.c.events[1].Peer.Proximity != "lan" {
				t.Errorf("%+v", p.c.events[1].Peer)
			}
			// The same again says the same, and does nothing.
			n, c = p.run(t.Context())
			p.complete(n, c)
			st, err := p.c.start().MoveStatus(t.Context(), moving(p.c))
			if err != nil || st.State != "acked" || st.Role != client.RoleSender || st.Reachable != true || st.RecallUntil.IsZero() {
				t.Errorf("%+v, %v", st, err)
			}
		})
	}
}

func moving(h *handset) *client.Moving {
	m := h.moving()
	return &m
}

// TestResumeBothSides: both phones are stopped again and again, at any of their
// calls, before it or after it; the same commands again finish the move.
func TestResumeBothSides(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			p := newPair(t, aHistory())
			if seed%3 == 0 {
				p.relay.held = 300 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			var n, c outcome
			var wg sync.WaitGroup
			wg.Go(func() { n = p.n.killed(ctx, 7, rand.New(rand.NewPCG(seed, 1)), p.receive) })
			wg.Go(func() { c = p.c.killed(ctx, 7, rand.New(rand.NewPCG(seed, 2)), p.send) })
			wg.Wait()
			p.complete(n, c)
			for first, times := range p.relay.puts {
				if times > 1 {
					t.Errorf("the segment at record %d was stored %d times", first, times)
				}
			}
			if !strings.Contains(p.c.said(), "resumed") || !strings.Contains(p.n.said(), "resumed") {
				t.Errorf("old: %s\nnew: %s", p.c.said(), p.n.said())
			}
		})
	}
}
