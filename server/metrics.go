package server

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/staunchid/staunch/rpc"
)

// metrics are derived from the calls that rpc tells of. No label ever holds an
// account, a key, a model or anything else that grows with the users.
type metrics struct {
	registry  *prometheus.Registry
	calls     *prometheus.CounterVec
	duration  *prometheus.HistogramVec
	decisions *prometheus.CounterVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "staunch_rpc_calls_total", Help: "Calls that have ended.",
		}, []string{"procedure", "code", "reason"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "staunch_rpc_duration_seconds", Help: "How long calls took.",
			Buckets: []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 5},
		}, []string{"procedure"}),
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "staunch_rpc_decisions_total", Help: "Decisions that calls were answered with.",
		}, []string{"app", "procedure", "decision", "advice"}),
	}
	m.registry.MustRegister(m.calls, m.duration, m.decisions,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) observe(c rpc.Call) {
	m.calls.WithLabelValues(c.Procedure, c.Code, c.Reason).Inc()
	m.duration.WithLabelValues(c.Procedure).Observe(c.Duration.Seconds())
	if c.Decision != "" {
		m.decisions.WithLabelValues(string(c.App), c.Procedure, c.Decision, c.Advice).Inc()
	}
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
