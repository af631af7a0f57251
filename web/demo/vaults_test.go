package demo_test

import (
	"net/http"
	"testing"

	"github.com/staunchid/staunch/attest/request"
)

// TestVaults: what the boxes show.
func TestVaults(t *testing.T) {
	s := newSite(t, &fakeServer{})
	got := read[struct {
		Limit, Remaining int
		Vaults           []struct {
			ID, State, At string
			Has           bool
			Used, Limit   int
		}
	}](t, send(s, http.MethodGet, "/demo/vaults?account="+string(marie), ""))
	if got.Limit != 10 || got.Remaining != 8 || len(got.Vaults) != 2 {
		t.Fatalf("%+v", got)
	}
	if v := got.Vaults[0]; !v.Has || v.Used != 2 || v.Limit != 10 || v.At != "1970-01-01T00:00:01Z" {
		t.Errorf("%+v", v)
	}
	if v := got.Vaults[1]; v.Has || v.State != "" || v.At != "" {
		t.Errorf("%+v", v)
	}
	if w := send(s, http.MethodGet, "/demo/vaults?account="+sample, ""); w.Code != 404 {
		t.Errorf("without vaults: %d", w.Code)
	}
}

// TestPay: the payment service pays for what the gate has let through, and for
// nothing else.
func TestPay(t *testing.T) {
	f := &fakeServer{}
	for name, tt := range map[string]struct {
		decision request.Decision
		body     string
		want     int
	}{
		"good":           {request.Decision{Allow: true, Identity: request.Identity{Key: "k", Account: string(marie)}}, `{"amount":5,"payee":"x"}`, 200},
		"refused":        {request.Decision{Codes: []string{"common.request_replay"}}, `{"amount":5,"payee":"x"}`, 401}, // it bears no signature at all
		"signed by none": {request.Decision{Allow: true}, `{"amount":5,"payee":"x"}`, 403},
		"nothing to pay": {request.Decision{Allow: true, Identity: request.Identity{Key: "k"}}, `{"amount":0,"payee":"x"}`, 400},
		"to nobody":      {request.Decision{Allow: true, Identity: request.Identity{Key: "k"}}, `{"amount":5}`, 400},
	} {
		f.checker.decision = tt.decision
		if w := send(newSite(t, f), http.MethodPost, "/demo/pay/v1/remit", tt.body); w.Code != tt.want {
			t.Errorf("%s: status %d, want %d: %s", name, w.Code, tt.want, w.Body)
		}
	}
}
