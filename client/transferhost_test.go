package client_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/staunchid/staunch/client"
)

// TestOtherServer: who runs the server of one phone does not name the other's. The
// phones of these tests ask 127.0.0.1.
func TestOtherServer(t *testing.T) {
	for _, tt := range []struct {
		name     string
		audience string
		hosts    []string
		ok       bool
	}{
		{"its own", "demo@127.0.0.1", nil, true},
		{"this machine by another name", "demo@localhost", nil, true},
		{"somebody else's", "demo@accounts.example.org", nil, false},
		{"one that the app knows", "demo@accounts.example.org", []string{"www.example.org", "Accounts.example.org"}, true},
		{"one below it", "demo@accounts.example.org.example.net", []string{"accounts.example.org"}, false},
		{"none", "demo@", nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPair(t, nil)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			p.relay.audience, p.n.hosts, p.c.hosts = tt.audience, tt.hosts, tt.hosts
			if tt.ok {
				if n, c := p.run(ctx); n.err != nil || c.err != nil {
					t.Errorf("%v; %v", n.err, c.err)
				}
				return
			}
			if _, err := p.n.receive(ctx); !errors.Is(err, client.ErrMoveCheck) {
				t.Error("the new phone:", err)
			}
			p.relay.audience = "demo@localhost"
			go p.receive(ctx)
			select {
			case uri := <-p.c.uri:
				offer(p.c.uri, uri)
			case <-ctx.Done():
				t.Fatal("the new phone shows no code")
			}
			p.relay.mu.Lock()
			p.relay.audience = tt.audience
			p.relay.mu.Unlock()
			if c := p.send(ctx); !errors.Is(c.err, client.ErrMoveCheck) {
				t.Error("the current phone:", c.err)
			}
		})
	}
}

func TestHostsOfAPhone(t *testing.T) {
	for _, host := range []string{"", "https://accounts.example.org", "accounts.example.org:443", "demo@accounts.example.org"} {
		o := &client.PhoneOptions{
			URL: "https://accounts.example.org", Hosts: []string{host}, Passkeys: &hand{}, Keep: func(context.Context, client.PhoneState) error { return nil },
		}
		if _, err := client.NewPhone(o); err == nil {
			t.Errorf("%q is taken", host)
		}
	}
}
