package registry_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/store/storetest"
)

// ourHosts are those of the app at Staunch.
func ourHosts() []string { return []string{"accounts.example.org"} }

// freeze is a call to Staunch itself that nobody has signed yet.
func freeze() *http.Request {
	req, err := http.NewRequest(http.MethodPost, "https://accounts.example.org:8443/staunch.account.v1.AccountService/Freeze", strings.NewReader(`{"why":"lost"}`))
	if err != nil {
		panic(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Staunch dG9rZW4")
	req.Header.Set("Staunch-App", "demo")
	return req
}

// called gives what the server sees of a call; it can be asked for again.
func called(t testing.TB, req *http.Request) *request.Message {
	t.Helper()
	m, body, err := request.FromCall(req, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	return m
}

// call signs a call.
func (r *rig) call(key signer, opts ...attesttest.RequestOption) *registry.ProofRequest {
	r.t.Helper()
	req := freeze()
	if err := key.SignRequest(r.clock(), req, opts...); err != nil {
		r.t.Fatal(err)
	}
	return r.proof(req)
}

// proof is what the edge asks about a request.
func (r *rig) proof(req *http.Request) *registry.ProofRequest {
	r.t.Helper()
	return &registry.ProofRequest{App: "demo", Message: called(r.t, req), Authorities: ourHosts()}
}

// mustProve wants a call to be proved.
func (r *rig) mustProve(in *registry.ProofRequest) *registry.Proved {
	r.t.Helper()
	p, err := r.Prove(r.t.Context(), in)
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

// mustNotProve wants a call to be refused for one reason.
func (r *rig) mustNotProve(in *registry.ProofRequest, code string) {
	r.t.Helper()
	p, err := r.Prove(r.t.Context(), in)
	if p != nil {
		r.t.Errorf("proved: %+v", p)
	}
	r.mustBeRefused(err, code)
}

// mustBeRefused wants err to be a refusal for one reason, with our time.
func (r *rig) mustBeRefused(err error, code string) {
	r.t.Helper()
	var refused *registry.ProofRefused
	if !errors.As(err, &refused) || !errors.Is(err, registry.ErrProofRefused) {
		r.t.Fatalf("%v, want %s", err, code)
	}
	if refused.Code != code || refused.Detail == "" || !refused.At.Equal(r.clock()) {
		r.t.Fatalf("%+v, want %s at %v", refused, code, r.clock())
	}
}

// changeReceipt alters what is stored of a key's receipt.
func (r *rig) changeReceipt(key string, change func(*registry.Receipt)) {
	r.t.Helper()
	err := r.store.Update(r.t.Context(), func(tx storetest.Tx) error {
		receipt, _, err := tx.AttestedReceipt(r.t.Context(), key)
		if err != nil {
			return err
		}
		change(&receipt)
		return tx.PutReceipt(r.t.Context(), receipt)
	})
	if err != nil {
		r.t.Fatal(err)
	}
}
