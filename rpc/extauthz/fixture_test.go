package extauthz_test

import (
	"bytes"
	"context"
	"crypto/subtle"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/request"
	extauthzv1 "github.com/staunchid/staunch/gen/staunch/extauthz/v1"
	"github.com/staunchid/staunch/rpc/extauthz"
)

const (
	chatToken  = "chat-token-of-thirty-two-characters"
	otherToken = "other-token-of-thirty-two-characters"
)

// secret is a Token.
type secret string

func (s secret) Matches(other string) bool {
	return subtle.ConstantTimeCompare([]byte(s), []byte(other)) == 1
}

// checker decides as Staunch does, for one key: a good signature, a nonce that
// is new. Its fields make it fail.
type checker struct {
	key *attesttest.AndroidKey

	mu       sync.Mutex
	seen     map[string]bool
	asked    []request.Check
	err      error
	panics   bool
	decision *request.Decision // instead of judging
}

func (c *checker) CheckRequest(_ context.Context, ask *request.Check) (*request.Decision, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, *ask)
	switch {
	case c.panics:
		panic("secret")
	case c.err != nil:
		return nil, c.err
	case c.decision != nil:
		return c.decision, nil
	}
	p, err := request.Parse(ask.Message)
	var f *request.Failure
	switch {
	case errors.As(err, &f):
		return &request.Decision{Codes: []string{f.Code}}, nil
	case err != nil:
		return nil, err
	}
	public, err := x509.ParsePKIXPublicKey(c.key.PublicKey())
	if err != nil {
		return nil, err
	}
	switch {
	case p.KeyID != c.key.ID(), ask.Account != "" && ask.Account != "a_owner":
		return &request.Decision{Advice: "NEW_KEY", Codes: []string{"common.key_unknown"}}, nil
	case p.At([]string{"pay.example.com"}) != nil:
		return &request.Decision{Codes: []string{request.CodeComponents}}, nil
	case !request.VerifySignature("ecdsa-p256-sha256", public, p.Base, p.Signature):
		return &request.Decision{Codes: []string{"common.signature"}}, nil
	case c.seen[p.Nonce]:
		return &request.Decision{Codes: []string{"common.replay"}}, nil
	}
	c.seen[p.Nonce] = true
	return &request.Decision{Allow: true, Identity: request.Identity{Key: p.KeyID, Account: "a_owner", Platform: "android", Tier: "affirming"}}, nil
}

// rig is the handler behind a real gRPC connection.
type rig struct {
	*checker
	url   string
	log   bytes.Buffer
	calls []extauthz.Call
	http  *http.Client
}

// newRig serves two apps, of which only chat has a phone.
func newRig(t testing.TB) *rig {
	t.Helper()
	g := &rig{checker: &checker{key: androidKey(t), seen: map[string]bool{}}}
	h, err := extauthz.New(&extauthz.Options{
		Apps: []extauthz.App{
			{ID: "other", Token: secret(otherToken), Checker: &checker{decision: &request.Decision{}}},
			{ID: "chat", Token: secret(chatToken), Checker: g.checker},
		},
		MaxBody: 1000,
		Logger:  slog.New(slog.NewTextHandler(&g.log, nil)),
		Observe: func(c extauthz.Call) { c.Duration = 0; g.calls = append(g.calls, c) },
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(extauthz.Procedure, h)
	server := httptest.NewUnstartedServer(mux)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(server.Close)
	only2 := new(http.Protocols)
	only2.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: only2}
	t.Cleanup(transport.CloseIdleConnections)
	g.url, g.http = server.URL, &http.Client{Transport: transport}
	return g
}

// call makes the call as Envoy does, with these lines of Authorization.
func (g *rig) call(m *extauthzv1.CheckRequest, authorization ...string) (*extauthzv1.CheckResponse, error) {
	client := connect.NewClient[extauthzv1.CheckRequest, extauthzv1.CheckResponse](g.http, g.url+extauthz.Procedure, connect.WithGRPC())
	req := connect.NewRequest(m)
	req.Header()["Authorization"] = authorization
	res, err := client.CallUnary(context.Background(), req)
	if err != nil {
		return nil, err
	}
	return res.Msg, nil
}

// check is a call with the token of chat.
func (g *rig) check(t testing.TB, m *extauthzv1.CheckRequest) *extauthzv1.CheckResponse {
	t.Helper()
	res, err := g.call(m, "Bearer "+chatToken)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// phone makes the key of all tests.
var phone = sync.OnceValues(func() (*attesttest.AndroidKey, error) {
	ca, err := attesttest.TestAndroidCA(time.Now())
	if err != nil {
		return nil, err
	}
	return ca.Phone().GenerateKey(time.Now(), nil)
})

func androidKey(t testing.TB) *attesttest.AndroidKey {
	t.Helper()
	key, err := phone()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// payment is a request that a phone is about to send.
func payment(t testing.TB) *http.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, "https://pay.example.com/v1/remit?dry=0", strings.NewReader(`{"amount":1200}`))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// signed is a payment, signed, as Envoy describes it.
func (g *rig) signed(t testing.TB) *extauthzv1.CheckRequest {
	t.Helper()
	r := payment(t)
	if err := g.key.SignRequest(time.Now(), r); err != nil {
		t.Fatal(err)
	}
	return described(t, r)
}

// described is r as Envoy 1.40 describes it, configured as the manual says;
// TestRecorded holds what it sends against this.
func described(t testing.TB, r *http.Request) *extauthzv1.CheckRequest {
	t.Helper()
	h := &extauthzv1.HttpRequest{Method: r.Method, Path: r.URL.RequestURI(), Host: r.URL.Host, HeaderMap: &extauthzv1.HeaderMap{}}
	add(h, ":authority", h.Host)
	add(h, ":path", h.Path)
	add(h, ":method", h.Method)
	add(h, ":scheme", "http")
	for name, lines := range r.Header {
		for _, line := range lines {
			add(h, strings.ToLower(name), line)
		}
	}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		h.RawBody = body
		add(h, "content-length", strconv.Itoa(len(body)))
		add(h, "x-envoy-auth-partial-body", "false")
	}
	return &extauthzv1.CheckRequest{Attributes: &extauthzv1.AttributeContext{Request: &extauthzv1.Request{Http: h}}}
}

func add(h *extauthzv1.HttpRequest, name, value string) {
	h.HeaderMap.Headers = append(h.HeaderMap.Headers, &extauthzv1.HeaderValue{Key: name, RawValue: []byte(value)})
}

// set replaces the lines of a field by one, or by none for an empty value.
func set(h *extauthzv1.HttpRequest, name, value string) {
	var kept []*extauthzv1.HeaderValue
	for _, line := range h.HeaderMap.Headers {
		if line.Key != name {
			kept = append(kept, line)
		}
	}
	if h.HeaderMap.Headers = kept; value != "" {
		add(h, name, value)
	}
}
