package passkey

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
	"golang.org/x/net/publicsuffix"
)

// RelatedOrigins returns the document for https://RPID/.well-known/webauthn,
// of type application/json. It lists all origins of the app's pages.
// WebAuthn L3 §5.11
func (rp *RelyingParty) RelatedOrigins() []byte { return append([]byte(nil), rp.related...) }

// relatedOrigins checks origins and returns the document that lists them.
func relatedOrigins(origins []string) ([]byte, error) {
	if len(origins) == 0 {
		return nil, errors.New(`passkey: Options.Origins is empty; name the app's pages, for example "https://accounts.example.org"`)
	}
	related, err := protocol.NewRelatedOriginsWithLabeler(label, origins...)
	if err != nil {
		return nil, fmt.Errorf("passkey: Options.Origins: %w", err) // more than five labels, too
	}
	if len(related.Origins) != len(origins) {
		return nil, fmt.Errorf("passkey: Options.Origins: an origin stands twice in %q", origins)
	}
	for i, origin := range origins {
		// Compared as bytes later on, so it must be what browsers write.
		if related.Origins[i] != origin {
			return nil, fmt.Errorf("passkey: Options.Origins: write %q as browsers do: %q", origin, related.Origins[i])
		}
		u, err := url.Parse(origin)
		if err != nil {
			return nil, fmt.Errorf("passkey: Options.Origins: %w", err)
		}
		if host := u.Hostname(); u.Scheme != "https" && host != "localhost" && !strings.HasSuffix(host, ".localhost") {
			return nil, fmt.Errorf("passkey: Options.Origins: %q is not https; browsers offer passkeys without TLS on localhost alone", origin)
		}
	}
	return related.Bytes()
}

// label returns what browsers count: the label before the public suffix.
// WebAuthn L3 §5.11.1
func label(origin string) (string, error) {
	u, err := url.Parse(origin)
	if err != nil {
		return "", err
	}
	host := u.Hostname()
	if host == "" {
		return "", errors.New("no host")
	}
	if net.ParseIP(host) != nil {
		return host, nil
	}
	site, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return host, nil //nolint:nilerr // the host is itself a suffix, like localhost
	}
	first, _, _ := strings.Cut(site, ".")
	return first, nil
}

// origins are those that a response may name for a ceremony that was begun at
// origin. WebAuthn L3 §7.1, step 9; §7.2, step 12
func (rp *RelyingParty) mayComeFrom(pageOrigin, origin string) bool {
	if pageOrigin != "" {
		return origin == pageOrigin // a page's ceremony: no app, and no other page
	}
	c := rp.library.Config
	for _, list := range [][]string{c.RPOrigins, c.RPOpaqueOrigins} {
		for _, o := range list {
			if origin == o {
				return true
			}
		}
	}
	return false
}
