package request_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/staunchid/staunch/attest/request"
)

// oneKey is a Checker that knows one key and has no memory.
type oneKey struct {
	id  string
	key *ecdsa.PublicKey
}

func (k oneKey) CheckRequest(_ context.Context, c *request.Check) (*request.Decision, error) {
	p, err := request.Parse(c.Message)
	if err == nil && p.KeyID == k.id && p.Clock(time.Now(), time.Minute, time.Minute) == nil &&
		request.VerifySignature("ecdsa-p256-sha256", k.key, p.Base, p.Signature) {
		return &request.Decision{Allow: true, Identity: request.Identity{Key: p.KeyID}}, nil
	}
	return &request.Decision{Advice: "NEW_KEY"}, nil
}

// newKey makes a key and the function that signs with it as a phone does.
func newKey() (*ecdsa.PrivateKey, func([]byte) ([]byte, error)) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	return key, func(base []byte) ([]byte, error) {
		digest := sha256.Sum256(base)
		r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
		if err != nil {
			return nil, err
		}
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...), nil
	}
}

// A service lets through what a registered key has signed.
func ExampleMiddleware() {
	key, sign := newKey()
	pay := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, _ := request.FromContext(r.Context())
		body, err := io.ReadAll(r.Body)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Fprintf(w, "%s pays %s", id.Key, body)
	})
	server := httptest.NewServer(request.Middleware(oneKey{"phone-1", &key.PublicKey}, nil)(pay))
	defer server.Close()

	send := func(change func(*http.Request)) {
		r, err := http.NewRequest(http.MethodPost, server.URL+"/v1/remit", strings.NewReader(`{"amount":1200}`))
		if err != nil {
			log.Fatal(err)
		}
		if err := request.Sign(r, &request.Signing{KeyID: "phone-1", Sign: sign}); err != nil {
			log.Fatal(err)
		}
		change(r)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			log.Fatal(err)
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(answer.StatusCode, strings.TrimSpace(string(text)))
	}
	send(func(*http.Request) {})
	send(func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(`{"amount":9200}`)) }) // on the way
	send(func(r *http.Request) { r.URL.Path = "/v1/refund" })
	send(func(r *http.Request) { r.Header.Del("Signature") })
	// Output:
	// 200 phone-1 pays {"amount":1200}
	// 403 {"reason":"ATTEST_REJECTED","advice":"NEW_KEY"}
	// 403 {"reason":"ATTEST_REJECTED","advice":"NEW_KEY"}
	// 401 {"reason":"ATTEST_REJECTED","advice":"NEW_KEY"}
}

// Parse says what is wrong with the form of a request.
func ExampleParse() {
	m := &request.Message{
		Method: "GET", Authority: "pay.example.com", Path: "/v1/balance",
		SignatureInput: `staunch=("@method" "@authority" "@path");created=1763700000;nonce="k2v3Yw9tJmQ4s6t7u8v9wA";keyid="phone-1";tag="staunch-v1"`,
		Signature:      "staunch=:AQID:",
	}
	_, err := request.Parse(m)
	fmt.Println(err)

	m.SignatureInput = strings.Replace(m.SignatureInput, `"@path"`, `"@path" "@query"`, 1)
	p, err := request.Parse(m)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", p.Base)
	fmt.Println(p.Demand([]string{"authorization"}, nil))
	// Output:
	// request: common.request_components: "@query" is not covered by the signature
	// "@method": GET
	// "@authority": pay.example.com
	// "@path": /v1/balance
	// "@query": ?
	// "@signature-params": ("@method" "@authority" "@path" "@query");created=1763700000;nonce="k2v3Yw9tJmQ4s6t7u8v9wA";keyid="phone-1";tag="staunch-v1"
	// request: common.request_components: this route wants the header field "authorization" to be covered
}

// A body whose amount two programs may read differently has no such member.
func ExampleMembers() {
	fmt.Println(request.Members([]byte(`{"amount": 12, "payee": "a"}`)))
	fmt.Println(request.Members([]byte(`{"amount": 12, "payee": "a", "Amount": 92}`)))
	// Output:
	// [amount payee]
	// [payee]
}
