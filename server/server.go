// Package server puts the parts together: stores, services, API, metrics and
// health, in one process. `staunch serve` is this package and a configuration
// file; another program can embed it the same way:
//
//	cfg, err := config.Load("staunch.toml")
//	s, err := server.New(&server.Options{Config: cfg, Logger: slog.Default()})
//	err = s.Run(ctx) // until ctx ends; then it drains and closes
//
// # What it serves
//
// The API of proto/ by Connect, gRPC and gRPC-Web, all on one address; the pages
// of each app that has accounts, on the hosts that the configuration names, and
// the stream of their alerts; the console of each app that has one, on a host of
// its own with nothing else; what an Envoy asks before it lets a request pass
// (rpc/extauthz); GET /healthz, which is 200 when every store can be read and 503
// otherwise; GET /metrics for Prometheus. With a certificate it speaks HTTP/1.1
// and HTTP/2 over TLS, without one HTTP/1.1 and unencrypted HTTP/2, on loopback
// only.
//
// # What it needs
//
// Each app has its own store, its own root secret, from which all its keys follow,
// and its own key that seals the audit record: when it starts, once a minute, and
// a last time when it stops and no call runs any more. One server at a time may
// use a data_dir; a second one is refused. What can be loaded anew is: policy,
// revocation list and certificate, by Reload, which the command does on SIGHUP.
// When one of them is wrong, all stay as they were.
//
// # What it refuses
//
// A configuration in which anything is wrong: it starts with all of it or not
// at all. A policy that trusts other roots than the vendors', unless
// Options.DangerousTestRoots says that no real phone is concerned.
//
// The package keeps no state of its own, and takes no decision about a phone.
package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/blob"
	"github.com/staunchid/staunch/config"
)

// ErrInUse: another server uses the data_dir. Stop it, or give this one a
// data_dir of its own.
var ErrInUse = errors.New("server: data_dir is in use by another server")

// Options are what New takes.
type Options struct {
	// Config is a checked configuration, as config.Load returns it. Required.
	Config *config.Config
	// Logger gets one line a call, and what an operator must know. nil discards.
	Logger *slog.Logger
	// Listener takes the place of one on Config.Listen. The server closes it.
	Listener net.Listener
	// Now is the clock of the services. nil: time.Now.
	Now func() time.Time
	// VaultCommand are the arguments with which this very program runs a vault:
	// "vault", "run". Required where the configuration has recovery.
	VaultCommand []string
	// VaultLog gets what vaults log. nil: nobody does.
	VaultLog io.Writer
	// DangerousTestRoots accepts a policy with dangerous_extra_roots, and with
	// it every phone that somebody makes in software. For tests and `staunch dev`.
	DangerousTestRoots bool
	// Demo serves the page /demo, which makes phones for whoever reaches it. It wants
	// DangerousTestRoots and a loopback address; no key of the configuration sets it.
	Demo bool

	testingOnlyClient   *http.Client // asks the vendors
	testingOnlyAppleURL string       // instead of Apple's
	testingOnlySealing  time.Duration
	testingOnlyBootID   func() string // instead of the system's
}

// Server is a server that holds its stores and its address. Close frees them.
type Server struct {
	cfg       *config.Config
	log       *slog.Logger
	now       func() time.Time
	began     time.Time
	testRoots bool
	demo      bool
	sealEvery time.Duration

	vaultCommand []string
	vaultLog     io.Writer
	recovery     *recoverer   // nil: nothing is brought back by a PIN
	blobs        *blob.Folder // nil: no app has accounts
	bootID       func() string

	lock     *os.File
	listener net.Listener
	http     *http.Server
	apps     []*app
	stopping context.Context // ends when no more calls are taken
	stop     context.CancelFunc

	policy atomic.Pointer[attest.Policy]
	status atomic.Pointer[android.StatusList]
	cert   atomic.Pointer[tls.Certificate]
	feed   feed

	reloading sync.Mutex
	closing   sync.Once
	closeErr  error
}

// New loads all that Config names, opens the stores and listens. What has been
// opened is closed again when something fails.
func New(opts *Options) (*Server, error) {
	if opts.Config == nil {
		return nil, errors.New("server: options: no Config")
	}
	s := &Server{cfg: opts.Config, log: opts.Logger, now: opts.Now, testRoots: opts.DangerousTestRoots, demo: opts.Demo, listener: opts.Listener, vaultCommand: opts.VaultCommand, vaultLog: opts.VaultLog}
	if s.sealEvery = opts.testingOnlySealing; s.sealEvery == 0 {
		s.sealEvery = sealEvery
	}
	s.feed.client, s.feed.appleURL = opts.testingOnlyClient, opts.testingOnlyAppleURL
	if s.bootID = opts.testingOnlyBootID; s.bootID == nil {
		s.bootID = bootID
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	s.began = s.now()
	s.stopping, s.stop = context.WithCancel(context.Background())
	if err := s.open(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Server) open() error {
	if err := s.checkDemo(); err != nil {
		return err
	}
	l, err := load(s.cfg, s.testRoots, s.now())
	if err != nil {
		return err
	}
	receipts, err := s.askApple(l.appleKeys)
	if err != nil {
		return err
	}
	s.feed.receipts.Store(receipts)
	s.use(l)
	s.logLoaded(l)
	if err := os.MkdirAll(s.cfg.DataDir, 0o700); err != nil {
		return fmt.Errorf("server: data_dir: %w", err)
	}
	if s.lock, err = lockDir(s.cfg.DataDir); err != nil {
		return err
	}
	m := newMetrics(s.statusList, s.now)
	if err := s.openFeed(m); err != nil {
		return err
	}
	if err := s.openBlobs(); err != nil {
		return err
	}
	if err := s.openApps(l, m); err != nil {
		return err
	}
	if err := s.recheckMoves(s.stopping); err != nil {
		return err
	}
	if err := s.openRecovery(l, m); err != nil {
		return err
	}
	handler, err := s.handler(l, m)
	if err != nil {
		return err
	}
	s.http = s.newHTTP(handler)
	if s.listener == nil {
		if s.listener, err = net.Listen("tcp", s.cfg.Listen); err != nil {
			return fmt.Errorf("server: listen: %w", err)
		}
	}
	return nil
}

// use puts what can be loaded anew in force.
func (s *Server) use(l *loaded) {
	s.policy.Store(l.policy)
	s.status.Store(l.status)
	s.cert.Store(l.cert)
}

// Addr is the address that the server listens on.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// URL is the address as a client writes it.
func (s *Server) URL() string {
	scheme := "http"
	if s.cfg.TLSCertFile != "" {
		scheme = "https"
	}
	return scheme + "://" + s.Addr().String()
}

// Run serves until ctx ends or serving fails. Then it takes no more calls,
// waits for those that run, at most as long as shutdown_grace says, and closes.
func (s *Server) Run(ctx context.Context) error {
	stopRecovery := s.runRecovery(ctx)
	served := make(chan error, 1)
	go func() { served <- s.serve() }()
	sweeping, stopSweeping := context.WithCancel(ctx)
	var sweeper sync.WaitGroup
	sweeper.Go(func() { s.sweep(sweeping) })
	sweeper.Go(func() { s.runFeed(sweeping) })
	sealing, stopSealing := context.WithCancel(context.WithoutCancel(ctx)) // what the last calls do is sealed too
	var sealer sync.WaitGroup
	for _, a := range s.apps {
		sweeper.Go(func() { s.keepTime(sweeping, a) })
		sweeper.Go(func() { s.deliver(sweeping, a) })
		sweeper.Go(func() { s.keepMoves(sweeping, a) })
		sweeper.Go(func() { s.keepOperators(sweeping, a) })
		sealer.Go(func() { s.keepSealed(sealing, a) })
	}
	s.log.Info("serving", "url", s.URL(), "apps", len(s.apps), "policy", s.policy.Load().Digest())

	var err error
	select {
	case err = <-served:
		err = fmt.Errorf("server: serve: %w", err)
	case <-ctx.Done():
		s.log.Info("stopping", "grace", s.cfg.ShutdownGrace.Duration)
		err = s.drain()
	}
	stopSweeping()
	sweeper.Wait()
	stopSealing()
	sealer.Wait()
	stopRecovery()
	err = errors.Join(err, s.Close())
	s.log.Info("stopped")
	return err
}

func (s *Server) serve() error {
	if s.cfg.TLSCertFile != "" {
		return s.http.ServeTLS(s.listener, "", "")
	}
	return s.http.Serve(s.listener)
}

// drain lets running calls end, and cuts off those that take too long.
func (s *Server) drain() error {
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.ShutdownGrace.Duration)
	defer cancel()
	s.stop()
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		s.log.Warn("calls were cut off", "grace", s.cfg.ShutdownGrace.Duration)
		return s.http.Close()
	}
	return err
}

// sweep deletes what is kept no longer, once an hour.
func (s *Server) sweep(ctx context.Context) {
	t := time.NewTicker(time.Hour)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		for _, a := range s.apps {
			if err := a.attest.Sweep(ctx); err != nil && ctx.Err() == nil {
				s.log.Error("sweep failed", "app", a.id, "error", err)
			}
			if a.people != nil {
				if err := a.people.Sweep(ctx); err != nil && ctx.Err() == nil {
					s.log.Error("sweep of operators failed", "app", a.id, "error", err)
				}
			}
			if a.flows == nil {
				continue
			}
			if err := a.flows.Sweep(ctx); err != nil && ctx.Err() == nil {
				s.log.Error("sweep of accounts failed", "app", a.id, "error", err)
			}
		}
	}
}

// Close frees address, stores and data_dir at once. After Run it does nothing.
func (s *Server) Close() error {
	s.closing.Do(func() {
		var errs []error
		s.stop()
		if s.http != nil {
			errs = append(errs, s.http.Close())
		}
		if s.listener != nil {
			if err := s.listener.Close(); !errors.Is(err, net.ErrClosed) {
				errs = append(errs, err)
			}
		}
		errs = append(errs, s.recovery.close())
		for _, a := range s.apps {
			errs = append(errs, a.store.Close())
		}
		if s.blobs != nil {
			errs = append(errs, s.blobs.Close())
		}
		if s.lock != nil {
			errs = append(errs, s.lock.Close()) // the lock ends with its file
		}
		s.closeErr = errors.Join(errs...)
	})
	return s.closeErr
}
