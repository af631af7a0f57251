package server

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/store/sqlite"
)

// moveMetrics are derived from the events of moves that were committed to the stores.
type moveMetrics struct{ events *prometheus.CounterVec }

func newMoveMetrics() *moveMetrics {
	return &moveMetrics{prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "staunch_transfer_events_total", Help: "Events of accounts on their way to a new phone.",
	}, []string{"app", "type"})}
}

// moved counts what a transaction has told of moves.
func (m *metrics) moved(app account.AppID, events []string) {
	for _, kind := range events {
		if strings.HasPrefix(kind, "transfer.") {
			m.moves.events.WithLabelValues(string(app), kind).Inc()
		}
	}
}

// movedIn counts what the transactions of an app have told of moves.
func (m *metrics) movedIn(app account.AppID) func(context.Context, error, *told) {
	return func(_ context.Context, err error, t *told) {
		if err == nil {
			m.moved(app, t.events)
		}
	}
}

// relayBytes reads from the stores how much ciphertext waits for new phones.
type relayBytes struct {
	apps []*app
	log  *slog.Logger
	desc *prometheus.Desc
}

func newRelayBytes(apps []*app, log *slog.Logger) *relayBytes {
	return &relayBytes{apps, log, prometheus.NewDesc("staunch_transfer_relay_bytes", "Ciphertext that waits for new phones.", []string{"app"}, nil)}
}

// Describe is for Prometheus.
func (r *relayBytes) Describe(to chan<- *prometheus.Desc) { to <- r.desc }

// Collect is for Prometheus. A store that cannot be read has no number.
func (r *relayBytes) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for _, a := range r.apps {
		if a.moves == nil {
			continue
		}
		var all int64
		err := a.store.View(ctx, func(tx *sqlite.Tx) (err error) {
			_, all, err = tx.SegmentBytes(ctx, "")
			return err
		})
		if err != nil {
			r.log.Warn("what waits for new phones cannot be counted", "app", a.id, "error", err)
			continue
		}
		to <- prometheus.MustNewConstMetric(r.desc, prometheus.GaugeValue, float64(all), string(a.id))
	}
}
