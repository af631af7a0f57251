package server

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/staunchid/staunch/store/sqlite"
)

// keysAge is for how long a count of keys is good: counting millions takes a while.
const keysAge = time.Minute

// keyCounts counts the registered keys in the stores.
type keyCounts struct {
	apps []*app
	log  *slog.Logger
	now  func() time.Time
	desc *prometheus.Desc

	mu   sync.Mutex
	at   time.Time
	last map[string][]sqlite.KeyCount // by app
}

func newKeyCounts(apps []*app, log *slog.Logger, now func() time.Time) *keyCounts {
	return &keyCounts{
		apps: apps, log: log, now: now, last: map[string][]sqlite.KeyCount{},
		desc: prometheus.NewDesc(keysMetric, "Registered keys, as of at most a minute ago.", []string{"app", "platform", "state"}, nil),
	}
}

// Describe is for Prometheus.
func (k *keyCounts) Describe(out chan<- *prometheus.Desc) { out <- k.desc }

// Collect is for Prometheus. When a store cannot be read, what it held when it
// could is told again.
func (k *keyCounts) Collect(out chan<- prometheus.Metric) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if now := k.now(); k.at.IsZero() || now.Before(k.at) || now.Sub(k.at) >= keysAge {
		k.at = now
		for _, a := range k.apps {
			if err := k.count(a); err != nil {
				k.log.Warn("keys cannot be counted", "app", a.id, "error", err)
			}
		}
	}
	for app, counts := range k.last {
		for _, c := range counts {
			out <- prometheus.MustNewConstMetric(k.desc, prometheus.GaugeValue, float64(c.Keys), app, c.Platform, string(c.State))
		}
	}
}

func (k *keyCounts) count(a *app) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return a.store.View(ctx, func(tx *sqlite.Tx) error {
		counts, err := tx.CountKeys(ctx)
		if err == nil {
			k.last[string(a.id)] = counts
		}
		return err
	})
}
