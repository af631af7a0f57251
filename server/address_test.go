package server

import (
	"net/http"
	"testing"
)

// TestClientAddress: only a proxy of ours is believed, and only what it has
// written itself.
func TestClientAddress(t *testing.T) {
	ours := []string{"127.0.0.1", "10.0.0.0/8", "fd00::/8"}
	tests := []struct {
		name, remote string
		trust        []string
		header       []string
		want         string
	}{
		{"no proxy", "192.0.2.7:1", nil, nil, "192.0.2.7"},
		{"no proxy of ours, and a header", "192.0.2.7:1", ours, []string{"198.51.100.1"}, "192.0.2.7"},
		{"nobody is trusted", "127.0.0.1:1", nil, []string{"198.51.100.1"}, "127.0.0.1"},
		{"a proxy", "127.0.0.1:1", ours, []string{"198.51.100.1"}, "198.51.100.1"},
		{"a proxy as IPv4 in IPv6", "[::ffff:127.0.0.1]:1", ours, []string{"198.51.100.1"}, "198.51.100.1"},
		{"what the client has written itself", "127.0.0.1:1", ours, []string{"203.0.113.9, 198.51.100.1"}, "198.51.100.1"},
		{"in a header of its own", "127.0.0.1:1", ours, []string{"203.0.113.9", "198.51.100.1"}, "198.51.100.1"},
		{"two proxies", "127.0.0.1:1", ours, []string{"203.0.113.9, 198.51.100.1, 10.1.2.3"}, "198.51.100.1"},
		{"somebody among the proxies", "127.0.0.1:1", ours, []string{"10.1.2.3"}, "10.1.2.3"},
		{"IPv6", "[fd00::1]:1", ours, []string{"2001:db8::7"}, "2001:db8::7"},
		{"a proxy that says nothing", "127.0.0.1:1", ours, nil, "127.0.0.1"},
		{"nonsense", "127.0.0.1:1", ours, []string{"unknown"}, "127.0.0.1"},
	}
	for _, tt := range tests {
		all, err := parseProxies(tt.trust)
		if err != nil {
			t.Fatal(err)
		}
		if got := all.client(&http.Request{RemoteAddr: tt.remote, Header: http.Header{"X-Forwarded-For": tt.header}}); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	if _, err := parseProxies([]string{"proxy.example"}); err == nil {
		t.Error("a name is taken for an address")
	}
}

// TestCountryOfRequest: only an edge of ours is believed, and only what it says once.
func TestCountryOfRequest(t *testing.T) {
	all, err := parseProxies([]string{"127.0.0.1", "10.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, remote, header string
		told                 []string
		want                 string
	}{
		{"an edge of ours", "10.1.2.3:1", "CF-IPCountry", []string{"DE"}, "DE"},
		{"an edge as IPv4 in IPv6", "[::ffff:127.0.0.1]:1", "CF-IPCountry", []string{"TW"}, "TW"},
		{"a header in small letters", "10.1.2.3:1", "cf-ipcountry", []string{"de"}, "DE"},
		{"somebody else", "192.0.2.7:1", "CF-IPCountry", []string{"DE"}, ""},
		{"nothing", "10.1.2.3:1", "CF-IPCountry", nil, ""},
		{"no header is read", "10.1.2.3:1", "", []string{"DE"}, ""},
		{"twice", "10.1.2.3:1", "CF-IPCountry", []string{"DE", "DE"}, ""},
		{"the edge does not know", "10.1.2.3:1", "CF-IPCountry", []string{"XX"}, ""},
		{"in no country", "10.1.2.3:1", "CF-IPCountry", []string{"ZZ"}, ""},
		{"by Tor", "10.1.2.3:1", "CF-IPCountry", []string{"T1"}, ""},
		{"in words", "10.1.2.3:1", "CF-IPCountry", []string{"Germany"}, ""},
		{"two in one", "10.1.2.3:1", "CF-IPCountry", []string{"DE, TW"}, ""},
	}
	for _, tt := range tests {
		r := &http.Request{RemoteAddr: tt.remote, Header: http.Header{"Cf-Ipcountry": tt.told}}
		if got := all.country(tt.header)(r); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
