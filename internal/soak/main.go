// Soak drives a server process for a long time, and fails if its memory, its
// goroutines or its open files grow, if an answer is a surprise, or if the store
// is damaged afterwards:
//
//	go build -o bin/staunch ./cmd/staunch
//	go run ./internal/soak -duration 10m
//
// `make soak` does both. The server is `staunch dev`; what it says of itself on
// /metrics is what is measured. Phones send requests all the time, and new ones
// register all the time. The duration is cut into ten parts: the third, when
// caches are full and what is deleted after minutes is being deleted, is
// compared with the last. The table is in Markdown, as in docs/performance.md.
//
// It needs Linux, whose processes say how much memory they have.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/staunchid/staunch/client"
	"github.com/staunchid/staunch/gen/staunch/attest/v1/attestv1connect"
	"github.com/staunchid/staunch/internal/load"
)

func main() {
	s := &soak{out: os.Stdout}
	flag.StringVar(&s.staunch, "staunch", filepath.Join("bin", "staunch"), "the program")
	flag.DurationVar(&s.duration, "duration", 10*time.Minute, "how long requests are sent")
	flag.Float64Var(&s.rate, "rate", 200, "requests a second")
	flag.Float64Var(&s.registrations, "registrations", 2, "registrations a second, beside the requests")
	flag.IntVar(&s.phones, "phones", 200, "phones that send requests")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := s.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

type soak struct {
	staunch       string
	duration      time.Duration
	rate          float64
	registrations float64
	phones        int
	out           io.Writer
}

func (s *soak) run(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "staunch-soak-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	srv, err := startServer(ctx, s.staunch, dir)
	if err != nil {
		return err
	}
	requests, registered, samples, loadErr := s.load(ctx, srv)
	if err := errors.Join(loadErr, srv.stop()); err != nil {
		return fmt.Errorf("%w\nthe end of the server's log:\n%s", err, srv.tail())
	}
	if err := srv.check(); err != nil {
		return err
	}
	if len(samples) < parts {
		return fmt.Errorf("only %d measurements: the run was too short", len(samples))
	}
	table := cut(samples, s.duration)
	write(s.out, table)
	fmt.Fprintf(s.out, "\n%d requests, %.0f a second; %d registrations; no surprise, no error, no damage.\n",
		requests.Requests, requests.RequestsPerSecond, registered.Registered)
	for _, c := range requests.Calls {
		fmt.Fprintf(s.out, "%s: p50 %.1f ms, p99 %.1f ms, longest %.0f ms.\n", c.Name, c.P50, c.P99, c.Max)
	}
	return judge(table)
}

// load sends requests and registrations, and measures the server meanwhile.
func (s *soak) load(ctx context.Context, srv *process) (requests, registered *load.Report, samples []sample, err error) {
	token, err := client.ReadToken(filepath.Join(srv.dir, "service.token"))
	if err != nil {
		return nil, nil, nil, err
	}
	http, err := (&client.Options{URL: srv.url, Token: token}).HTTP()
	if err != nil {
		return nil, nil, nil, err
	}
	defer http.CloseIdleConnections()
	http.Timeout = 30 * time.Second // of one call
	service := attestv1connect.NewAttestServiceClient(http, srv.url)
	senders, err := load.New(&load.Options{Service: service, Phones: s.phones, Rate: s.rate, Duration: s.duration, Progress: s.progress})
	if err != nil {
		return nil, nil, nil, err
	}
	newcomers, err := load.New(&load.Options{
		Service: service, Phones: max(1, int(s.registrations*s.duration.Seconds())), Rate: s.registrations, RegisterOnly: true, Concurrency: 4,
	})
	if err != nil {
		return nil, nil, nil, err
	}
	measuring, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	var measureErr, sendErr, registerErr error
	all.Go(func() { samples, measureErr = srv.measure(measuring, s.duration/(parts*6)) })
	var running sync.WaitGroup
	running.Go(func() { requests, sendErr = senders.Run(ctx) })
	running.Go(func() { registered, registerErr = newcomers.Run(ctx) })
	running.Wait()
	stop()
	all.Wait()
	err = errors.Join(measureErr, sendErr, registerErr, ctx.Err())
	for _, r := range []*load.Report{requests, registered} {
		if !r.Good() {
			err = errors.Join(err, fmt.Errorf("surprises %v, errors %v", r.Surprises, r.Errors))
		}
	}
	return requests, registered, samples, err
}

// progress tells now and then that it goes on.
func (s *soak) progress(p load.Progress) {
	if left := p.Left.Round(time.Second); left%(30*time.Second) == 0 {
		fmt.Fprintf(os.Stderr, "%s left, %.0f calls/s, p99 %s, %d surprises, %d errors\n", left, p.PerSecond, p.P99, p.Surprises, p.Errors)
	}
}
