package server_test

import (
	"context"
	"crypto/ed25519"
	"net/http"
	"testing"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/attest/request"
	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
	"github.com/staunchid/staunch/gen/staunch/account/v1/accountv1connect"
)

// signer signs the calls of an app's backend.
type signer struct {
	app string
	key ed25519.PrivateKey
}

func (s signer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Staunch-App", s.app)
	err := request.Sign(r, &request.Signing{KeyID: "backend", Sign: func(base []byte) ([]byte, error) { return ed25519.Sign(s.key, base), nil }})
	if err != nil {
		return nil, err
	}
	return http.DefaultTransport.RoundTrip(r)
}

// TestBackend: the key that the configuration names speaks for its own app, and
// for no other.
func TestBackend(t *testing.T) {
	opts := setupAccounts(t, "demo", "chat")
	s := start(t, opts)
	p := newPhone(t, "demo", originOf("demo", s.Addr()), at(t, s.URL()))
	if err := p.enrol(t.Context()); err != nil {
		t.Fatal(err)
	}
	freeze := func(app string, key byte) error {
		c := accountv1connect.NewBackendServiceClient(&http.Client{Transport: signer{app, seed(key)}}, s.URL())
		_, err := c.Freeze(context.Background(), connect.NewRequest(&accountv1.BackendServiceFreezeRequest{Account: p.account}))
		return err
	}
	for _, tt := range []struct {
		name, app string
		key       byte
		want      string
	}{
		{"a key that nobody named", "demo", 1, "PROOF_INVALID"},
		{"the other app's", "demo", 102, "PROOF_INVALID"},
		{"the other app's, for an account that it does not have", "chat", 102, "ACCOUNT_NOT_FOUND"},
	} {
		if got := reason(freeze(tt.app, tt.key)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	if state, err := p.state(t.Context()); err != nil || state != accountv1.State_STATE_ACTIVE {
		t.Fatalf("%s, %v", state, err)
	}
	if err := freeze("demo", 101); err != nil {
		t.Fatal(err)
	}
	if state, err := p.state(t.Context()); err != nil || state != accountv1.State_STATE_FROZEN {
		t.Errorf("%s, %v", state, err)
	}
}
