package extauthz_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/attest/request"
	extauthzv1 "github.com/staunchid/staunch/gen/staunch/extauthz/v1"
	"github.com/staunchid/staunch/rpc/extauthz"
)

// refusal is what a client is told.
type refusal struct {
	Status         int
	Reason, Advice string
}

// refusalOf reads a refusal, and wants it to be one that Envoy cannot take for
// an allowance, with fields in place of all others.
func refusalOf(t testing.TB, res *extauthzv1.CheckResponse) (refusal, http.Header) {
	t.Helper()
	denied := res.GetDeniedResponse()
	if denied == nil || res.GetStatus().GetCode() == 0 {
		t.Fatalf("not a refusal: %v", res)
	}
	header := http.Header{}
	for _, f := range denied.GetHeaders() {
		if f.GetAppendAction() != extauthzv1.AppendAction_APPEND_ACTION_OVERWRITE_IF_EXISTS_OR_ADD {
			t.Errorf("%v does not overwrite", f)
		}
		header.Add(f.GetHeader().GetKey(), f.GetHeader().GetValue())
	}
	got := refusal{Status: int(denied.GetStatus().GetCode())}
	if err := json.Unmarshal([]byte(denied.GetBody()), &got); err != nil {
		t.Fatalf("%v in %q", err, denied.GetBody())
	}
	if header.Get("Content-Type") != "application/json" || header.Get("Cache-Control") != "no-store" {
		t.Errorf("header %v", header)
	}
	return got, header
}

// upstream is the header that the upstream gets, when the client has sent these
// fields and Envoy does with them what it is told: it sets first, and removes
// then. Names are in lower case, as Envoy has them.
func upstream(t testing.TB, res *extauthzv1.CheckResponse, sent map[string][]string) map[string][]string {
	t.Helper()
	ok := res.GetOkResponse()
	if ok == nil || res.GetStatus() == nil || res.GetStatus().GetCode() != 0 {
		t.Fatalf("not allowed: %v", res)
	}
	got := map[string][]string{}
	for name, lines := range sent {
		got[strings.ToLower(name)] = append(got[strings.ToLower(name)], lines...)
	}
	for _, f := range ok.GetHeaders() {
		if f.GetAppendAction() != extauthzv1.AppendAction_APPEND_ACTION_OVERWRITE_IF_EXISTS_OR_ADD {
			t.Errorf("%v does not overwrite", f)
		}
		got[f.GetHeader().GetKey()] = []string{f.GetHeader().GetValue()}
	}
	for _, name := range ok.GetHeadersToRemove() {
		delete(got, name)
	}
	return got
}

// TestAllowed: the upstream gets what was proved, and nothing of the client's
// own. Fields of other names stay.
func TestAllowed(t *testing.T) {
	g := newRig(t)
	m := g.signed(t)
	sent := map[string][]string{"x-staunch-key": {"evil", "evil too"}, "x-staunch-account": {"evil"}, "x-staunch-admin": {"1"}, "x_staunch_tier": {"evil"}, "x.staunch.account": {"evil"}, "x-staunch.key": {"evil"}, "x-stanch": {"mine"},
		"x-http-method-override": {"DELETE"}, "x_original_url": {"/v1/other"}, "x-forwarded-host": {"a"}}
	for name, lines := range sent {
		for _, line := range lines {
			add(m.Attributes.Request.Http, name, line)
		}
	}
	got := upstream(t, g.check(t, m), sent)
	want := map[string][]string{"x-staunch-key": {g.key.ID()}, "x-staunch-account": {"a_owner"}, "x-staunch-tier": {"affirming"}, "x-stanch": {"mine"}, "x-forwarded-host": {"a"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]extauthz.Call{{App: "chat", Code: "ok", Decision: "ALLOW", Advice: "NONE"}}, g.calls); d != "" {
		t.Error(d)
	}
	if msg := g.asked[0].Message; msg.Authority != "pay.example.com" || msg.Path != "/v1/remit" || msg.Query != "?dry=0" || msg.Method != http.MethodPost || !msg.HasBody {
		t.Errorf("the checker was asked about %+v", msg)
	}
}

// TestAllowedUnproved: a rollout that only observes allows a request whose
// sender nobody knows. The upstream learns of none.
func TestAllowedUnproved(t *testing.T) {
	g := newRig(t)
	g.decision = &request.Decision{Allow: true}
	m := described(t, payment(t))
	sent := map[string][]string{"x-staunch-key": {"evil"}, "x-staunch-account": {"evil"}, "x-staunch-tier": {"evil"}}
	if got := upstream(t, g.check(t, m), sent); len(got) != 0 {
		t.Errorf("the upstream gets %v", got)
	}
}

// TestRefused: small changes to a good request, and the documented answers.
func TestRefused(t *testing.T) {
	rejected := refusal{http.StatusForbidden, "ATTEST_REJECTED", "CONTACT"}
	large := refusal{http.StatusRequestEntityTooLarge, "REQUEST_TOO_LARGE", "CONTACT"}
	tests := []struct {
		name   string
		change func(h *extauthzv1.HttpRequest)
		want   refusal
		code   string // in the log
	}{
		{"body", func(h *extauthzv1.HttpRequest) { h.RawBody[10]++ }, rejected, request.CodeDigest},
		{"path", func(h *extauthzv1.HttpRequest) { h.Path = "/v1/remi?dry=0"; set(h, ":path", h.Path) }, rejected, "common.signature"},
		{"query", func(h *extauthzv1.HttpRequest) { h.Path = "/v1/remit?dry=1"; set(h, ":path", h.Path) }, rejected, "common.signature"},
		{"method", func(h *extauthzv1.HttpRequest) { h.Method = "PUT"; set(h, ":method", "PUT") }, rejected, "common.signature"},
		{"authority", func(h *extauthzv1.HttpRequest) { h.Host = "pay.example.org"; set(h, ":authority", h.Host) }, rejected, request.CodeComponents},
		{"two signatures of ours", func(h *extauthzv1.HttpRequest) {
			for _, line := range h.HeaderMap.Headers {
				if line.Key == "signature" || line.Key == "signature-input" {
					add(h, line.Key, string(line.RawValue))
				}
			}
		}, rejected, request.CodeComponents},
		{"cut", func(h *extauthzv1.HttpRequest) { set(h, "x-envoy-auth-partial-body", "true") }, large, ""},
		{"shorter than said", func(h *extauthzv1.HttpRequest) { set(h, "content-length", "16") }, large, ""},
		{"not sent along", func(h *extauthzv1.HttpRequest) { h.RawBody = nil; set(h, "x-envoy-auth-partial-body", "") }, large, ""},
		{"too large", func(h *extauthzv1.HttpRequest) {
			h.RawBody = make([]byte, 1001)
			set(h, "content-length", "1001")
		}, large, ""},
		{"too large, length not said", func(h *extauthzv1.HttpRequest) {
			h.RawBody = make([]byte, 1001)
			set(h, "content-length", "")
		}, large, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := newRig(t)
			m := g.signed(t)
			tt.change(m.Attributes.Request.Http)
			got, header := refusalOf(t, g.check(t, m))
			if d := cmp.Diff(tt.want, got); d != "" || header.Get("Accept-Signature") != "" {
				t.Error(d, header)
			}
			if !strings.Contains(g.log.String(), tt.code) || strings.Contains(g.log.String(), "dry=") || strings.Contains(g.log.String(), "remi") {
				t.Errorf("log: %s", g.log.String())
			}
			if tt.want == large && len(g.asked) != 0 {
				t.Error("the checker was asked about half a request")
			}
		})
	}
}

// TestUnsigned: without a signature the client learns what to sign.
func TestUnsigned(t *testing.T) {
	g := newRig(t)
	got, header := refusalOf(t, g.check(t, described(t, payment(t))))
	if d := cmp.Diff(refusal{http.StatusUnauthorized, "ATTEST_REJECTED", "CONTACT"}, got); d != "" {
		t.Error(d)
	}
	want := `staunch=("@method" "@authority" "@path" "@query" "content-digest");created;tag="staunch-v1"`
	if got := header.Get("Accept-Signature"); !strings.HasPrefix(got, `staunch=("@method" "@authority" "@path" "@query" "content-digest")`) || !strings.Contains(got, `tag="staunch-v1"`) {
		t.Errorf("Accept-Signature: %s, want about %s", got, want)
	}
	if d := cmp.Diff([]extauthz.Call{{App: "chat", Code: "ok", Reason: "ATTEST_REJECTED", Decision: "DENY", Advice: "CONTACT"}}, g.calls); d != "" {
		t.Error(d)
	}
}

// TestReplayed: the same call again is a replay, and the checker is asked once
// a call.
func TestReplayed(t *testing.T) {
	g := newRig(t)
	m := g.signed(t)
	upstream(t, g.check(t, m), nil)
	got, _ := refusalOf(t, g.check(t, m))
	if got.Status != http.StatusForbidden || len(g.asked) != 2 {
		t.Errorf("%+v, asked %d times", got, len(g.asked))
	}
}

// TestSeveralLines: fields are judged line by line and byte by byte, combined
// as the phone did it, and reach the upstream as the one line that was signed.
func TestSeveralLines(t *testing.T) {
	g := newRig(t)
	sign := func() (*extauthzv1.CheckRequest, []*extauthzv1.HeaderValue) {
		r := payment(t)
		r.Header["X-Note"] = []string{"one!", "two"}
		if err := request.Sign(r, &request.Signing{KeyID: g.key.ID(), Sign: g.key.Sign, Fields: []string{"x-note"}}); err != nil {
			t.Fatal(err)
		}
		m := described(t, r)
		return m, slices.DeleteFunc(slices.Clone(m.Attributes.Request.Http.HeaderMap.Headers), func(l *extauthzv1.HeaderValue) bool { return l.Key != "x-note" })
	}
	m, _ := sign()
	sent := map[string][]string{"x-note": {"one!", "two"}, "x_note": {"three"}}
	add(m.Attributes.Request.Http, "x_note", "three")
	got := upstream(t, g.check(t, m), sent)
	for _, name := range []string{"x-staunch-key", "x-staunch-account", "x-staunch-tier"} {
		delete(got, name)
	}
	if d := cmp.Diff(map[string][]string{"x-note": {"one!, two"}}, got); d != "" {
		t.Errorf("the upstream gets another field than the one that was signed: %s", d)
	}

	m, note := sign()
	note[0].RawValue = []byte("one\xff") // which Envoy writes as "one!" when it writes text
	if got, _ := refusalOf(t, g.check(t, m)); got.Status != http.StatusForbidden {
		t.Errorf("another byte: %+v", got)
	}
	m, note = sign()
	note[0].RawValue, note[1].RawValue = note[1].RawValue, note[0].RawValue
	if got, _ := refusalOf(t, g.check(t, m)); got.Status != http.StatusForbidden {
		t.Errorf("another order: %+v", got)
	}
}

// TestAway: who cannot tell lets nothing pass.
func TestAway(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
	}{
		{"store away", fmt.Errorf("%w: the disk is full", request.ErrUnavailable)},
		{"anything else", errors.New("the disk is full")},
	} {
		g := newRig(t)
		g.err = tt.err
		got, header := refusalOf(t, g.check(t, g.signed(t)))
		if d := cmp.Diff(refusal{http.StatusServiceUnavailable, "STAUNCH_AWAY", "RETRY"}, got); d != "" || header.Get("Retry-After") == "" {
			t.Error(tt.name, d, header)
		}
		if !strings.Contains(g.log.String(), "the disk is full") || !strings.Contains(g.log.String(), "ERROR") {
			t.Errorf("%s: log: %s", tt.name, g.log.String())
		}
		if d := cmp.Diff([]extauthz.Call{{App: "chat", Code: "unavailable", Reason: "STAUNCH_AWAY"}}, g.calls); d != "" {
			t.Error(d)
		}
	}
}

// TestPanic: a panic is an error, which Envoy takes for no, and its text stays here.
func TestPanic(t *testing.T) {
	g := newRig(t)
	g.panics = true
	_, err := g.call(g.signed(t), "Bearer "+chatToken)
	if connect.CodeOf(err) != connect.CodeInternal || strings.Contains(err.Error(), "secret") {
		t.Errorf("error %v", err)
	}
	if !strings.Contains(g.log.String(), "stack") || g.calls[0].Reason != "INTERNAL" {
		t.Errorf("log: %s\ncalls: %v", g.log.String(), g.calls)
	}
}

// TestToken: without the token of an app nothing is judged.
func TestToken(t *testing.T) {
	tests := []struct {
		name          string
		authorization []string
		app           string
	}{
		{"chat", []string{"Bearer " + chatToken}, "chat"},
		{"scheme in lower case", []string{"bearer " + chatToken}, "chat"},
		{"other", []string{"Bearer " + otherToken}, "other"},
		{"none", nil, ""},
		{"empty", []string{"Bearer "}, ""},
		{"wrong", []string{"Bearer " + chatToken + "x"}, ""},
		{"scheme", []string{"Basic " + chatToken}, ""},
		{"no scheme", []string{chatToken}, ""},
		{"twice", []string{"Bearer " + chatToken, "Bearer " + chatToken}, ""},
	}
	for _, tt := range tests {
		g := newRig(t)
		_, err := g.call(g.signed(t), tt.authorization...)
		if want := tt.app == ""; (connect.CodeOf(err) == connect.CodeUnauthenticated) != want || (err == nil) == want {
			t.Errorf("%s: %v", tt.name, err)
		}
		if len(g.calls) != 1 || g.calls[0].App != tt.app || len(g.asked) > 0 != (tt.app == "chat") {
			t.Errorf("%s: %v, asked %d times", tt.name, g.calls, len(g.asked))
		}
		if strings.Contains(g.log.String(), chatToken) {
			t.Errorf("%s: the log has the token", tt.name)
		}
	}
}

// TestNotGRPC: only what Envoy speaks is spoken.
func TestNotGRPC(t *testing.T) {
	g := newRig(t)
	for _, contentType := range []string{"application/json", "application/proto", "application/grpc-web", "application/grpc+json", ""} {
		r, err := http.NewRequest(http.MethodPost, g.url+extauthz.Procedure, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+chatToken)
		r.Header.Set("Content-Type", contentType)
		res, err := g.http.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusUnsupportedMediaType {
			t.Errorf("%s: %s", contentType, res.Status)
		}
	}
}

// TestMessageTooLarge: what is far beyond MaxBody is not read.
func TestMessageTooLarge(t *testing.T) {
	g := newRig(t)
	m := g.signed(t)
	m.Attributes.Request.Http.RawBody = make([]byte, 1<<20)
	_, err := g.call(m, "Bearer "+chatToken)
	if connect.CodeOf(err) != connect.CodeResourceExhausted || len(g.asked) != 0 {
		t.Errorf("%v, asked %d times", err, len(g.asked))
	}
	if len(g.calls) != 1 || g.calls[0].Code == "ok" {
		t.Errorf("calls %v", g.calls)
	}
}

func TestOptions(t *testing.T) {
	good := extauthz.App{ID: "chat", Token: secret(chatToken), Checker: &checker{}}
	with := func(change func(*extauthz.App)) []extauthz.App {
		a := good
		change(&a)
		return []extauthz.App{a}
	}
	for name, opts := range map[string]*extauthz.Options{
		"no Apps":    {},
		"no ID":      {Apps: with(func(a *extauthz.App) { a.ID = "" })},
		"no Token":   {Apps: with(func(a *extauthz.App) { a.Token = nil })},
		"no Checker": {Apps: with(func(a *extauthz.App) { a.Checker = nil })},
		"twice":      {Apps: []extauthz.App{good, good}},
		"negative":   {Apps: []extauthz.App{good}, MaxBody: -1},
		"above":      {Apps: []extauthz.App{good}, MaxBody: 256<<20 + 1},
	} {
		if _, err := extauthz.New(opts); err == nil || !strings.HasPrefix(err.Error(), "extauthz: options: ") || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := extauthz.New(&extauthz.Options{Apps: []extauthz.App{good}}); err != nil {
		t.Error(err)
	}
}

// TestZeroDecision: the zero Decision denies.
func TestZeroDecision(t *testing.T) {
	g := newRig(t)
	g.decision = &request.Decision{}
	if got, _ := refusalOf(t, g.check(t, g.signed(t))); got.Status != http.StatusForbidden {
		t.Errorf("%+v", got)
	}
	if !slices.Equal(g.calls, []extauthz.Call{{App: "chat", Code: "ok", Reason: "ATTEST_REJECTED", Decision: "DENY", Advice: "CONTACT"}}) {
		t.Errorf("%v", g.calls)
	}
}
