package site

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// Host is the Host of the requests to a page's origin: https, or http on localhost
// and the names below it, whose traffic leaves no machine (W3C Secure Contexts,
// Section 3.1).
func Host(origin string) (string, error) {
	u, err := url.Parse(origin)
	if err != nil {
		return "", fmt.Errorf("%q is no origin of a page: %w", origin, err)
	}
	if u.Host == "" || origin != u.Scheme+"://"+u.Host || u.Scheme != "https" && (u.Scheme != "http" || !local(u.Hostname())) {
		return "", fmt.Errorf(`%q is no origin of a page; write https and a host, as in "https://accounts.example.org"; http is for localhost and the names below it alone`, origin)
	}
	return u.Host, nil
}

func local(name string) bool { return name == "localhost" || strings.HasSuffix(name, ".localhost") }

// Local sends somebody at his own machine, who has written 127.0.0.1, to localhost,
// where passkeys work, and reports whether it did. origins are those of the pages, by
// Host.
func Local(w http.ResponseWriter, r *http.Request, origins map[string]string) bool {
	host, port, err := net.SplitHostPort(r.Host)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() || r.Method != http.MethodGet {
		return false
	}
	origin, ok := origins[net.JoinHostPort("localhost", port)]
	if ok {
		http.Redirect(w, r, origin+r.URL.RequestURI(), http.StatusTemporaryRedirect)
	}
	return ok
}

// Connection is the address that a request's connection comes from.
func Connection(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
