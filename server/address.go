package server

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/staunchid/staunch/attest"
)

// proxies are the addresses of which the configuration says that proxies of ours
// have them.
type proxies []netip.Prefix

func parseProxies(texts []string) (proxies, error) {
	var all proxies
	for _, text := range texts {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			a, addrErr := netip.ParseAddr(text)
			if addrErr != nil {
				return nil, fmt.Errorf("server: trusted_proxies: %q is no address", text)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		all = append(all, p)
	}
	return all, nil
}

func (all proxies) has(a netip.Addr) bool {
	return slices.ContainsFunc(all, func(p netip.Prefix) bool { return p.Contains(a) })
}

// client is the host that a request comes from: that of the connection, or what a
// proxy of ours says of whoever called it. X-Forwarded-For is read from its end,
// where the nearest proxy has written, as far as proxies of ours have written it;
// what stands before that anybody may have made up.
func (all proxies) client(r *http.Request) string {
	host := connected(r)
	at, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for at = at.Unmap(); all.has(at) && len(hops) > 0; hops = hops[:len(hops)-1] {
		before, err := netip.ParseAddr(strings.TrimSpace(hops[len(hops)-1]))
		if err != nil {
			break // the proxy says nothing that could be read
		}
		at = before.Unmap()
	}
	return at.String()
}

// country gives the country that a request comes from, as an edge of ours tells it in
// a header of this name. It is believed from nobody else: who is no proxy of ours has
// written the header himself. What is no country, or is told twice, is unknown.
func (all proxies) country(header string) func(*http.Request) string {
	return func(r *http.Request) string {
		told := r.Header.Values(header)
		at, err := netip.ParseAddr(connected(r))
		if header == "" || len(told) != 1 || err != nil || !all.has(at.Unmap()) {
			return ""
		}
		if code := attest.Country(told[0]); code != attest.CountryUnknown {
			return code
		}
		return ""
	}
}

// connected is the host at the other end of a request's connection.
func connected(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
