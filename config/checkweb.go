package config

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// maxLabels is how many labels browsers count in the related origins of an RP ID.
// WebAuthn L3 §5.11.1
const maxLabels = 5

// checkWeb judges RP ID, hosts and origins.
func (a *App) checkWeb(bad report) {
	if !domain(a.RPID) {
		bad("rp_id", `%q is no domain; write it in small letters, without scheme and port, such as "example.org"`, a.RPID)
	} else if publicSuffix(a.RPID) {
		bad("rp_id", "%q is a public suffix, below which anybody may have a domain; no browser takes it", a.RPID)
	}
	hostOf := a.checkOrigins(bad)
	if len(a.Hosts) == 0 {
		bad("hosts", "at least one host is needed")
	}
	for i, host := range a.Hosts {
		key := fmt.Sprintf("hosts[%d]", i)
		switch {
		case !domain(host):
			bad(key, `%q is no host name; write it in small letters, without scheme and port, such as "accounts.example.org"`, host)
		case !slices.Contains(hostOf, host) && !under(host, a.RPID):
			bad(key, "%q is neither the rp_id, %q, nor below it, and none of origins is of it, so no passkey of this app works there", host, a.RPID)
		case !slices.Contains(hostOf, host):
			bad(key, `none of origins is of the host %q; add "https://%[1]s"`, host)
		}
	}
	for i, origin := range a.AndroidOrigins {
		if !regexp.MustCompile(`^android:apk-key-hash:[A-Za-z0-9_-]{43}$`).MatchString(origin) {
			bad(fmt.Sprintf("android_origins[%d]", i), `%q is no origin of an Android app; write "android:apk-key-hash:" and the base64url of the SHA-256 of its signing certificate, 43 characters`, origin)
		}
	}
}

// checkOrigins judges the origins and gives their hosts.
func (a *App) checkOrigins(bad report) (hosts []string) {
	if len(a.Origins) == 0 {
		bad("origins", `at least one origin is needed, such as "https://accounts.example.org"`)
	}
	var labels []string
	for i, origin := range a.Origins {
		key := fmt.Sprintf("origins[%d]", i)
		u, err := url.Parse(origin)
		if err != nil || u.Scheme+"://"+u.Host != origin || !domain(u.Hostname()) || !usualPort(u) {
			bad(key, `%q is no origin; write it as browsers do: "https://accounts.example.org", in small letters, and with nothing behind host and port`, origin)
			continue
		}
		host := u.Hostname()
		switch {
		case u.Scheme != "https" && (u.Scheme != "http" || !under(host, "localhost")):
			bad(key, "%q is not https; browsers offer passkeys without TLS on localhost alone", origin)
		case slices.Contains(a.Origins[:i], origin):
			bad(key, "%q occurs twice", origin)
		}
		hosts = append(hosts, host)
		if l := label(host); !slices.Contains(labels, l) {
			labels = append(labels, l)
		}
		if len(labels) > maxLabels {
			bad(key, "%q is of another organisation's name than the five before it, and browsers take five: %s", origin, strings.Join(labels[:maxLabels], ", "))
			return hosts
		}
	}
	return hosts
}

// publicSuffix reports whether anybody may have a domain below this one. localhost
// is no such, though the list knows nothing of it.
func publicSuffix(name string) bool {
	suffix, icann := publicsuffix.PublicSuffix(name)
	return suffix == name && (icann || strings.Contains(suffix, "."))
}

// label is what browsers count: the label before the public suffix.
func label(host string) string {
	site, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil { // itself a suffix, such as localhost
		return host
	}
	first, _, _ := strings.Cut(site, ".")
	return first
}

// usualPort reports whether the port is written as browsers do: not at all, where
// it is the scheme's own.
func usualPort(u *url.URL) bool {
	port := u.Port()
	if port == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	return (u.Scheme != "https" || port != "443") && (u.Scheme != "http" || port != "80") && port[0] != '0'
}

// under reports whether host is the domain or below it.
func under(host, of string) bool { return host == of || strings.HasSuffix(host, "."+of) }

// domain reports whether name is a domain in small letters, and no address.
func domain(name string) bool {
	if len(name) > 253 || net.ParseIP(name) != nil {
		return false
	}
	for l := range strings.SplitSeq(name, ".") {
		if !regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`).MatchString(l) {
			return false
		}
	}
	return true
}
