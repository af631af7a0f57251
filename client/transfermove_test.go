package client_test

import (
	"testing"

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
