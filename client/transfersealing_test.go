package client_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/client"
)

// TestMoveWithoutSealingKey: a phone that was enrolled without one moves without one.
func TestMoveWithoutSealingKey(t *testing.T) {
	p := newPair(t, map[string]string{"f": "1"})
	p.relay.sealing = nil
	delete(p.c.keys, "sealing")
	n, c := p.run(t.Context())
	if n.err != nil || c.err != nil {
		t.Fatalf("%v; %v", n.err, c.err)
	}
	p.same()
	if want := sha256.Sum256(nil); c.moved.SealingKeySHA256 != want || n.moved.SealingKeySHA256 != want || p.n.keys["sealing"] != nil || string(p.n.keys["recovery"]) != "state" {
		t.Errorf("%+v, %+v", c.moved, n.moved)
	}
}

// TestMoveWithOtherSealingKey: what the server must refuse at the end is refused before
// anybody is asked, and the phone can begin again.
func TestMoveWithOtherSealingKey(t *testing.T) {
	for name, tt := range map[string]struct {
		known, own []byte
		words      string
	}{
		"the account has none":    {nil, []byte("own"), "enrolled without"},
		"the account has another": {[]byte("known"), []byte("own"), "another one"},
		"the app has none":        {[]byte("known"), nil, "recover it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPair(t, map[string]string{"f": "1"})
			right := p.relay.sealing
			key := p.c.keys["sealing"]
			p.relay.sealing, p.c.keys["sealing"] = tt.known, tt.own
			p.c.ask = func(*client.Peer) (bool, error) { t.Error("the person is asked"); return false, nil }
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			received := make(chan outcome, 1)
			go func() { received <- p.receive(ctx) }()
			c := p.send(ctx)
			if !errors.Is(c.err, client.ErrSealingKey) || !strings.Contains(c.err.Error(), tt.words) || !strings.Contains(c.err.Error(), "sealing.rotate") {
				t.Error(c.err)
			}
			p.relay.mu.Lock()
			claimed := p.relay.c != nil
			p.relay.mu.Unlock()
			if claimed {
				t.Error("the code is claimed")
			}
			p.c.ask, p.relay.sealing, p.c.keys["sealing"] = nil, right, key
			offer(p.c.uri, p.n.code())
			c = p.send(ctx)
			p.complete(<-received, c)
		})
	}
}

// code is the newest that the phone has shown.
func (h *handset) code() (uri string) {
	h.mu2.Lock()
	defer h.mu2.Unlock()
	for _, e := range h.events {
		if e.Event == client.EventOffer {
			uri = e.URI
		}
	}
	return uri
}
