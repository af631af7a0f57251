package request_test

import (
	"strings"
	"testing"

	"github.com/staunchid/staunch/attest/request"
)

// TestFromCall: the session and the app are in the message of a call, covered or
// not, and in that of another request only if they are covered.
func TestFromCall(t *testing.T) {
	const plain = "@method @authority @path @query content-digest"
	for _, tt := range []struct {
		name, covered string
		before, after func(h map[string][]string)
		session, app  string
	}{
		{"both", plain + " authorization staunch-app", func(h map[string][]string) {
			h["Authorization"], h["Staunch-App"] = []string{"Staunch abc"}, []string{" demo "}
		}, nil, "Staunch abc", "demo"},
		{"neither", plain, nil, nil, "", ""},
		{"added on the way", plain, nil, func(h map[string][]string) {
			h["Authorization"], h["Staunch-App"] = []string{"Staunch abc"}, []string{"demo"}
		}, "Staunch abc", "demo"},
		{"several lines", plain + " authorization", func(h map[string][]string) {
			h["Authorization"] = []string{"Staunch abc", "Staunch def"}
		}, nil, "Staunch abc, Staunch def", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := outgoing(t, "POST", "https://accounts.example.org/x", body)
			if tt.before != nil {
				tt.before(r.Header)
			}
			if err := request.Sign(r, signing()); err != nil {
				t.Fatal(err)
			}
			if tt.after != nil {
				tt.after(r.Header)
			}
			m, content, err := request.FromCall(r, 1<<20)
			if err != nil || string(content) != body {
				t.Fatalf("%q, %v", content, err)
			}
			p, err := request.Parse(m)
			if err != nil || strings.Join(p.Covered, " ") != tt.covered {
				t.Errorf("%+v, %v", p, err)
			}
			if m.Fields["authorization"] != tt.session || m.Fields["staunch-app"] != tt.app {
				t.Errorf("%v", m.Fields)
			}
			r = outgoing(t, "POST", "https://accounts.example.org/x", body)
			r.Header.Set("Authorization", "Bearer abc")
			if m, _, err := request.FromHTTP(r, 1<<20); err != nil || m.Fields["authorization"] != "" {
				t.Errorf("a request to the backend tells %v, %v", m.Fields, err)
			}
		})
	}
	if _, _, err := request.FromCall(outgoing(t, "POST", "https://accounts.example.org/x", body), 1); err == nil {
		t.Error("a body of any size is read")
	}
}

// TestAtHost: any port of a host, and of this machine only where that is said.
func TestAtHost(t *testing.T) {
	hosts := []string{"accounts.example.org", "[2001:db8::1]"}
	for _, tt := range []struct {
		authority     string
		host, machine bool
	}{
		{"accounts.example.org", true, false},
		{"Accounts.Example.org:443", true, false},
		{"accounts.example.org:8443", true, false},
		{"[2001:db8::1]", true, false},
		{"[2001:db8::1]:8443", true, false},
		{"[2001:db8::2]:8443", false, false},
		{"x.accounts.example.org", false, false},
		{"accounts.example.org.evil.example", false, false},
		{"accounts.example.org.", false, false},
		{"localhost", false, true},
		{"localhost:8080", false, true},
		{"127.0.0.1:8080", false, true},
		{"127.1.2.3", false, true},
		{"[::1]:8080", false, true},
		{"localhost.example.org", false, false},
		{"127.0.0.1.example.org", false, false},
		{"128.0.0.1", false, false},
		{"0.0.0.0:8080", false, false},
	} {
		r := outgoing(t, "GET", "https://"+tt.authority+"/", "")
		if err := request.Sign(r, signing()); err != nil {
			t.Fatal(err)
		}
		m, _, err := request.FromHTTP(r, 1)
		if err != nil {
			t.Fatal(err)
		}
		p, err := request.Parse(m)
		if err != nil {
			t.Fatal(err)
		}
		for _, machine := range []bool{false, true} {
			f := p.AtHost(hosts, machine)
			if (f == nil) != (tt.host || tt.machine && machine) || f != nil && f.Code != request.CodeComponents {
				t.Errorf("%s, this machine %v: %v", tt.authority, machine, f)
			}
		}
	}
	if p := (&request.Parsed{}); p.AtHost(nil, true) == nil || p.AtHost(nil, false) == nil {
		t.Error("no host is one of ours")
	}
}
