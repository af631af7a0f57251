package demo

import (
	"net/http"

	"github.com/staunchid/staunch/web/site"
)

// ServeHTTP serves a request to the page's own host. The page compiles WebAssembly:
// Argon2id is too slow without.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	site.Rules{WebAssembly: true}.Set(w.Header())
	w.Header().Set("Cache-Control", "no-store")
	if _, ok := s.origins[r.Host]; ok {
		s.handler.ServeHTTP(w, r)
		return
	}
	if !site.Local(w, r, s.origins) {
		site.Refuse(w, http.StatusMisdirectedRequest, "REQUEST_MALFORMED", "There is no demo of this name here; it is at localhost.")
	}
}
