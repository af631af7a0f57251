package site

import (
	"mime"
	"net/http"
)

// Guard lets a request pass to next only if no other site can have sent it.
// http.CrossOriginProtection refuses what a browser says comes from elsewhere; what
// is left are requests of which no browser says anything. They may only come from
// programs, which have no cookie. A form cannot make a request of JSON.
func Guard(next http.Handler) http.Handler {
	return http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
				Refuse(w, http.StatusUnsupportedMediaType, malformed, "The request must be JSON, with Content-Type: application/json.")
				return
			}
			if r.Header.Get("Cookie") != "" && r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == "" {
				Refuse(w, http.StatusForbidden, malformed, "A request with a cookie must say where it comes from: Sec-Fetch-Site or Origin is missing.")
				return
			}
		}
		next.ServeHTTP(w, r)
	}))
}
