package server_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/staunchid/staunch/client"
)

// TestMoveFromAnotherCountry: an edge of ours tells where a phone is, and a new one in
// another country waits, though both are side by side; who is no edge of ours can say
// what he will.
func TestMoveFromAnotherCountry(t *testing.T) {
	t.Setenv(portEnv, "0") // any port, at localhost
	for name, tt := range map[string]struct {
		trusted  []string
		old, new string // countries, as the edge tells them
		held     []string
		place    string
	}{
		"another country":           {[]string{"127.0.0.1"}, "DE", "TW", []string{"new_country"}, "198.51.100.0/24, TW"},
		"the same one":              {[]string{"127.0.0.1"}, "DE", "DE", nil, "198.51.100.0/24, DE"},
		"the edge does not know":    {[]string{"127.0.0.1"}, "DE", "XX", []string{"new_country"}, "198.51.100.0/24"},
		"nor ever did":              {[]string{"127.0.0.1"}, "XX", "XX", nil, "198.51.100.0/24"},
		"it knows the new one only": {[]string{"127.0.0.1"}, "XX", "DE", nil, "198.51.100.0/24, DE"},
		"nobody whom we have named": {[]string{"192.0.2.1"}, "DE", "TW", nil, "127.0.0.0/24"},
	} {
		t.Run(name, func(t *testing.T) {
			opts := setupAccounts(t, "demo")
			opts.Config.TrustedProxies, opts.Config.CountryHeader = tt.trusted, "CF-IPCountry"
			origin := strings.Replace(originOf("demo", start(t, opts).Addr()), "demo.", "", 1)
			old, phone := newMover(t, origin), newMover(t, origin)
			old.hook, phone.hook = edge("198.51.100.7", tt.old), edge("198.51.100.8", tt.new)
			old.enrolled(100)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var held, place atomic.Value
			old.told = func(e client.MoveEvent) {
				switch e.Event {
				case client.EventPeer:
					place.Store(e.Peer.Place)
				case client.EventHeld:
					held.Store(e.Reasons)
					cancel() // nobody waits for twelve hours
				}
			}
			of, to := old.move(ctx, phone)
			reasons, _ := held.Load().([]string)
			if !slices.Equal(reasons, tt.held) {
				t.Errorf("held for %q, not %q; old: %v, new: %v", reasons, tt.held, of.err, to.err)
			}
			if at, _ := place.Load().(string); at != tt.place {
				t.Errorf("the old phone shows %q, not %q", at, tt.place)
			}
			if tt.held == nil {
				old.handedOver(phone, of, to)
			}
		})
	}
}

// edge is what a proxy in front of the server writes on a phone's requests.
func edge(address, country string) func(*http.Request) error {
	return func(r *http.Request) error {
		r.Header.Set("X-Forwarded-For", address)
		r.Header.Set("CF-IPCountry", country)
		return nil
	}
}
