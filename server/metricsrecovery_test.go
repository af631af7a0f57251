package server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/rpc"
)

// TestRecoveryMetrics: what is counted of recovery, and that nothing in it tells
// whom it was about.
func TestRecoveryMetrics(t *testing.T) {
	m := newMetrics(noList, time.Now)
	m.observe(rpc.Call{Procedure: "/staunch.recovery.v1.RecoveryService/CallVault", App: "demo", Code: "ok", Op: "evaluate", Vault: "v1"})
	m.observe(rpc.Call{Procedure: "/staunch.recovery.v1.RecoveryService/CallVault", App: "demo", Code: "aborted", Reason: "RECOVERY_STALE", Op: "release", Vault: "v2"})
	m.observe(rpc.Call{Procedure: "/staunch.recovery.v1.RecoveryService/GetConfig", App: "demo", Code: "ok"})
	receipt := func(boot byte, op wire.Op) []byte {
		r := &wire.Receipt{Vault: "v1", Replica: "a", Boot: wire.ID16{boot}, Acct: wire.Acct{0xaa, 0xbb}, Op: op, Gen: 1, Ver: 1}
		tbs, err := wire.Encode(r)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := wire.Encode(&wire.Signed{TBS: tbs})
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	m.recovered("demo", &told{
		events:   []string{"recovery.attempt", "alert", "recovery.attempt", "recovery.fork"},
		receipts: [][]byte{receipt(1, wire.OpEvaluate), receipt(1, wire.OpRelease), []byte("none"), receipt(2, wire.OpEvaluate)},
	})
	w := httptest.NewRecorder()
	m.handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	var got []string
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, "staunch_recovery_") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	want := []string{
		`staunch_recovery_calls_total{app="demo",code="aborted",op="release",reason="RECOVERY_STALE",vault="v2"} 1`,
		`staunch_recovery_calls_total{app="demo",code="ok",op="evaluate",reason="",vault="v1"} 1`,
		`staunch_recovery_events_total{app="demo",type="recovery.attempt"} 2`,
		`staunch_recovery_events_total{app="demo",type="recovery.fork"} 1`,
		`staunch_recovery_executed_total{app="demo",op="evaluate",state="active",vault="v1"} 2`,
		`staunch_recovery_executed_total{app="demo",op="release",state="active",vault="v1"} 1`,
		`staunch_recovery_vault_boots_total{replica="a",vault="v1"} 2`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
