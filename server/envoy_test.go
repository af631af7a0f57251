package server_test

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/attest/attesttest"
	attestv1 "github.com/staunchid/staunch/gen/staunch/attest/v1"
	"github.com/staunchid/staunch/gen/staunch/attest/v1/attestv1connect"
	extauthzv1 "github.com/staunchid/staunch/gen/staunch/extauthz/v1"
	"github.com/staunchid/staunch/rpc/extauthz"
)

// TestEnvoy: the server answers an Envoy on its one address, for a phone that
// is registered there, and shows the calls among its metrics. `make test-envoy`
// asks with a real one.
func TestEnvoy(t *testing.T) {
	const owner = "a_demodemodemodemodemodemode"
	s := start(t, setup(t))
	ctx, now := t.Context(), time.Now()
	withToken := connect.WithInterceptors(connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, r connect.AnyRequest) (connect.AnyResponse, error) {
			r.Header().Set("Authorization", "Bearer "+secret[:40])
			return next(ctx, r)
		}
	}))
	api := attestv1connect.NewAttestServiceClient(http.DefaultClient, s.URL(), withToken)
	c, err := api.CreateChallenge(ctx, connect.NewRequest(&attestv1.CreateChallengeRequest{Account: owner, Purpose: attestv1.Purpose_PURPOSE_REGISTER}))
	if err != nil {
		t.Fatal(err)
	}
	ca, err := attesttest.TestAndroidCA(now)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ca.Phone().GenerateKey(now, c.Msg.GetChallenge())
	if err != nil {
		t.Fatal(err)
	}
	registered, err := api.Register(ctx, connect.NewRequest(&attestv1.RegisterRequest{
		Account: owner, Challenge: c.Msg.GetChallenge(),
		Evidence: &attestv1.RegisterRequest_CertificateChain{CertificateChain: &attestv1.CertificateChain{Certificates: key.Chain()}},
	}))
	if err != nil || registered.Msg.GetDecision() != attestv1.Decision_DECISION_ALLOW {
		t.Fatal(registered, err)
	}

	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: p}
	defer transport.CloseIdleConnections()
	envoy := func(opts ...connect.ClientOption) func(*extauthzv1.CheckRequest) (*extauthzv1.CheckResponse, error) {
		client := connect.NewClient[extauthzv1.CheckRequest, extauthzv1.CheckResponse](&http.Client{Transport: transport}, s.URL()+extauthz.Procedure, append(opts, connect.WithGRPC())...)
		return func(m *extauthzv1.CheckRequest) (*extauthzv1.CheckResponse, error) {
			res, err := client.CallUnary(ctx, connect.NewRequest(m))
			if err != nil {
				return nil, err
			}
			return res.Msg, nil
		}
	}
	payment := described(t, key)
	if res, err := envoy()(payment); connect.CodeOf(err) != connect.CodeUnauthenticated {
		t.Errorf("without the token: %v, %v", res, err)
	}
	res, err := envoy(withToken)(payment)
	if err != nil || res.GetOkResponse() == nil {
		t.Fatalf("%v, %v", res, err)
	}
	told := map[string]string{}
	for _, f := range res.GetOkResponse().GetHeaders() {
		told[f.GetHeader().GetKey()] = f.GetHeader().GetValue()
	}
	if told["x-staunch-key"] != key.ID() {
		t.Errorf("%v", res)
	}
	if res, err = envoy(withToken)(payment); err != nil || res.GetDeniedResponse().GetStatus().GetCode() != http.StatusForbidden {
		t.Errorf("replay: %v, %v", res, err)
	}
	_, metrics := get(t, s.URL()+"/metrics")
	for _, want := range []string{
		`staunch_rpc_calls_total{code="unauthenticated",procedure="` + extauthz.Procedure + `",reason="TOKEN_INVALID"} 1`,
		`staunch_rpc_decisions_total{advice="NONE",app="demo",decision="ALLOW",procedure="` + extauthz.Procedure + `"} 1`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %s among the metrics", want)
		}
	}
}

// described is a signed payment as Envoy describes it.
func described(t *testing.T, key *attesttest.AndroidKey) *extauthzv1.CheckRequest {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, "https://pay.example.com/v1/remit", strings.NewReader(`{"amount":1200}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := key.SignRequest(time.Now(), r); err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	h := &extauthzv1.HttpRequest{Method: r.Method, Path: "/v1/remit", Host: "pay.example.com", RawBody: body, HeaderMap: &extauthzv1.HeaderMap{}}
	r.Header[":method"], r.Header[":path"], r.Header[":authority"] = []string{h.Method}, []string{h.Path}, []string{h.Host}
	r.Header.Set("Content-Length", strconv.Itoa(len(body)))
	for name, lines := range r.Header {
		for _, line := range lines {
			h.HeaderMap.Headers = append(h.HeaderMap.Headers, &extauthzv1.HeaderValue{Key: strings.ToLower(name), RawValue: []byte(line)})
		}
	}
	return &extauthzv1.CheckRequest{Attributes: &extauthzv1.AttributeContext{Request: &extauthzv1.Request{Http: h}}}
}
