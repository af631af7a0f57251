package server

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/store/sqlite"
)

// scrape gives the lines of staunch_attest_ metrics that are not empty.
func scrape(t *testing.T, m *metrics) (lines []string) {
	t.Helper()
	w := httptest.NewRecorder()
	m.handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	body, err := io.ReadAll(w.Result().Body)
	if err != nil || w.Code != 200 {
		t.Fatalf("%d %s: %v", w.Code, body, err)
	}
	for line := range strings.Lines(string(body)) {
		if strings.HasPrefix(line, "staunch_attest_") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

func noList() *android.StatusList { return nil }

// TestVerdictMetrics: what is counted of a verdict, and that nothing in it
// tells who it was about.
func TestVerdictMetrics(t *testing.T) {
	m := newMetrics(noList, time.Now)
	position := 1
	secret := "Sony SOV37 of a_aaaaaaaaaaaaaaaaaaaaaaaaaa"
	for range 2 {
		m.verdict(registry.Observation{
			App: "demo", Platform: "android", Operation: attest.OperationRegister, Verdict: "would_deny", Mode: attest.ModeObserve,
			Findings:   []attest.Finding{{Code: "android.ca_bit", Class: attest.Honest, Effect: attest.Reject, Position: &position, Detail: secret}},
			Exceptions: []string{"sov37"}, Unrecorded: true,
		})
	}
	got := strings.Join(scrape(t, m), "\n")
	for _, want := range []string{
		`staunch_attest_verdicts_total{app="demo",mode="observe",operation="register",platform="android",verdict="would_deny"} 2`,
		`staunch_attest_findings_total{app="demo",class="honest",code="android.ca_bit",effect="reject",platform="android"} 2`,
		`staunch_attest_exception_uses_total{id="sov37"} 2`,
		`staunch_attest_unrecorded_total{app="demo"} 2`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	if strings.Contains(got, "Sony") || strings.Contains(got, "a_aaa") {
		t.Errorf("a label tells too much:\n%s", got)
	}
}

// TestKeyMetric: keys are counted by app, platform and state, once a minute,
// and a store that is away takes nothing back.
func TestKeyMetric(t *testing.T) {
	s, err := sqlite.Open(t.Context(), &sqlite.Options{Path: filepath.Join(t.TempDir(), "demo.db"), App: "demo"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	put := func(n int, platform string, state registry.State) {
		t.Helper()
		err := s.Update(t.Context(), func(tx *sqlite.Tx) error {
			return tx.PutAttestedKey(t.Context(), registry.Key{
				ID: fmt.Sprint(n), App: "demo", Account: account.ID("a"), Platform: platform, SPKI: []byte{1}, State: state, RegisteredAt: now,
			})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var logged bytes.Buffer
	m := newMetrics(noList, func() time.Time { return now })
	m.registry.MustRegister(newKeyCounts([]*app{{id: "demo", store: s}}, slog.New(slog.NewTextHandler(&logged, nil)), func() time.Time { return now }))
	keys := func() (lines []string) {
		for _, line := range scrape(t, m) {
			if rest, ok := strings.CutPrefix(line, "staunch_attest_keys"); ok {
				lines = append(lines, rest)
			}
		}
		return lines
	}
	want := func(lines ...string) {
		t.Helper()
		if got := keys(); strings.Join(got, "\n") != strings.Join(lines, "\n") {
			t.Errorf("%q, want %q", got, lines)
		}
	}
	want()
	put(1, "android", registry.StateActive)
	put(2, "android", registry.StateActive)
	put(3, "apple", registry.StateRevoked)
	want() // as counted before
	now = now.Add(time.Minute)
	all := []string{`{app="demo",platform="android",state="active"} 2`, `{app="demo",platform="apple",state="revoked"} 1`}
	want(all...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Minute)
	want(all...)
	if !strings.Contains(logged.String(), "keys cannot be counted") {
		t.Errorf("logged %s", logged.String())
	}
}
