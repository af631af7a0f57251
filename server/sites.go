package server

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/store"
	"github.com/staunchid/staunch/web"
)

// sites are the pages of all apps, by host. Which app a page is of is told by the
// configuration and the Host of the request, and by nothing else.
type sites map[string]*web.Site

// openSites makes the pages of the apps that have accounts.
func (s *Server) openSites(l *loaded, trusted proxies) (sites, error) {
	all := sites{}
	for i := range s.cfg.Apps {
		c := &s.cfg.Apps[i]
		la, ok := l.accounts[c.ID]
		if !ok {
			continue
		}
		site, err := web.New(&web.Options{
			App: account.AppID(c.ID), Name: c.Name, Service: s.apps[i].flows,
			Origins: pageOrigins(c), Accent: c.Colour, Logo: la.logo, SignUp: c.AccountsWithoutDevice,
			RelatedOrigins: la.rp.RelatedOrigins(), Logger: s.log, Address: trusted.client, Country: trusted.country(s.cfg.CountryHeader),
			Away: func(err error) bool { return errors.Is(err, store.ErrAway) },
		})
		if err != nil {
			return nil, fmt.Errorf("server: app %s: %w", c.ID, err)
		}
		for _, host := range c.Hosts {
			if all[host] != nil { // config.Parse has looked, and a program may have made its own
				return nil, fmt.Errorf("server: app %s: another app has the host %q already", c.ID, host)
			}
			all[host] = site
		}
	}
	return all, nil
}

// pageOrigins are the origins of the app's own hosts. The others are of pages
// that are not served here and use the same passkeys.
func pageOrigins(c *config.App) []string {
	return slices.DeleteFunc(slices.Clone(c.Origins), func(origin string) bool {
		u, err := url.Parse(origin)
		return err != nil || !slices.Contains(c.Hosts, u.Hostname())
	})
}

// site is the pages of the host that a request names; nil: it has none.
func (all sites) site(r *http.Request) *web.Site { return all[host(r)] }

// host is the host that a request names, this machine's own as localhost: it sends
// people there.
func host(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		return "localhost"
	}
	return host
}

// inside keeps what is not for people from the hosts that people come to: how many
// sign in, and how many are refused, a stranger need not read.
func (all sites) inside(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if all.site(r) != nil && host(r) != "localhost" {
			http.NotFound(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ServeHTTP serves a page, or says that there is none on this host.
func (all sites) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	site := all.site(r)
	switch {
	case site != nil:
		site.ServeHTTP(w, r)
	case r.Method == http.MethodGet && r.URL.Path == "/":
		root(w, r)
	default:
		http.NotFound(w, r)
	}
}

// caller finds out whose session the cookie of a request for the stream of alerts
// is.
func (all sites) caller(r *http.Request) (account.Caller, error) {
	site := all.site(r)
	if site == nil {
		return account.Caller{}, integrity.ErrSessionRequired
	}
	return site.Caller(r)
}
