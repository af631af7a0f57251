package server

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/store/sqlite"
	"github.com/staunchid/staunch/transfer"
)

// TestMovePolicy: each value of the configuration has its place, and only the word
// "none" is no hold.
func TestMovePolicy(t *testing.T) {
	d := func(n int) config.Duration { return config.Duration{Duration: time.Duration(n)} }
	hold := func(n int) config.MoveHold { return config.MoveHold{Duration: d(n)} }
	app := config.App{DangerousShortWaits: true, Transfer: &config.Transfer{
		OfferTTL: d(1), ClaimTTL: d(2), IdleTTL: d(3), MaxAge: d(4), SealTTL: d(5), RecallWindow: d(6), HoldNone: hold(7), HoldLAN: hold(8), HoldNear: hold(9),
		HoldRisk: hold(10), Window: 11, MaxBytes: 12, RelaySpace: 13, KeepEnvelopes: d(14), KeepPlaces: d(15),
	}}
	want := transfer.Policy{
		OfferTTL: 1, ClaimTTL: 2, IdleTTL: 3, MaxAge: 4, SealTTL: 5, RecallWindow: 6, HoldNone: 7, HoldLAN: 8, HoldNear: 9, HoldRisk: 10,
		Window: 11, MaxBytes: 12, RelaySpace: 13, KeepEnvelopes: 14, KeepPlaces: 15, ShortWaits: true,
	}
	if diff := cmp.Diff(want, movePolicy(&app)); diff != "" {
		t.Error(diff)
	}
	left := movePolicy(&config.App{})
	if left.HoldNone != 12*time.Hour || left.HoldLAN != transfer.NoHold || left.HoldNear != transfer.NoHold || left.HoldRisk != 12*time.Hour || left.ShortWaits {
		t.Errorf("what an app has that says nothing: %+v", left)
	}
}

// TestMoveLimitsOfPolicy: the flows have what the configuration says, and its defaults.
func TestMoveLimitsOfPolicy(t *testing.T) {
	app := config.App{
		Session: &config.Session{}, Hold: &config.Hold{}, Wait: &config.Wait{}, Passkey: &config.Passkey{},
		Limit: &config.AppLimits{MoveOffer: config.Limit{N: 3, Per: config.Duration{Duration: time.Minute}, Burst: 4}},
	}
	l := accountPolicy(&app, false).Limits
	want := []integrity.Limit{{N: 3, Per: time.Minute, Burst: 4}, {N: 10, Per: 24 * time.Hour}, {N: 120, Per: time.Minute}, {N: 60, Per: time.Hour}}
	if diff := cmp.Diff(want, []integrity.Limit{l.MoveOffer, l.MoveClaim, l.MoveWait, l.MoveRevise}); diff != "" {
		t.Error(diff)
	}
}

// TestMoveMetrics: what is counted of moves, and that nothing in it tells whose.
func TestMoveMetrics(t *testing.T) {
	s, err := sqlite.Open(t.Context(), &sqlite.Options{Path: filepath.Join(t.TempDir(), "demo.db"), App: "demo"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.Update(t.Context(), func(tx *sqlite.Tx) error {
		return tx.AddSegment(t.Context(), transfer.Segment{Transfer: "t_1", Revision: 1, Records: 1, Bytes: 1000})
	})
	if err != nil {
		t.Fatal(err)
	}
	m := newMetrics(noList, time.Now)
	m.registry.MustRegister(newRelayBytes([]*app{{id: "demo", store: s, moves: &transfer.Service{}}, {id: "bare"}}, nil))
	m.moved("demo", []string{"transfer.offered", "alert", "recovery.attempt", "transfer.offered", "transfer.aborted"})
	w := httptest.NewRecorder()
	m.handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	var got []string
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, "staunch_transfer_") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	want := []string{
		`staunch_transfer_events_total{app="demo",type="transfer.aborted"} 1`,
		`staunch_transfer_events_total{app="demo",type="transfer.offered"} 2`,
		`staunch_transfer_relay_bytes{app="demo"} 1000`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
