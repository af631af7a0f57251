package site

import "net/http"

// Rules are what a page's headers tell the browser.
type Rules struct {
	TLS         bool // the page is served over TLS, and never otherwise (RFC 6797)
	WebAssembly bool // its scripts compile WebAssembly
	Hidden      bool // search engines leave it out
}

// policy lets a page load its own files and talk to its own server, and nothing
// else. Nothing is inline, and no text becomes markup (CSP 3, Section 6; Trusted
// Types).
func (r Rules) policy() string {
	scripts := "'self'"
	if r.WebAssembly {
		scripts += " 'wasm-unsafe-eval'"
	}
	return "default-src 'none'; script-src " + scripts + "; style-src 'self'; img-src 'self'; connect-src 'self'; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
}

// Set sets the headers of an answer.
func (r Rules) Set(h http.Header) {
	h.Set("Content-Security-Policy", r.policy())
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "publickey-credentials-get=(self), publickey-credentials-create=(self)")
	if r.Hidden {
		h.Set("X-Robots-Tag", "noindex")
	}
	if r.TLS {
		h.Set("Strict-Transport-Security", "max-age=63072000")
	}
}
