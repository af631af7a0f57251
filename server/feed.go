package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/appattest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/fetch"
)

// How often the loops of the feed look.
const (
	receiptEvery   = 15 * time.Second // for receipts that are due
	reevaluateWait = time.Minute      // after an error
)

// feed is what the server fetches, and the work that follows from it: keys that
// a new revocation list names are revoked, receipts that are due exchanged.
type feed struct {
	client   *http.Client // nil: fetch.NewClient
	appleURL string       // for both environments; empty: Apple's

	status   *fetch.Status                  // nil: the list is a file, or there is none
	receipts atomic.Pointer[fetch.Receipts] // nil: there are no keys to ask Apple with
	refresh  *prometheus.CounterVec
}

// keptList is where the last good list is kept.
func keptList(dataDir string) string { return filepath.Join(dataDir, "status-list.json") }

// openFeed takes up the kept revocation list. It fetches nothing.
func (s *Server) openFeed(m *metrics) (err error) {
	s.feed.refresh = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "staunch_attest_receipt_refresh_total", Help: "Exchanges of App Attest receipts, by what became of them.",
	}, []string{"app", "result"})
	m.registry.MustRegister(s.feed.refresh, &reevaluations{s})
	if s.cfg.Attest.StatusListURL == "" {
		return nil
	}
	s.feed.status, err = fetch.NewStatus(&fetch.StatusOptions{
		URL: s.cfg.Attest.StatusListURL, Client: s.httpClient(), File: keptList(s.cfg.DataDir), Now: s.now, Logger: s.log,
		OnNew: func(*android.StatusList) { s.wake() },
	})
	if err != nil {
		return fmt.Errorf("server: %w", err)
	}
	return nil
}

// httpClient is what asks the vendors.
func (s *Server) httpClient() *http.Client {
	if s.feed.client != nil {
		return s.feed.client
	}
	return fetch.NewClient()
}

// statusList is the revocation list in force, nil for none.
func (s *Server) statusList() *android.StatusList {
	if s.feed.status != nil {
		return s.feed.status.List()
	}
	return s.status.Load()
}

// askApple makes what asks Apple with these keys; nil: there are none.
func (s *Server) askApple(keys []*fetch.AppleKey) (*fetch.Receipts, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	r, err := fetch.NewReceipts(&fetch.ReceiptOptions{
		Client: s.httpClient(), Keys: keys, URL: s.feed.appleURL, DevelopmentURL: s.feed.appleURL, Now: s.now,
	})
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	return r, nil
}

// loadAppleKeys reads the keys with which Apple is asked for receipts.
func (l *loaded) loadAppleKeys(cfg *config.Config) error {
	var errs []error
	for i, k := range cfg.Attest.AppleKeys {
		key := fmt.Sprintf("attest.apple_key[%d].key_file", i)
		text, err := l.readFile(cfg, key, k.KeyFile, "App Store Connect gives it out once; make a new key there if no copy is left")
		if err != nil {
			errs = append(errs, err)
			continue
		}
		parsed, err := fetch.ParseAppleKey(k.TeamID, k.KeyID, text)
		if err != nil {
			errs = append(errs, cfg.Wrong(key, "%s: %v", k.KeyFile, err))
			continue
		}
		l.appleKeys = append(l.appleKeys, parsed)
	}
	return errors.Join(errs...)
}

// loadKeptList reads the last good list, so that a check can tell its age.
func (l *loaded) loadKeptList(cfg *config.Config) error {
	file := keptList(cfg.DataDir)
	list, err := loadStatusList(file)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return cfg.Wrong("attest.status_list_url", "%s: %v: restore this file, or delete it to start without a list to compare the next one with", file, err)
	}
	l.status = list
	return nil
}

// wake lets every app apply the list in force.
func (s *Server) wake() {
	for _, a := range s.apps {
		select {
		case a.wake <- struct{}{}:
		default: // it will look anyhow
		}
	}
}

// runFeed runs the loops until ctx ends.
func (s *Server) runFeed(ctx context.Context) {
	var loops sync.WaitGroup
	if s.feed.status != nil {
		loops.Go(func() { s.fetchStatus(ctx) })
	}
	for _, a := range s.apps {
		loops.Go(func() { s.reevaluate(ctx, a) })
		loops.Go(func() { s.refreshReceipts(ctx, a) })
	}
	s.wake()
	loops.Wait()
}

// fetchStatus keeps the list fresh, as long as the policy takes Android.
func (s *Server) fetchStatus(ctx context.Context) {
	for {
		if _, _, matters := s.policy.Load().RevocationAges(); matters {
			break
		}
		if !sleep(ctx, reevaluateWait) {
			return
		}
	}
	_ = s.feed.status.Run(ctx) // it ends with ctx, and has no other error
}

// reevaluate applies each new list to the keys of an app.
func (s *Server) reevaluate(ctx context.Context, a *app) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.wake:
		}
		for {
			_, err := a.attest.Reevaluate(ctx)
			if err == nil || ctx.Err() != nil {
				break
			}
			s.log.Error("the revocation list is not applied yet; it is tried again in a minute", "app", a.id, "error", err)
			if !sleep(ctx, reevaluateWait) {
				return
			}
		}
	}
}

// refreshReceipts exchanges the receipts of an app that are due.
func (s *Server) refreshReceipts(ctx context.Context, a *app) {
	for {
		if s.feed.receipts.Load() != nil {
			if err := a.attest.RefreshReceipts(ctx); err != nil && ctx.Err() == nil {
				s.log.Error("receipts are not refreshed", "app", a.id, "error", err)
			}
		}
		if !sleep(ctx, receiptEvery) {
			return
		}
	}
}

// sleep waits for d, and reports false when ctx ends before.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// exchange asks Apple for the receipt that follows r.
func (s *Server) exchange(ctx context.Context, r registry.Receipt) (registry.Exchanged, error) {
	var o fetch.Outcome
	err := fmt.Errorf("%w: the configuration has no [[attest.apple_key]]", fetch.ErrKey)
	if f := s.feed.receipts.Load(); f != nil {
		o, err = f.Exchange(ctx, r.Team, appattest.Environment(r.Environment), r.CMS)
	}
	x := registry.Exchanged{Result: registry.ExchangeLater, Receipt: o.Receipt, RetryAfter: o.RetryAfter, Detail: o.Detail}
	switch {
	case errors.Is(err, fetch.ErrKey):
		x.Result, x.Detail = registry.ExchangeBadCredentials, err.Error()
	case errors.Is(err, fetch.ErrExchange):
		x.Result, x.Detail = registry.ExchangeBadReceipt, err.Error()
	case err != nil:
		return x, err
	}
	switch o.Kind {
	case fetch.OutcomeNew:
		x.Result = registry.ExchangeNew
	case fetch.OutcomeTooEarly:
		x.Result = registry.ExchangeTooEarly
	case fetch.OutcomeNoData:
		x.Result = registry.ExchangeNoData
	case fetch.OutcomeBadReceipt:
		x.Result = registry.ExchangeBadReceipt
	case fetch.OutcomeBadCredentials:
		x.Result = registry.ExchangeBadCredentials
	}
	return x, nil
}

// reevaluations are metrics of how far the lists have been applied.
type reevaluations struct{ s *Server }

func (*reevaluations) revoked() *prometheus.Desc {
	return prometheus.NewDesc("staunch_attest_reevaluation_revoked_keys", "Keys that the revocation list in force has revoked.", []string{"app"}, nil)
}

func (*reevaluations) running() *prometheus.Desc {
	return prometheus.NewDesc("staunch_attest_reevaluation_running", "1 while the revocation list in force has not been applied to all keys.", []string{"app"}, nil)
}

// Describe is for Prometheus.
func (r *reevaluations) Describe(to chan<- *prometheus.Desc) {
	to <- r.revoked()
	to <- r.running()
}

// Collect is for Prometheus.
func (r *reevaluations) Collect(to chan<- prometheus.Metric) {
	for _, a := range r.s.apps {
		e, running := a.attest.Reevaluation(), 0.0
		if list := r.s.statusList(); list != nil && (e.List != list.Digest || e.Finished.IsZero()) {
			running = 1
		}
		to <- prometheus.MustNewConstMetric(r.revoked(), prometheus.GaugeValue, float64(e.Revoked), string(a.id))
		to <- prometheus.MustNewConstMetric(r.running(), prometheus.GaugeValue, running, string(a.id))
	}
}
