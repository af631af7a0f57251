package fetch

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// NewClient returns a client for the vendors: TLS 1.2 or newer under the
// system's roots, through the proxy that the environment names, with a bound on
// every step.
func NewClient() *http.Client {
	return &http.Client{Transport: &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  30 * time.Second,
		IdleConnTimeout:        90 * time.Second,
		MaxIdleConnsPerHost:    8,
		MaxResponseHeaderBytes: 64 << 10,
		ForceAttemptHTTP2:      true,
	}}
}

// bounded is a copy of c that follows no redirect, which would send credentials
// and trust to where nobody has configured them, and that keeps no cookies.
func bounded(c *http.Client) *http.Client {
	b := *c
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	b.Jar = nil
	return &b
}

// checkURL takes https, and http to this machine: what comes over the network
// in the clear can be anybody's.
func checkURL(name, text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return fmt.Errorf("fetch: %s: %w", name, err)
	case u.Host == "" || u.Opaque != "":
		return fmt.Errorf("fetch: %s: %q is no URL of a host", name, text)
	case u.User != nil: // it would stand in every log
		return fmt.Errorf("fetch: %s: leave user and password out of the URL", name)
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	}
	return fmt.Errorf("fetch: %s: %q: use https; http is for loopback only", name, text)
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// errTooLarge: a body beyond its bound.
var errTooLarge = errors.New("the answer is too large")

// readBody reads all of a body of at most most bytes. A body that was cut short
// is an error of r.
func readBody(r io.Reader, most int) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, int64(most)+1))
	if err != nil {
		return nil, err
	}
	if len(data) > most {
		return nil, fmt.Errorf("%w: more than %d bytes", errTooLarge, most)
	}
	return data, nil
}

// The bounds of what a vendor may ask for with Retry-After.
const (
	minRetryAfter = time.Minute
	maxRetryAfter = 6 * time.Hour
)

// retryAfter reads RFC 9110, Section 10.2.3: seconds or a date, within a minute
// and six hours. 0: the answer does not say. A date counts from the answer's
// own, because ours may be wrong.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if text == "" {
		return 0
	}
	if seconds, ok := deltaSeconds(text); ok {
		return min(max(seconds, minRetryAfter), maxRetryAfter)
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return min(max(at.Sub(now), minRetryAfter), maxRetryAfter)
}

// deltaSeconds reads RFC 9111, Section 1.2.2: digits, and a number too large to
// hold is a very large one.
func deltaSeconds(text string) (time.Duration, bool) {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	const most = 1 << 31
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n > most {
		n = most
	}
	return time.Duration(n) * time.Second, true
}

// status names a status code in our words: the vendor's phrase is any text.
func status(code int) string {
	return strings.TrimSpace(strconv.Itoa(code) + " " + http.StatusText(code))
}

// quote makes a text of the vendor's short and printable, for logs, and leaves
// out what he was sent in confidence. "" is no secret.
func quote(body []byte, secret string) string {
	const most = 200
	text := strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, string(body))
	if secret != "" {
		text = strings.ReplaceAll(text, secret, redacted)
	}
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}
