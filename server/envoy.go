package server

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/rpc"
	"github.com/staunchid/staunch/rpc/extauthz"
	"github.com/staunchid/staunch/store"
)

// envoy is what an Envoy asks before it lets a request pass. It is there
// whether one asks or not, since it needs the token of an app's backend.
func (s *Server) envoy(l *loaded, m *metrics) (http.Handler, error) {
	opts := &extauthz.Options{Logger: s.log, Observe: func(c extauthz.Call) { m.observe(envoyCall(c)) }}
	for _, a := range s.apps {
		opts.Apps = append(opts.Apps, extauthz.App{
			ID: string(a.id), Token: l.tokens[string(a.id)],
			Checker: a.attest.Checker(account.Caller{Kind: account.Backend, App: a.id}, func(err error) bool { return errors.Is(err, store.ErrAway) }),
		})
	}
	h, err := extauthz.New(opts)
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	return h, nil
}

// envoyCall is a call of Envoy's among those of the API.
func envoyCall(c extauthz.Call) rpc.Call {
	return rpc.Call{
		Procedure: extauthz.Procedure, App: account.AppID(c.App), Caller: account.Backend,
		Code: c.Code, Reason: c.Reason, Decision: c.Decision, Advice: c.Advice, Duration: c.Duration,
	}
}
