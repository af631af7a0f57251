package demo

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/web/site"
)

// payments is a payment service as anybody would write one, behind the gate of
// package attest/request: it does what a registered phone has signed. The gate
// believes that the service is pay.example.com.
func (s *Site) payments() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+payPath, remit)
	gate := request.Middleware(s.server.Checker(), &request.Options{Authority: payAuthority, Logger: s.log, MaxBody: 4 << 10})
	return proxied(gate(mux))
}

// proxied hands a request on as the proxy of the payment service would, whose
// addresses begin where the demo's end.
func proxied(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = r.Clone(r.Context())
		r.URL.Path, r.URL.RawPath = strings.TrimPrefix(r.URL.Path, payAt), ""
		r.RequestURI = r.URL.RequestURI() // which is what was signed
		next.ServeHTTP(w, r)
	})
}

// remit pays. It asks who signed although the gate has let the request through:
// while a rollout only observes, nobody may have.
func remit(w http.ResponseWriter, r *http.Request) {
	who, ok := request.FromContext(r.Context())
	if !ok {
		site.Refuse(w, http.StatusForbidden, "ATTEST_REJECTED", "Not signed by a registered phone.")
		return
	}
	var p struct {
		Amount int64  `json:"amount"`
		Payee  string `json:"payee"`
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil || p.Amount <= 0 || p.Payee == "" {
		site.Refuse(w, http.StatusBadRequest, "REQUEST_MALFORMED", "A payment has an amount above 0 and a payee.")
		return
	}
	site.Write(w, http.StatusOK, map[string]any{"paid": p.Amount, "payee": p.Payee, "account": who.Account, "words": fmt.Sprintf("%d to %s", p.Amount, p.Payee)})
}
