package main

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/staunchid/staunch/config"
)

// checkServer says of a --server that no phone could ask what is wrong with it, and how
// it is written. Package client has the rules; this has the words for who types.
func checkServer(text string) error {
	const right = "write https://HOST or https://HOST:PORT, or http://127.0.0.1:PORT for a server on this machine"
	wrong := func(format string, args ...any) error {
		return &phoneUsage{fmt.Errorf("--server: "+format+"; "+right, args...)}
	}
	scheme, rest, there := strings.Cut(text, "://")
	if !there || scheme == "" {
		return wrong("%q does not say how to speak to the server", shortened(text))
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return wrong("%q is no address", shortened(text))
	case u.User != nil: // without what may be a password
		return wrong("there is a name or a password in it, and a phone has neither")
	case u.Scheme != "https" && u.Scheme != "http":
		return wrong("%q speaks %s, and a phone speaks https", shortened(text), shortened(scheme))
	case u.Hostname() == "":
		return wrong("%q names no host", shortened(text))
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(rest, "?#"):
		return wrong("%q has something behind the host, and the server answers at its root", shortened(text))
	case u.Scheme == "http" && !config.Loopback(u.Hostname()):
		return wrong("%q would send everything in the clear", shortened(text))
	}
	return nil
}
