package load_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/client"
	"github.com/staunchid/staunch/config"
	attestv1 "github.com/staunchid/staunch/gen/staunch/attest/v1"
	"github.com/staunchid/staunch/gen/staunch/attest/v1/attestv1connect"
	"github.com/staunchid/staunch/internal/load"
	"github.com/staunchid/staunch/server"
)

const secret = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// serve runs a server with a policy and returns its address.
func serve(t *testing.T, policy string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"policy.toml": policy, "status.json": `{"entries": {}}`, "token": secret, "root": strings.Repeat("57", 32),
		"staunch.toml": `listen = "127.0.0.1:0"
data_dir = "data"
[attest]
policy_file = "policy.toml"
status_list_file = "status.json"
evidence_retention = "24h"
[[app]]
id = "demo"
service_token_file = "token"
root_secret_file = "root"
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := config.Load(filepath.Join(dir, "staunch.toml"))
	if err != nil {
		t.Fatal(err)
	}
	srv, err := server.New(&server.Options{Config: cfg, DangerousTestRoots: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- srv.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return srv.URL()
}

func service(t *testing.T, url, secret string) attestv1connect.AttestServiceClient {
	t.Helper()
	token, err := client.NewToken(secret)
	if err != nil {
		t.Fatal(err)
	}
	var h *http.Client
	if h, err = (&client.Options{URL: url, Token: token}).HTTP(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.CloseIdleConnections)
	return attestv1connect.NewAttestServiceClient(h, url)
}

func run(t *testing.T, ctx context.Context, opts *load.Options) (*load.Report, error) {
	t.Helper()
	l, err := load.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return l.Run(ctx)
}

// row finds what was answered to a kind of phones for an action.
func row(t *testing.T, r *load.Report, kind load.Kind, action string) load.Row {
	t.Helper()
	i := slices.IndexFunc(r.Rows, func(r load.Row) bool { return r.Kind == kind && r.Action == action })
	if i < 0 {
		t.Fatalf("no row for %s, %s: %+v", kind, action, r.Rows)
	}
	return r.Rows[i]
}

// TestRun: a fleet of all kinds against a real server holds no surprise, and
// every abuse is tried.
func TestRun(t *testing.T) {
	url := serve(t, attesttest.DemoPolicy())
	told := atomic.Int64{}
	report, err := run(t, t.Context(), &load.Options{
		Service: service(t, url, secret), App: "demo", Phones: 80, Requests: 700, Mix: load.Mix{Honest: 2, Deviating: 1, Abusive: 1},
		Progress: func(p load.Progress) { told.Add(1) },
	})
	if err != nil || !report.Good() {
		t.Fatalf("%v: %+v", err, report)
	}
	if report.Registered != 80 || report.Phones != 80 || report.Interrupted || len(report.Calls) != 3 || report.Requests < 700 {
		t.Errorf("%+v", report)
	}
	if report.Seconds > 2 && told.Load() == 0 {
		t.Error("no progress was told")
	}
	actions := 0
	for _, r := range report.Rows {
		if r.Kind == load.Abusive && r.Code != "" {
			actions++
			if r.Accepted != 0 || r.Refused != r.Answers || r.Answers == 0 {
				t.Errorf("%+v", r)
			}
		}
	}
	if want := 12 + 10; actions != want { // of registrations and of requests; the platforms share some
		t.Errorf("%d abuses, want %d: %+v", actions, want, report.Rows)
	}
	if r := row(t, report, load.Deviating, "register Example Birch 2"); r.Accepted != 0 || r.Codes["android.issuer_name"] != r.Refused {
		t.Errorf("%+v", r)
	}
	for _, action := range []string{"request, the first of two", "register, the first of two"} {
		if r := row(t, report, load.Abusive, action); r.Accepted == 0 || r.Refused > 0 {
			t.Errorf("%+v", r)
		}
	}
	if r := row(t, report, load.Honest, "register"); r.Accepted != 40 || r.Refused != 0 {
		t.Errorf("%+v", r)
	}
}

// TestObserve: where a stage only observes, everybody passes, and that is told
// apart from being accepted.
func TestObserve(t *testing.T) {
	policy := strings.Replace(attesttest.DemoPolicy(), `mode = "enforce"`, `mode = "observe"`, 1)
	report, err := run(t, t.Context(), &load.Options{
		Service: service(t, serve(t, policy), secret), Phones: 40, Requests: 120, Mix: load.Mix{Honest: 1, Abusive: 1},
	})
	if err != nil || !report.Good() {
		t.Fatalf("%v: %+v", err, report)
	}
	observed := int64(0)
	for _, r := range report.Rows {
		observed += r.Observed
		if r.Action == "request: not signed" && r.Observed != r.Refused {
			t.Errorf("%+v", r)
		}
	}
	if observed == 0 {
		t.Errorf("nobody was let pass: %+v", report.Rows)
	}
}

// TestRegisterOnly: no request is sent.
func TestRegisterOnly(t *testing.T) {
	report, err := run(t, t.Context(), &load.Options{Service: service(t, serve(t, attesttest.DemoPolicy()), secret), Phones: 5, RegisterOnly: true})
	if err != nil || !report.Good() || report.Registered != 5 || report.Requests != 0 || len(report.Calls) != 2 {
		t.Errorf("%v: %+v", err, report)
	}
}

// liar is a server that changes its answers.
type liar struct {
	attestv1connect.AttestServiceClient
	register func(*attestv1.RegisterResponse)
	verify   func(*attestv1.VerifyRequestResponse)
	err      func() error // instead of an answer to VerifyRequest
}

func (l *liar) Register(ctx context.Context, r *connect.Request[attestv1.RegisterRequest]) (*connect.Response[attestv1.RegisterResponse], error) {
	res, err := l.AttestServiceClient.Register(ctx, r)
	if err == nil && l.register != nil {
		l.register(res.Msg)
	}
	return res, err
}

func (l *liar) VerifyRequest(ctx context.Context, r *connect.Request[attestv1.VerifyRequestRequest]) (*connect.Response[attestv1.VerifyRequestResponse], error) {
	if l.err != nil {
		if err := l.err(); err != nil {
			return nil, err
		}
	}
	res, err := l.AttestServiceClient.VerifyRequest(ctx, r)
	if err == nil && l.verify != nil {
		l.verify(res.Msg)
	}
	return res, err
}

// TestSurprises: a server that answers wrongly is found out.
func TestSurprises(t *testing.T) {
	url := serve(t, attesttest.DemoPolicy())
	accept := &attestv1.Verdict{Accept: true}
	reject := &attestv1.Verdict{Findings: []*attestv1.Finding{{Code: "android.patch_old", Effect: attestv1.Effect_EFFECT_REJECT}}}
	tests := []struct {
		name string
		liar liar
		mix  load.Mix
		want string // in a surprise
		err  error
	}{
		{"lets every key in", liar{register: func(r *attestv1.RegisterResponse) {
			r.Decision, r.Verdict = attestv1.Decision_DECISION_ALLOW, accept
		}}, load.Mix{Abusive: 1}, "let in, which android.root_unknown should have refused", nil},
		{"lets every request in", liar{verify: func(r *attestv1.VerifyRequestResponse) {
			r.Decision, r.Verdict = attestv1.Decision_DECISION_ALLOW, accept
		}}, load.Mix{Abusive: 1}, "let in, which common.signature_missing should have refused", nil},
		{"names another key", liar{verify: func(r *attestv1.VerifyRequestResponse) {
			if r.GetKey() != nil {
				r.Key.KeyId = "somebody's"
			}
		}}, load.Mix{Honest: 1}, `another key is named: "somebody's"`, nil},
		{"names a key that has not signed", liar{verify: func(r *attestv1.VerifyRequestResponse) {
			r.Key = &attestv1.VerifiedKey{KeyId: "somebody's"}
		}}, load.Mix{Abusive: 1}, `the key "somebody's" is named all the same`, nil},
		{"refuses good keys", liar{register: func(r *attestv1.RegisterResponse) {
			r.Decision, r.Verdict = attestv1.Decision_DECISION_DENY, reject
		}}, load.Mix{Honest: 1}, "refused for android.patch_old", load.ErrRefused},
		{"refuses good requests", liar{verify: func(r *attestv1.VerifyRequestResponse) {
			r.Decision, r.Verdict, r.Key = attestv1.Decision_DECISION_DENY, reject, nil
		}}, load.Mix{Honest: 1}, "refused for android.patch_old", load.ErrRefused},
		{"refuses faulty phones for something else", liar{register: func(r *attestv1.RegisterResponse) {
			r.Decision, r.Verdict = attestv1.Decision_DECISION_DENY, reject
		}}, load.Mix{Deviating: 1}, "refused for android.patch_old, and not for android.ca_bit", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.liar.AttestServiceClient = service(t, url, secret)
			report, err := run(t, t.Context(), &load.Options{Service: &tt.liar, Phones: 16, Requests: 160, Mix: tt.mix})
			if !errors.Is(err, tt.err) {
				t.Errorf("%v, want %v", err, tt.err)
			}
			if !slices.ContainsFunc(report.Surprises, func(s load.Surprise) bool { return strings.Contains(s.What, tt.want) }) {
				t.Errorf("no surprise %q: %+v", tt.want, report.Surprises)
			}
			if report.Good() {
				t.Error("it is good all the same")
			}
		})
	}
}

// TestErrors: what stands in the way is told as such, and at once.
func TestErrors(t *testing.T) {
	url := serve(t, attesttest.DemoPolicy())
	tests := []struct {
		name string
		opts load.Options
		want error
		text string
	}{
		{"away", load.Options{Service: service(t, "http://127.0.0.1:1", secret)}, load.ErrAway, "refused"},
		{"no Staunch", load.Options{Service: service(t, url+"/healthz", secret)}, load.ErrAway, "404"},
		{"token", load.Options{Service: service(t, url, strings.Repeat("ab", 32))}, load.ErrToken, "service_token_file"},
		{"app", load.Options{Service: service(t, url, secret), App: "chat"}, load.ErrToken, `not that of app "chat"`},
		{"host", load.Options{Service: service(t, url, secret), Authority: "other.example.com"}, load.ErrRefused, "request.authorities"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.opts.Phones, tt.opts.Duration, tt.opts.Mix = 20, time.Hour, load.Mix{Honest: 1}
			report, err := run(t, t.Context(), &tt.opts)
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("%v, want %v with %q", err, tt.want, tt.text)
			}
			if report == nil || report.Interrupted {
				t.Errorf("%+v", report)
			}
		})
	}
}

// TestAwayInBetween: a server that stops answering ends the run; one that stops
// for a moment is an error in the report.
func TestAwayInBetween(t *testing.T) {
	url := serve(t, attesttest.DemoPolicy())
	for name, failing := range map[string]int64{"for a moment": 5, "for good": 1 << 40} {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int64
			s := &liar{AttestServiceClient: service(t, url, secret), err: func() error {
				if n := calls.Add(1); n > 20 && n <= 20+failing {
					return connect.NewError(connect.CodeUnavailable, errors.New("store away"))
				}
				return nil
			}}
			report, err := run(t, t.Context(), &load.Options{Service: s, Phones: 5, Requests: 1000, Mix: load.Mix{Honest: 1}})
			if lasting := failing > 5; lasting != errors.Is(err, load.ErrAway) {
				t.Error(err)
			}
			if len(report.Errors) != 1 || report.Errors[0].Text != "unavailable: store away" || report.Good() || len(report.Surprises) > 0 {
				t.Errorf("%+v", report)
			}
		})
	}
}

// TestInterrupted: the report is of what was done before.
func TestInterrupted(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	var calls atomic.Int64
	s := &liar{AttestServiceClient: service(t, serve(t, attesttest.DemoPolicy()), secret), verify: func(*attestv1.VerifyRequestResponse) {
		if calls.Add(1) == 50 {
			stop()
		}
	}}
	report, err := run(t, ctx, &load.Options{Service: s, Phones: 5, Duration: time.Hour, Mix: load.Mix{Honest: 1}})
	if err != nil || !report.Interrupted || !report.Good() || report.Requests < 50 || report.Registered != 5 {
		t.Errorf("%v: %+v", err, report)
	}
}

func TestOptions(t *testing.T) {
	good := load.Options{Service: &liar{}, Phones: 1, Requests: 1}
	tests := []struct {
		name   string
		change func(*load.Options)
		want   string
	}{
		{"good", func(*load.Options) {}, ""},
		{"no end", func(o *load.Options) { o.Requests = 0 }, "neither Duration nor Requests"},
		{"no service", func(o *load.Options) { o.Service = nil }, "no Service"},
		{"no phones", func(o *load.Options) { o.Phones = 0 }, "at least 1"},
		{"rate", func(o *load.Options) { o.Rate = -1 }, "negative"},
		{"outcome", func(o *load.Options) { o.Deviating = "maybe" }, "either, accepted or refused"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := good
			tt.change(&o)
			_, err := load.New(&o)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}
