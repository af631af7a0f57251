package web

import (
	"mime"
	"net/http"
)

// policy lets a page load its own files and talk to its own server, and nothing
// else. Nothing is inline, and no text becomes markup (Trusted Types).
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// headers are set on every answer.
func headers(h http.Header, secure bool) {
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "publickey-credentials-get=(self), publickey-credentials-create=(self)")
	if secure {
		h.Set("Strict-Transport-Security", "max-age=63072000")
	}
}

// guard lets a request pass to next only if no other site can have sent it.
// http.CrossOriginProtection refuses what a browser says comes from elsewhere;
// what is left are requests of which no browser says anything. They may only
// come from programs, which have no cookie.
func guard(next http.Handler) http.Handler {
	return http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
				refuse(w, http.StatusUnsupportedMediaType, "REQUEST_MALFORMED", "The request must be JSON, with Content-Type: application/json.")
				return
			}
			if r.Header.Get("Cookie") != "" && r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == "" {
				refuse(w, http.StatusForbidden, "REQUEST_MALFORMED", "A request with a cookie must say where it comes from: Sec-Fetch-Site or Origin is missing.")
				return
			}
		}
		next.ServeHTTP(w, r)
	}))
}
