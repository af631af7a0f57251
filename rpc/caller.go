package rpc

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
)

// caller finds who calls and in which app. named is the app in the request,
// which may be empty.
func (e *edge) caller(h http.Header, named string) (account.Caller, App, error) {
	id := account.AppID(named)
	if header := account.AppID(h.Get("Staunch-App")); header != "" {
		if id != "" && id != header {
			return account.Caller{}, App{}, errRequestf("the request names the app %.40q and the header Staunch-App %.40q", id, header)
		}
		id = header
	}
	kind := account.Anonymous
	if len(h.Values("Authorization")) > 0 {
		app, ok := e.byToken(h)
		if !ok {
			return account.Caller{}, App{}, errTokenInvalid
		}
		if id != "" && id != app.ID { // a backend of another app is nobody here, and does not learn whether there is this one
			return account.Caller{}, App{}, fmt.Errorf("%w %.40q", errTokenOther, id)
		}
		id, kind = app.ID, account.Backend
	}
	if id == "" {
		if len(e.order) > 1 {
			return account.Caller{}, App{}, errAppMissing
		}
		id = e.order[0].ID
	}
	app, ok := e.apps[id]
	if !ok {
		return account.Caller{}, App{}, registry.ErrAppUnknown
	}
	return account.Caller{Kind: kind, App: id}, app, nil
}

// byToken finds the app whose backend sends this header. It looks at all of
// them, so that the time does not tell which one it was.
func (e *edge) byToken(h http.Header) (found App, ok bool) {
	values := h.Values("Authorization")
	scheme, secret, _ := strings.Cut(values[0], " ")
	if len(values) != 1 || !strings.EqualFold(scheme, "Bearer") { // RFC 9110, Section 11.1: the scheme has no case
		return App{}, false
	}
	for _, app := range e.order {
		if app.Token.Matches(secret) {
			found, ok = app, true
		}
	}
	return found, ok
}
