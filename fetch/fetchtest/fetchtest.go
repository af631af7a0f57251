// Package fetchtest is both vendors on the own machine: Google's revocation
// list and Apple's exchange of receipts, over TLS with a test certificate, with
// the faults that networks and vendors have.
//
//	v := fetchtest.NewServer()
//	defer v.Close()
//	v.SetStatusList(`{"entries": {"a1": {"status": "REVOKED"}}}`)
//	s, err := fetch.NewStatus(&fetch.StatusOptions{URL: v.StatusURL(), Client: v.Client(), File: file})
//	...
//	v.FailStatus(fetchtest.Truncated, 2) // the next two answers break off
//
// Apple's half checks what Apple checks of a request: the JWT with its
// signature and claims, under the keys of NewAppleKey, and the base64 of the
// receipt. What it answers is up to SetExchange; package attesttest makes
// receipts.
//
//	p8, err := v.NewAppleKey("TEAM123456", "KEY1234567")
//	v.SetExchange(func(e fetchtest.Exchange) fetchtest.Answer {
//		return fetchtest.Answer{Status: 200, Receipt: newer(e.Receipt)}
//	})
//
// Client speaks TLS through a port of loopback. InProcess calls the same
// handlers without a network, so that a synctest bubble can wait for them.
//
// The package is for tests and for trying things out: its keys are made anew
// each time and protect nothing.
package fetchtest

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/staunchid/staunch/attest/appattest"
)

// Server is the fake vendor. It is safe for concurrent use.
type Server struct {
	http *httptest.Server

	mu        sync.Mutex
	now       func() time.Time
	list      []byte
	version   int // of list; the ETag
	modified  time.Time
	header    http.Header // of the answers about the list
	faults    []Fault     // of the next answers about the list; the last one stays if stuck
	stuck     bool
	statuses  []http.Header // of the requests for the list
	keys      map[string]appleKey
	exchange  func(Exchange) Answer
	exchanges []Exchange
}

type appleKey struct {
	team   string
	public *ecdsa.PublicKey
}

// NewServer starts a server. It has no list (404), knows no key, and answers
// exchanges with 404.
func NewServer() *Server {
	s := &Server{
		now: time.Now, header: http.Header{}, keys: map[string]appleKey{},
		exchange: func(Exchange) Answer { return Answer{Status: http.StatusNotFound} },
	}
	s.http = httptest.NewUnstartedServer(s.handler())
	s.http.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // connections are cut on purpose
	s.http.EnableHTTP2 = true
	s.http.StartTLS()
	return s
}

// Close stops the server.
func (s *Server) Close() {
	s.http.CloseClientConnections() // hanging calls would keep it open
	s.http.Close()
}

// Client is a client that trusts the server's certificate.
func (s *Server) Client() *http.Client { return s.http.Client() }

// SetNow sets the clock by which the age of a JWT is judged. nil: time.Now.
func (s *Server) SetNow(now func() time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now = now; now == nil {
		s.now = time.Now
	}
}

const (
	statusPath      = "/attestation/status"
	productionPath  = "/production/v1/attestationData"
	developmentPath = "/development/v1/attestationData"
)

// StatusURL is where the revocation list is.
func (s *Server) StatusURL() string { return s.http.URL + statusPath }

// ReceiptURL is where receipts of an environment are exchanged.
func (s *Server) ReceiptURL(env appattest.Environment) string {
	if env == appattest.Development {
		return s.http.URL + developmentPath
	}
	return s.http.URL + productionPath
}

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+statusPath, s.serveStatus)
	mux.HandleFunc("POST "+productionPath, func(w http.ResponseWriter, r *http.Request) { s.serveExchange(w, r, appattest.Production) })
	mux.HandleFunc("POST "+developmentPath, func(w http.ResponseWriter, r *http.Request) { s.serveExchange(w, r, appattest.Development) })
	return mux
}

// InProcess is a client that calls the handlers of the server directly. Use the
// same URLs.
func (s *Server) InProcess() *http.Client { return &http.Client{Transport: inProcess{s.handler()}} }

type inProcess struct{ handler http.Handler }

func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	served := r.Clone(r.Context())
	if served.Body == nil {
		served.Body = http.NoBody
	}
	defer served.Body.Close()
	w := httptest.NewRecorder()
	cut := aborts(func() { t.handler.ServeHTTP(w, served) })
	if err := context.Cause(r.Context()); err != nil {
		return nil, err
	}
	if cut && w.Body.Len() == 0 {
		return nil, errors.New("fetchtest: the connection was closed")
	}
	resp := w.Result()
	resp.Request = r
	if cut {
		resp.Body = io.NopCloser(io.MultiReader(resp.Body, brokenOff{}))
	}
	return resp, nil
}

// aborts reports whether a handler gives up its connection.
func aborts(handler func()) (cut bool) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			cut = true
		default:
			panic(p)
		}
	}()
	handler()
	return false
}

// brokenOff is what net/http reads when less has arrived than was announced.
type brokenOff struct{}

func (brokenOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
