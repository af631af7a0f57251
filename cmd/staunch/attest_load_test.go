package main

import (
	"bytes"
	"context"
	"encoding/asn1"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/client"
	"github.com/staunchid/staunch/config"
	attestv1 "github.com/staunchid/staunch/gen/staunch/attest/v1"
	"github.com/staunchid/staunch/gen/staunch/attest/v1/attestv1connect"
	"github.com/staunchid/staunch/internal/load"
	"github.com/staunchid/staunch/server"
)

// TestProposal lives through the manual's chapter on statistics: three days of a
// policy with profile strict, of which the server's clock is moved ahead. A model
// that is honest and refused is proposed an exception; a person takes it up; from
// then on this model is let in, and nobody else is. The outputs in the manual are
// those of this test.
func TestProposal(t *testing.T) {
	w := newWorld(t, time.Date(2026, 11, 16, 6, 0, 0, 0, time.UTC))
	phones := w.load(load.Options{Phones: 40, Requests: 40, Concurrency: 1, Deviating: load.Refused})
	for range 12 {
		w.run(phones)
		w.pass(6 * time.Hour)
	}
	now := w.now()
	stats := AttestStatsCmd{statApps: statApps{Config: w.config}, Since: "72h", By: []string{"model"}, Where: []string{"operation=register", "platform=android"}, Limit: 40}
	documented(t, "stats-model", w.print(func(s *streams) error { return stats.run(s, now) }))
	stats.By = []string{"model", "code", "position"}
	stats.Where = []string{"effect=reject", "class=honest"}
	documented(t, "stats-code", w.print(func(s *streams) error { return stats.run(s, now) }))
	suspects := AttestSuspectsCmd{statApps: statApps{Config: w.config}}
	documented(t, "suspects", w.print(func(s *streams) error { return suspects.run(s, now) }))
	suspects.Draft = true
	draft := w.print(func(s *streams) error { return suspects.run(s, now) })
	documented(t, "suspects-draft", draft)

	// As it is the draft does not load: somebody must answer for it.
	policy := w.policy()
	w.writePolicy(policy + "\n" + draft)
	if err := w.srv.Reload(t.Context()); err == nil || !strings.Contains(err.Error(), "somebody must answer") {
		t.Fatalf("a draft that nobody answers for: %v", err)
	}
	taken := regexp.MustCompile(`(?m)^owner = "".*$`).ReplaceAllString(draft, `owner = "security-rd"`)
	taken = regexp.MustCompile(`(?m)^ticket = "".*$`).ReplaceAllString(taken, `ticket = "SEC-1423"`)
	documented(t, "demo-part", taken)
	w.writePolicy(policy + "\n" + taken)
	w.pass(time.Minute)

	report := w.run(w.load(load.Options{Phones: 100, Requests: 100, Concurrency: 1}))
	for _, row := range report.Rows {
		accepted, excepted := int64(0), int64(0)
		switch {
		case row.Action == "register Example Cedar 4":
			accepted, excepted = row.Answers, row.Answers
		case row.Code == "":
			accepted = row.Answers // good phones, and what those of Cedar 4 send
		}
		if row.Answers == 0 || row.Accepted != accepted || row.Excepted != excepted {
			t.Errorf("%s, %s: %d answers, %d accepted, %d by exception; want %d and %d", row.Kind, row.Action, row.Answers, row.Accepted, row.Excepted, accepted, excepted)
		}
	}
	documented(t, "load", w.summary(report))
	w.othersStayOut()
}

// othersStayOut registers phones that would like to be taken for the model of
// the exception.
func (w *world) othersStayOut() {
	w.t.Helper()
	ours, err := attesttest.TestAndroidCA(w.now())
	if err != nil {
		w.t.Fatal(err)
	}
	foreign, err := attesttest.NewAndroidCA(w.now(), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	cedar4 := func(d *attesttest.AndroidDraft) {
		d.Description.HardwareEnforced.SetOctets(716, []byte("Example"))
		d.Description.HardwareEnforced.SetOctets(717, []byte("Cedar 4"))
	}
	notCA := func(d *attesttest.AndroidDraft) { d.Chain[1].RemoveExtension(asn1.ObjectIdentifier{2, 5, 29, 19}) }
	tests := []struct {
		name string
		ca   *attesttest.AndroidCA
		how  attesttest.Provisioning
		opts []attesttest.AndroidOption
		want string // that refuses it; empty: accepted
	}{
		{"the model", ours, attesttest.Factory, []attesttest.AndroidOption{cedar4, notCA}, ""},
		{"another model, which claims to be it", ours, attesttest.Factory, []attesttest.AndroidOption{notCA}, "android.ca_bit"},
		{"the model, in software only", ours, attesttest.Factory, []attesttest.AndroidOption{notCA, func(d *attesttest.AndroidDraft) {
			cedar4(d)
			hw := &d.Description.HardwareEnforced
			d.Description.SoftwareEnforced.SetOctets(716, []byte("Example"))
			d.Description.SoftwareEnforced.SetOctets(717, []byte("Cedar 4"))
			hw.Remove(716, 717)
		}}, "android.ca_bit"},
		{"the model by remote provisioning", ours, attesttest.RKP, []attesttest.AndroidOption{cedar4, notCA}, "android.ca_bit"},
		{"the model, with another fault", ours, attesttest.Factory, []attesttest.AndroidOption{cedar4, func(d *attesttest.AndroidDraft) {
			d.Leaf().NotAfter = w.now().Add(-time.Hour)
		}}, "android.leaf_validity"},
		{"the model, with roots of an attacker", foreign, attesttest.RKP, []attesttest.AndroidOption{cedar4, notCA}, "android.root_unknown"},
		{"the model, with an imported key", ours, attesttest.Factory, []attesttest.AndroidOption{cedar4, notCA, func(d *attesttest.AndroidDraft) {
			d.Description.HardwareEnforced.SetInteger(702, 2)
		}}, "android.origin"},
	}
	service := w.service()
	for _, tt := range tests {
		challenge, err := service.CreateChallenge(w.t.Context(), connect.NewRequest(&attestv1.CreateChallengeRequest{
			Account: demoAccount, Purpose: attestv1.Purpose_PURPOSE_REGISTER,
		}))
		if err != nil {
			w.t.Fatal(err)
		}
		phone := tt.ca.Phone()
		phone.Provisioning = tt.how
		key, err := phone.GenerateKey(w.now(), challenge.Msg.GetChallenge(), tt.opts...)
		if err != nil {
			w.t.Fatal(err)
		}
		res, err := service.Register(w.t.Context(), connect.NewRequest(&attestv1.RegisterRequest{
			Account: demoAccount, Challenge: challenge.Msg.GetChallenge(), Hints: &attestv1.Hints{Model: "Example Cedar 4"},
			Evidence: &attestv1.RegisterRequest_CertificateChain{CertificateChain: &attestv1.CertificateChain{Certificates: key.Chain()}},
		}))
		if err != nil {
			w.t.Fatal(err)
		}
		refused := ""
		for _, f := range res.Msg.GetVerdict().GetFindings() {
			if f.GetEffect() == attestv1.Effect_EFFECT_REJECT && refused == "" {
				refused = f.GetCode()
			}
		}
		allowed := res.Msg.GetDecision() == attestv1.Decision_DECISION_ALLOW
		if refused != tt.want || allowed != (tt.want == "") {
			w.t.Errorf("%s: allowed %t, refused for %q, want %q", tt.name, allowed, refused, tt.want)
		}
	}
}

// world is a server whose clock a test moves.
type world struct {
	t           *testing.T
	dir, config string
	clock       atomic.Int64 // nanoseconds since 1970
	srv         *server.Server
}

func newWorld(t *testing.T, now time.Time) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{t: t, dir: dir, config: filepath.Join(dir, configName)}
	w.clock.Store(now.UnixNano())
	if err := writeDevFiles(dir); err != nil {
		t.Fatal(err)
	}
	w.writePolicy(strings.Replace(w.policy(), `profile = "google"`, `profile = "strict"`, 1))
	w.freshen()
	cfg, err := config.Load(w.config)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Listen, cfg.Recovery.Profile = "127.0.0.1:0", config.ProfileNone
	if w.srv, err = server.New(&server.Options{Config: cfg, Now: w.now, DangerousTestRoots: true}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- w.srv.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) now() time.Time { return time.Unix(0, w.clock.Load()).UTC() }

// pass lets time pass, and loads policy and revocation list anew.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	w.clock.Add(int64(d))
	w.freshen()
	if err := w.srv.Reload(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// freshen makes the revocation list as new as the clock says.
func (w *world) freshen() {
	w.t.Helper()
	if err := os.Chtimes(filepath.Join(w.dir, statusName), w.now(), w.now()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) policy() string {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join(w.dir, policyName))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

func (w *world) writePolicy(text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, policyName), []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// service is the server as the app's backend calls it.
func (w *world) service() attestv1connect.AttestServiceClient {
	w.t.Helper()
	token, err := client.ReadToken(filepath.Join(w.dir, tokenName))
	if err != nil {
		w.t.Fatal(err)
	}
	h, err := (&client.Options{URL: w.srv.URL(), Token: token}).HTTP()
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(h.CloseIdleConnections)
	return attestv1connect.NewAttestServiceClient(h, w.srv.URL())
}

// load makes phones that live by the clock of the world.
func (w *world) load(o load.Options) *load.Load {
	w.t.Helper()
	o.Service, o.Now = w.service(), w.now
	l, err := load.New(&o)
	if err != nil {
		w.t.Fatal(err)
	}
	return l
}

// run wants no surprises.
func (w *world) run(l *load.Load) *load.Report {
	w.t.Helper()
	report, err := l.Run(w.t.Context())
	if err != nil || !report.Good() {
		w.t.Fatalf("%v, %+v %+v", err, report.Surprises, report.Errors)
	}
	return report
}

func (w *world) print(fn func(*streams) error) string {
	w.t.Helper()
	var out bytes.Buffer
	if err := fn(&streams{out: &out, err: &out}); err != nil {
		w.t.Fatal(err)
	}
	return out.String()
}

// summary is what `staunch attest load` would print, without times.
func (w *world) summary(r *load.Report) string {
	text := w.print(func(s *streams) error { (&AttestLoadCmd{}).summary(s.out, r); return nil })
	_, rows, ok := strings.Cut(text, "\n\nHONEST")
	if !ok {
		w.t.Fatal(text)
	}
	return "HONEST" + rows
}

// TestLoadProgress: a line of progress fits a terminal, also late in a bad run.
func TestLoadProgress(t *testing.T) {
	short := progressText(load.Progress{Phones: 200, Registered: 124, PerSecond: 271.6, P50: 54300 * time.Microsecond, P99: 106500 * time.Microsecond, Left: 11 * time.Second})
	if want := "124/200 phones  272 calls/s  p50 54.3ms  p99 106.5ms  11s left"; short != want {
		t.Errorf("%q, want %q", short, want)
	}
	long := progressText(load.Progress{Phones: 9999, Registered: 9999, PerSecond: 9999, P50: time.Second, P99: time.Second, Errors: 99, Surprises: 99, Left: time.Hour})
	if len(long) > 100 || !strings.Contains(long, "99 errors  99 surprises  1h0m0s left") {
		t.Errorf("%d columns: %q", len(long), long)
	}
	var out bytes.Buffer // no terminal
	show := showProgress(&out)
	for range 5 {
		show(load.Progress{Phones: 1})
	}
	if out.String() != "0/1 phones  0 calls/s  p50 0.0ms  p99 0.0ms\n" {
		t.Errorf("%q", out.String())
	}
}

// documented compares with a block of the manual, whose fence names it.
func documented(t *testing.T, name, got string) {
	t.Helper()
	const file = "../../docs/attestation.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	fence := "\n```text " + name + "\n"
	if name == "demo-part" { // whose loading is tested beside the manual
		fence = "\n```toml " + name + "\n"
	}
	begin, rest, ok := strings.Cut(string(text), fence)
	want, end, closed := strings.Cut(rest, "```\n")
	if !ok || !closed {
		t.Errorf("%s has no block %q", file, fence)
		return
	}
	if *updateGolden {
		want = got
		if err := os.WriteFile(file, []byte(begin+fence+got+"```\n"+end), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s, %s: %s", file, name, diff)
	}
}
