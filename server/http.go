package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/staunchid/staunch/gen/staunch/account/v1/accountv1connect"
	"github.com/staunchid/staunch/gen/staunch/transfer/v1/transferv1connect"
	"github.com/staunchid/staunch/rpc"
	"github.com/staunchid/staunch/rpc/extauthz"
	"github.com/staunchid/staunch/store"
)

// newHTTP bounds everything that a client can make the server wait for or keep.
func (s *Server) newHTTP(h http.Handler) *http.Server {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetHTTP2(true)
	p.SetUnencryptedHTTP2(true) // gRPC on loopback, or behind a proxy there
	return &http.Server{
		Handler:           h,
		Protocols:         p,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: 250},
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
		TLSConfig: &tls.Config{
			MinVersion:     tls.VersionTLS12,
			GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return s.cert.Load(), nil },
		},
	}
}

// handler is everything that the address serves.
func (s *Server) handler(l *loaded, m *metrics) (http.Handler, error) {
	opts := &rpc.Options{
		Logger: s.log, Observe: m.observe,
		Away: func(err error) bool { return errors.Is(err, store.ErrAway) },
	}
	for _, a := range s.apps {
		one := rpc.App{ID: a.id, Attest: a.attest, Token: l.tokens[string(a.id)]}
		if a.flows != nil {
			one.Accounts, one.Moves = a.flows, a.moves
		}
		if a.recovery != nil {
			one.Recovery = a.recovery
		}
		opts.Apps = append(opts.Apps, one)
	}
	trusted, err := parseProxies(s.cfg.TrustedProxies)
	if err != nil {
		return nil, err
	}
	pages, err := s.openSites(l, trusted)
	if err != nil {
		return nil, err
	}
	consoles, err := s.openConsoles(l, trusted, pages)
	if err != nil {
		return nil, err
	}
	opts.Address, opts.Country = trusted.client, trusted.country(s.cfg.CountryHeader)
	opts.Browser = pages.caller
	mux := http.NewServeMux()
	if err := s.withDemo(mux, opts); err != nil {
		return nil, err
	}
	api, err := rpc.New(opts)
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	envoy, err := s.envoy(l, m)
	if err != nil {
		return nil, err
	}
	mux.HandleFunc("GET /healthz", s.health)
	mux.Handle("GET /metrics", pages.inside(m.handler()))
	mux.Handle("/", pages)
	for _, path := range rpc.Paths() {
		if path != rpc.StreamPath {
			mux.Handle(path, api)
		}
	}
	for _, path := range []string{
		"GET " + rpc.StreamPath, accountv1connect.JoinServiceWaitJoinProcedure, transferv1connect.TransferServiceWaitProcedure, "GET " + rpc.BulkPath,
	} {
		mux.Handle(path, s.untilStop(api))
	}
	mux.Handle(extauthz.Procedure, envoy)
	return consoles.alone(mux), nil
}

// untilStop ends what would go on for an hour when the server stops: a stream, whose
// client comes again.
func (s *Server) untilStop(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(s.stopping, cancel)()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// health answers whether every store can be read.
func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	for _, a := range s.apps {
		if err := a.healthy(ctx); err != nil {
			s.log.ErrorContext(ctx, "unhealthy", "app", a.id, "error", err)
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprintf(w, "the store of app %s cannot be read\n", a.id)
			return
		}
	}
	io.WriteString(w, "ok\n")
}

// root tells a person with a browser what this is.
func root(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, "staunch\n\nThe API is at /staunch.attest.v1.AttestService/ and its neighbours, health at /healthz, metrics at /metrics.\n")
}
