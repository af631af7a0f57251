package demo

import (
	"mime"
	"net"
	"net/http"
)

// policy is package web's, and lets the page compile WebAssembly: Argon2id is too
// slow without.
const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// headers are set on every answer.
func headers(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "publickey-credentials-get=(self), publickey-credentials-create=(self)")
	h.Set("Cache-Control", "no-store")
}

// ServeHTTP serves a request to the page's own host. Who has written 127.0.0.1 is
// sent to localhost, where passkeys work.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	headers(w.Header())
	if _, ok := s.origins[r.Host]; ok {
		s.handler.ServeHTTP(w, r)
		return
	}
	host, port, err := net.SplitHostPort(r.Host)
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsLoopback() && r.Method == http.MethodGet {
		if origin, ok := s.origins[net.JoinHostPort("localhost", port)]; ok {
			http.Redirect(w, r, origin+r.URL.RequestURI(), http.StatusTemporaryRedirect)
			return
		}
	}
	refuse(w, http.StatusMisdirectedRequest, "REQUEST_MALFORMED", "There is no demo of this name here; it is at localhost.")
}

// guard lets a request pass to next only if no other site can have sent it: what a
// browser says comes from elsewhere is refused, and so is a POST that a form could
// have made.
func guard(next http.Handler) http.Handler {
	return http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
				refuse(w, http.StatusUnsupportedMediaType, "REQUEST_MALFORMED", "The request must be JSON, with Content-Type: application/json.")
				return
			}
		}
		next.ServeHTTP(w, r)
	}))
}
