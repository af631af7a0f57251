package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/client"
	attestv1 "github.com/staunchid/staunch/gen/staunch/attest/v1"
	"github.com/staunchid/staunch/gen/staunch/attest/v1/attestv1connect"
)

const secret = "0123456789abcdef0123456789abcdef"

// staunch is a server that answers as it is told to.
type staunch struct {
	attestv1connect.UnimplementedAttestServiceHandler
	answer func(context.Context, *connect.Request[attestv1.VerifyRequestRequest]) (*attestv1.VerifyRequestResponse, error)
	calls  int
}

func (s *staunch) VerifyRequest(ctx context.Context, r *connect.Request[attestv1.VerifyRequestRequest]) (*connect.Response[attestv1.VerifyRequestResponse], error) {
	s.calls++
	m, err := s.answer(ctx, r)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(m), nil
}

// serve runs s and returns a Checker that asks it.
func serve(t *testing.T, s *staunch, change ...func(*client.Options)) *client.Checker {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle(attestv1connect.NewAttestServiceHandler(s))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	token, err := client.NewToken(secret + "\n")
	if err != nil {
		t.Fatal(err)
	}
	opts := &client.Options{URL: server.URL + "/", App: "demo", Token: token}
	for _, f := range change {
		f(opts)
	}
	c, err := client.NewChecker(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func check() *request.Check {
	m := &request.Message{
		Method: "POST", Authority: "pay.example.com", Path: "/v1/remit", Query: "?dry=0",
		Fields:         map[string]string{"content-digest": "sha-512=:", "x-a": "b"},
		SignatureInput: "staunch=()", Signature: "staunch=:AQ==:",
	}
	m.SetBody([]byte(`{"amount":1200}`))
	return &request.Check{Message: m, Account: "a_1", Country: "JP"}
}

// TestAsked: everything of a Check reaches the server, and the token with it.
func TestAsked(t *testing.T) {
	var asked *attestv1.VerifyRequestRequest
	var authorization string
	s := &staunch{answer: func(_ context.Context, r *connect.Request[attestv1.VerifyRequestRequest]) (*attestv1.VerifyRequestResponse, error) {
		asked, authorization = r.Msg, r.Header().Get("Authorization")
		return &attestv1.VerifyRequestResponse{}, nil
	}}
	if _, err := serve(t, s).CheckRequest(t.Context(), check()); err != nil {
		t.Fatal(err)
	}
	want, m := check(), asked
	got := &request.Check{Account: m.GetAccount(), Country: m.GetCountry(), Message: &request.Message{
		Method: m.GetMethod(), Authority: m.GetAuthority(), Path: m.GetPath(), Query: m.GetQuery(), Fields: m.GetFields(),
		SignatureInput: m.GetSignatureInput(), Signature: m.GetSignature(), HasBody: m.GetHasBody(),
		BodySHA256: m.GetBodySha256(), BodySHA512: m.GetBodySha512(), BodyMembers: m.GetBodyMembers(),
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("asked %+v, want %+v", got.Message, want.Message)
	}
	if m.GetApp() != "demo" || authorization != "Bearer "+secret {
		t.Errorf("as %s of %s", authorization, m.GetApp())
	}
	odd := check()
	odd.Country = "\xff" // what is no text would be no message
	if _, err := serve(t, s).CheckRequest(t.Context(), odd); err != nil || asked.GetCountry() != "?" {
		t.Errorf("country %q, %v", asked.GetCountry(), err)
	}
}

func TestDecision(t *testing.T) {
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	key := &attestv1.VerifiedKey{
		KeyId: "k", Account: "a_1", Platform: attestv1.Platform_PLATFORM_APPLE, Tier: attestv1.Tier_TIER_WARNING, RegisteredAt: timestamppb.New(at),
	}
	tests := []struct {
		name   string
		answer *attestv1.VerifyRequestResponse
		want   request.Decision
	}{
		{"allowed", &attestv1.VerifyRequestResponse{Decision: attestv1.Decision_DECISION_ALLOW, Advice: attestv1.Advice_ADVICE_NONE, Key: key},
			request.Decision{Allow: true, Advice: "NONE", Identity: request.Identity{Key: "k", Account: "a_1", Platform: "apple", Tier: "warning", RegisteredAt: at}}},
		{"observed", &attestv1.VerifyRequestResponse{Decision: attestv1.Decision_DECISION_ALLOW}, request.Decision{Allow: true}},
		{"denied", &attestv1.VerifyRequestResponse{
			Decision: attestv1.Decision_DECISION_DENY, Advice: attestv1.Advice_ADVICE_NEW_KEY,
			Verdict: &attestv1.Verdict{Findings: []*attestv1.Finding{
				{Code: "common.risk", Effect: attestv1.Effect_EFFECT_WARN}, {Code: "common.request_replay", Effect: attestv1.Effect_EFFECT_REJECT},
			}},
		}, request.Decision{Advice: "NEW_KEY", Codes: []string{"common.request_replay"}}},
		{"empty answer", &attestv1.VerifyRequestResponse{}, request.Decision{}},
		{"another decision", &attestv1.VerifyRequestResponse{Decision: 7}, request.Decision{}},
	}
	for _, tt := range tests {
		s := &staunch{answer: func(context.Context, *connect.Request[attestv1.VerifyRequestRequest]) (*attestv1.VerifyRequestResponse, error) {
			return tt.answer, nil
		}}
		got, err := serve(t, s).CheckRequest(t.Context(), check())
		if err != nil || !reflect.DeepEqual(*got, tt.want) {
			t.Errorf("%s: %+v, %v", tt.name, got, err)
		}
	}
}

// TestErrors: which of them are no doing of the request's, for a gate that may
// fail open on those.
func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		code           connect.Code
		domain, reason string
		unavailable    bool
	}{
		{connect.CodeUnavailable, "staunch", "STORE_AWAY", true},
		{connect.CodeDeadlineExceeded, "staunch", "DEADLINE_EXCEEDED", true},
		{connect.CodeUnavailable, "", "", false},
		{connect.CodeUnavailable, "staunch", "OTHER", false},
		{connect.CodeUnavailable, "example.com", "STORE_AWAY", false},
		{connect.CodeInternal, "staunch", "STORE_AWAY", false},
		{connect.CodeInternal, "staunch", "INTERNAL", false},
		{code: connect.CodeInvalidArgument}, {code: connect.CodeResourceExhausted}, {code: connect.CodeUnauthenticated}, {code: connect.CodePermissionDenied},
		{code: connect.CodeNotFound}, {code: connect.CodeUnimplemented}, {code: connect.CodeCanceled}, {code: connect.CodeUnknown}, {code: connect.CodeAborted},
		{code: connect.CodeFailedPrecondition}, {code: connect.CodeOutOfRange}, {code: connect.CodeAlreadyExists}, {code: connect.CodeDataLoss},
	} {
		s := &staunch{answer: func(context.Context, *connect.Request[attestv1.VerifyRequestRequest]) (*attestv1.VerifyRequestResponse, error) {
			err := connect.NewError(tt.code, errors.New("no"))
			if detail, bad := connect.NewErrorDetail(&errdetails.ErrorInfo{Domain: tt.domain, Reason: tt.reason}); bad == nil {
				err.AddDetail(detail)
			}
			return nil, err
		}}
		d, err := serve(t, s).CheckRequest(t.Context(), check())
		if d != nil || err == nil || errors.Is(err, request.ErrUnavailable) != tt.unavailable {
			t.Errorf("%+v: %+v, %v", tt, d, err)
		}
		if s.calls != 1 {
			t.Errorf("%+v: asked %d times", tt, s.calls)
		}
	}
	if _, err := serve(t, &staunch{}).CheckRequest(t.Context(), nil); err == nil {
		t.Error("nothing is checked")
	}
}

// TestAway: a server that is not there, or hangs.
func TestAway(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	c := serve(t, &staunch{}, func(o *client.Options) { o.URL = gone.URL })
	if _, err := c.CheckRequest(t.Context(), check()); !errors.Is(err, request.ErrUnavailable) {
		t.Errorf("gone: %v", err)
	}
	hangs := func() *staunch {
		return &staunch{answer: func(ctx context.Context, _ *connect.Request[attestv1.VerifyRequestRequest]) (*attestv1.VerifyRequestResponse, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}
	}
	c = serve(t, hangs(), func(o *client.Options) { o.Timeout = 50 * time.Millisecond })
	if _, err := c.CheckRequest(t.Context(), check()); !errors.Is(err, request.ErrUnavailable) {
		t.Errorf("hangs: %v", err)
	}
	// Whoever asked has gone: that is his doing.
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := serve(t, hangs()).CheckRequest(ctx, check()); err == nil || errors.Is(err, request.ErrUnavailable) {
		t.Errorf("the caller has gone: %v", err)
	}
}

// TestProxy: what stands in front of the server and answers for it.
func TestProxy(t *testing.T) {
	for status, unavailable := range map[int]bool{
		http.StatusBadGateway: true, http.StatusServiceUnavailable: true, http.StatusGatewayTimeout: true,
		http.StatusTooManyRequests: false, http.StatusBadRequest: false, http.StatusForbidden: false, http.StatusNotFound: false,
		http.StatusRequestEntityTooLarge: false, http.StatusRequestHeaderFieldsTooLarge: false, http.StatusInternalServerError: false, http.StatusOK: false,
	} {
		for contentType, body := range map[string]string{"text/plain": "no", "application/json": "no"} {
			proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", contentType)
				w.WriteHeader(status)
				fmt.Fprint(w, body)
			}))
			c := serve(t, &staunch{}, func(o *client.Options) { o.URL = proxy.URL })
			if d, err := c.CheckRequest(t.Context(), check()); d != nil || err == nil || errors.Is(err, request.ErrUnavailable) != unavailable {
				t.Errorf("%d, %s: %+v, %v", status, contentType, d, err)
			}
			proxy.Close()
		}
	}
	// A connection that breaks off is no answer.
	broken := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer broken.Close()
	c := serve(t, &staunch{}, func(o *client.Options) { o.URL = broken.URL })
	if d, err := c.CheckRequest(t.Context(), check()); d != nil || !errors.Is(err, request.ErrUnavailable) {
		t.Errorf("broken off: %+v, %v", d, err)
	}
}

// TestRedirect: the token goes to the server that was named, and nowhere else.
func TestRedirect(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("another server was called with %q", r.Header.Get("Authorization"))
	}))
	defer other.Close()
	server := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	c := serve(t, &staunch{}, func(o *client.Options) { o.URL = server.URL })
	if d, err := c.CheckRequest(t.Context(), check()); err == nil {
		t.Errorf("%+v", d)
	}
}

func TestNewChecker(t *testing.T) {
	token, err := client.NewToken(secret)
	if err != nil {
		t.Fatal(err)
	}
	for url, ok := range map[string]bool{
		"https://staunch.internal:8443": true, "https://staunch.internal/base": true,
		"http://127.0.0.1:8080": true, "http://[::1]:8080": true, "http://localhost:8080": true,
		"http://staunch.internal:8080": false, "http://10.0.0.1": false, "http://localhost.example.com": false,
		"": false, "staunch.internal:8443": false, "ftp://staunch.internal": false, "https://": false,
		"https://user:secret@staunch.internal": false, "https://staunch.internal?a=b": false, "https://staunch.internal#a": false, "https://a\nb": false,
	} {
		_, err := client.NewChecker(&client.Options{URL: url, Token: token})
		if (err == nil) != ok {
			t.Errorf("%s: %v", url, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error shows a password: %v", err)
		}
	}
	if _, err := client.NewChecker(nil); err == nil {
		t.Error("no options are taken")
	}
	if _, err := client.NewChecker(&client.Options{URL: "https://staunch.internal"}); err == nil {
		t.Error("no token is taken")
	}
	if _, err := client.NewChecker(&client.Options{URL: "https://staunch.internal", Token: token, Timeout: -1}); err == nil {
		t.Error("a negative timeout is taken")
	}
}

func TestToken(t *testing.T) {
	for text, ok := range map[string]bool{secret: true, " " + secret + "\r\n": true, "": false, "\n": false, "two words": false, "é": false, "a\x00": false} {
		if _, err := client.NewToken(text); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
	file := filepath.Join(t.TempDir(), "service.token")
	if _, err := client.ReadToken(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := os.WriteFile(file, []byte("two words\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := client.ReadToken(file); err == nil || strings.Contains(err.Error(), "two words") {
		t.Errorf("two words: %v", err)
	}
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	token, err := client.ReadToken(file)
	if err != nil {
		t.Fatal(err)
	}
	// It prints nowhere, alone or inside.
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("", "token", token, "options", client.Options{Token: token})
	text, err := json.Marshal(client.Options{Token: token})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{fmt.Sprint(token), fmt.Sprintf("%v %+v %#v %s %q %x %d", token, token, token, token, token, token, token), fmt.Sprintf("%+v %#v", client.Options{Token: token}, &client.Options{Token: token}), log.String(), string(text)} {
		if strings.Contains(s, secret) || strings.Contains(s, "30313233") {
			t.Error(s)
		}
	}
}
