package server

import (
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery/wire"
)

// recoveryMetrics are derived from the calls that rpc tells of, and from the events
// and the receipts of vaults that were committed to the stores.
type recoveryMetrics struct {
	calls    *prometheus.CounterVec
	executed *prometheus.CounterVec
	events   *prometheus.CounterVec
	boots    *prometheus.CounterVec

	mu   sync.Mutex
	boot map[[2]string]wire.ID16 // by vault and replica; guarded by mu
}

func newRecoveryMetrics() *recoveryMetrics {
	return &recoveryMetrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "staunch_recovery_calls_total", Help: "Requests to vaults that phones have made.",
		}, []string{"app", "vault", "op", "code", "reason"}),
		executed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "staunch_recovery_executed_total", Help: "Requests that vaults have executed, by their receipts.",
		}, []string{"app", "vault", "op", "state"}),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "staunch_recovery_events_total", Help: "Events of recovery.",
		}, []string{"app", "type"}),
		boots: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "staunch_recovery_vault_boots_total", Help: "Starts of vaults that were seen in their receipts.",
		}, []string{"vault", "replica"}),
		boot: map[[2]string]wire.ID16{},
	}
}

func (r *recoveryMetrics) register(to *prometheus.Registry) {
	to.MustRegister(r.calls, r.executed, r.events, r.boots)
}

// recovered counts what a transaction of pillar recovery has told.
func (m *metrics) recovered(app account.AppID, t *told) {
	r := m.recovery
	for _, kind := range t.events {
		if strings.HasPrefix(kind, "recovery.") {
			r.events.WithLabelValues(string(app), kind).Inc()
		}
	}
	for _, b := range t.receipts {
		signed, err := wire.Decode[wire.Signed](b)
		if err != nil {
			continue // none of these is stored
		}
		receipt, err := wire.Decode[wire.Receipt](signed.TBS)
		if err != nil {
			continue
		}
		r.executed.WithLabelValues(string(app), receipt.Vault, receipt.Op.String(), receipt.State.String()).Inc()
		r.booted(&receipt)
	}
}

// booted counts a start of a replica when its receipts bear another boot's name.
func (r *recoveryMetrics) booted(receipt *wire.Receipt) {
	of := [2]string{receipt.Vault, receipt.Replica}
	r.mu.Lock()
	defer r.mu.Unlock()
	if before, seen := r.boot[of]; !seen || before != receipt.Boot {
		r.boot[of] = receipt.Boot
		r.boots.WithLabelValues(of[0], of[1]).Inc()
	}
}
