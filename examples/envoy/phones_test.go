//go:build envoy

package envoy_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/attest/attesttest"
	attestv1 "github.com/staunchid/staunch/gen/staunch/attest/v1"
	"github.com/staunchid/staunch/gen/staunch/attest/v1/attestv1connect"
)

const payment = `{"amount":1200,"payee":"bob"}`

// bearer puts the token into calls of the API.
func bearer(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, r connect.AnyRequest) (connect.AnyResponse, error) {
		r.Header().Set("Authorization", "Bearer "+token)
		return next(ctx, r)
	}
}

// signer is the key of a phone.
type signer interface {
	SignRequest(now time.Time, r *http.Request, opts ...attesttest.RequestOption) error
}

// enrol registers a phone of each platform.
func (g *rig) enrol(t *testing.T) map[string]signer {
	t.Helper()
	ctx, now := t.Context(), time.Now()
	api := attestv1connect.NewAttestServiceClient(http.DefaultClient, g.api, connect.WithInterceptors(connect.UnaryInterceptorFunc(bearer)))
	register := func(fill func(challenge []byte, r *attestv1.RegisterRequest)) {
		c, err := api.CreateChallenge(ctx, connect.NewRequest(&attestv1.CreateChallengeRequest{Account: owner, Purpose: attestv1.Purpose_PURPOSE_REGISTER}))
		if err != nil {
			t.Fatal(err)
		}
		r := &attestv1.RegisterRequest{Account: owner, Challenge: c.Msg.GetChallenge()}
		fill(c.Msg.GetChallenge(), r)
		res, err := api.Register(ctx, connect.NewRequest(r))
		if err != nil || res.Msg.GetDecision() != attestv1.Decision_DECISION_ALLOW {
			t.Fatalf("register: %v, %v", res, err)
		}
	}
	android, err := attesttest.TestAndroidCA(now)
	if err != nil {
		t.Fatal(err)
	}
	apple, err := attesttest.TestAppleCA(now)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]signer{}
	register(func(challenge []byte, r *attestv1.RegisterRequest) {
		key, err := android.Phone().GenerateKey(now, challenge)
		if err != nil {
			t.Fatal(err)
		}
		keys["android"] = key
		r.Evidence = &attestv1.RegisterRequest_CertificateChain{CertificateChain: &attestv1.CertificateChain{Certificates: key.Chain()}}
	})
	register(func(challenge []byte, r *attestv1.RegisterRequest) {
		key := apple.Phone().GenerateKey()
		hash := sha256.Sum256(challenge)
		object, err := key.Attest(now, hash[:])
		if err != nil {
			t.Fatal(err)
		}
		keys["apple"] = key
		r.KeyId = base64.StdEncoding.EncodeToString(key.ID())
		r.Evidence = &attestv1.RegisterRequest_AttestationObject{AttestationObject: object}
	})
	return keys
}

// remit is a payment that a phone is about to send.
func remit(t *testing.T, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://pay.example.com/v1/remit?dry=0", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// signed is a payment that the phone has signed.
func signed(t *testing.T, key signer, opts ...attesttest.RequestOption) *http.Request {
	t.Helper()
	r := remit(t, payment)
	if err := key.SignRequest(time.Now(), r, opts...); err != nil {
		t.Fatal(err)
	}
	return r
}

// answer is what the client gets.
type answer struct {
	Status         int
	Reason, Advice string // of the JSON, if it is some
	Accept         bool   // there is an Accept-Signature
}

// send sends r to the variant's listener, and gives the answer and what has
// reached the upstream.
func (g *rig) send(t *testing.T, variant string, r *http.Request) (answer, []seen) {
	t.Helper()
	return g.sendBy(t, g.http, variant, r)
}

// sendBy sends r over HTTP/1.1 or HTTP/2, as the client does.
func (g *rig) sendBy(t *testing.T, client *http.Client, variant string, r *http.Request) (answer, []seen) {
	t.Helper()
	if r.Host == "" {
		r.Host = r.URL.Host
	}
	r.URL.Scheme, r.URL.Host = "http", "127.0.0.1:"+g.ports[variant]
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{Status: res.StatusCode, Accept: strings.HasPrefix(res.Header.Get("Accept-Signature"), `staunch=("@method"`)}
	if res.Header.Get("Content-Type") == "application/json" {
		if err := json.Unmarshal(body, &a); err != nil {
			t.Errorf("%v in %q", err, body)
		}
	}
	g.upstream.Lock()
	defer g.upstream.Unlock()
	all := g.upstream.seen
	g.upstream.seen = nil
	return a, all
}
