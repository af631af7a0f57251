package server

import (
	"math"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/rpc"
)

// keysMetric is read from the stores.
const keysMetric = "staunch_attest_keys"

// metrics are derived from the calls that rpc tells of and from the verdicts
// that were committed, and read from the revocation list and the stores when
// somebody asks. No label ever holds an account, a key, a model or anything
// else that grows with the users.
type metrics struct {
	registry   *prometheus.Registry
	calls      *prometheus.CounterVec
	duration   *prometheus.HistogramVec
	decisions  *prometheus.CounterVec
	findings   *prometheus.CounterVec
	verdicts   *prometheus.CounterVec
	exceptions *prometheus.CounterVec
	unrecorded *prometheus.CounterVec
	recovery   *recoveryMetrics
	moves      *moveMetrics
}

// newMetrics takes the revocation list in force, nil for none, and the clock.
func newMetrics(status func() *android.StatusList, now func() time.Time) *metrics {
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
		findings: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "staunch_attest_findings_total", Help: "Findings of verdicts.",
		}, []string{"app", "platform", "code", "class", "effect"}),
		verdicts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "staunch_attest_verdicts_total", Help: "Verdicts on evidence and on requests.",
		}, []string{"app", "platform", "operation", "verdict", "mode"}),
		exceptions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "staunch_attest_exception_uses_total", Help: "Uses of exceptions of the policy.",
		}, []string{"id"}),
		unrecorded: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "staunch_attest_unrecorded_total", Help: "Refusals for which the audit record had no room.",
		}, []string{"app"}),
		recovery: newRecoveryMetrics(),
		moves:    newMoveMetrics(),
	}
	m.recovery.register(m.registry)
	age := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "staunch_attest_status_list_age_seconds", Help: "Age of Android's revocation list; +Inf if there is none.",
	}, func() float64 {
		if list := status(); list != nil {
			return list.Age(now()).Seconds()
		}
		return math.Inf(1)
	})
	entries := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "staunch_attest_status_list_entries", Help: "Entries of Android's revocation list.",
	}, func() float64 {
		if list := status(); list != nil {
			return float64(list.Len())
		}
		return 0
	})
	m.registry.MustRegister(m.calls, m.duration, m.decisions, m.findings, m.verdicts, m.exceptions, m.unrecorded, m.moves.events, age, entries,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) observe(c rpc.Call) {
	m.calls.WithLabelValues(c.Procedure, c.Code, c.Reason).Inc()
	m.duration.WithLabelValues(c.Procedure).Observe(c.Duration.Seconds())
	if c.Decision != "" {
		m.decisions.WithLabelValues(string(c.App), c.Procedure, c.Decision, c.Advice).Inc()
	}
	if c.Op != "" {
		m.recovery.calls.WithLabelValues(string(c.App), c.Vault, c.Op, c.Code, c.Reason).Inc()
	}
}

// verdict counts what a registry has committed.
func (m *metrics) verdict(o registry.Observation) {
	app := string(o.App)
	m.verdicts.WithLabelValues(app, o.Platform, o.Operation, o.Verdict, string(o.Mode)).Inc()
	for _, f := range o.Findings {
		m.findings.WithLabelValues(app, o.Platform, f.Code, string(f.Class), string(f.Effect)).Inc()
	}
	if o.Unrecorded {
		m.unrecorded.WithLabelValues(app).Inc()
	}
	for _, id := range o.Exceptions {
		m.exceptions.WithLabelValues(id).Inc()
	}
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
