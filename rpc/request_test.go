package rpc_test

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/attest/request"
	attestv1 "github.com/staunchid/staunch/gen/staunch/attest/v1"
	"github.com/staunchid/staunch/gen/staunch/attest/v1/attestv1connect"
)

// TestVerifyRequest: what the backend has received reaches the service as it
// is, and the whole answer comes back.
func TestVerifyRequest(t *testing.T) {
	b := newBench(t, false, nil)
	client := attestv1connect.NewAttestServiceClient(http.DefaultClient, b.URL)
	req := connect.NewRequest(&attestv1.VerifyRequestRequest{
		App: "demo", Method: "pOST", Authority: "Pay.Example.com:443", Path: "/v1/%7Eremit/", Query: "?",
		Fields:         map[string]string{"content-digest": "sha-256=:AA==:", "x": " two  spaces "},
		SignatureInput: "input", Signature: "signature", HasBody: true, BodySha256: bytes.Repeat([]byte{1}, 32), BodySha512: bytes.Repeat([]byte{2}, 64),
		BodyMembers: []string{"amount", "Payee"}, Account: someAccount, Country: "JP",
	})
	req.Header().Set("Authorization", "Bearer "+secretDemo)
	res, err := client.VerifyRequest(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	want := &registry.RequestCheck{
		App: "demo", Account: someAccount, Country: "JP",
		Message: &request.Message{
			Method: "pOST", Authority: "Pay.Example.com:443", Path: "/v1/%7Eremit/", Query: "?",
			Fields:         map[string]string{"content-digest": "sha-256=:AA==:", "x": " two  spaces "},
			SignatureInput: "input", Signature: "signature", HasBody: true, BodySHA256: bytes.Repeat([]byte{1}, 32), BodySHA512: bytes.Repeat([]byte{2}, 64),
			BodyMembers: []string{"amount", "Payee"},
		},
	}
	if d := cmp.Diff(want, b.demo.check); d != "" {
		t.Error(d)
	}
	m := res.Msg
	k := m.GetKey()
	if m.GetDecision() != attestv1.Decision_DECISION_ALLOW || m.GetAdvice() != attestv1.Advice_ADVICE_NONE || m.GetStage() != "rollout[1]" ||
		!m.GetVerdict().GetAccept() || m.GetVerdict().GetPolicy() != "demo" {
		t.Errorf("%v", m)
	}
	if k.GetKeyId() != "k1" || k.GetAccount() != someAccount || k.GetPlatform() != attestv1.Platform_PLATFORM_APPLE ||
		k.GetTier() != attestv1.Tier_TIER_WARNING || k.GetRegisteredAt().AsTime().Year() != 2026 {
		t.Errorf("key %v", k)
	}
	if n := len(b.calls); n != 1 || b.calls[0].Decision != "ALLOW" || b.calls[0].Advice != "NONE" || !strings.HasSuffix(b.calls[0].Procedure, "/VerifyRequest") {
		t.Errorf("observed %+v", b.calls)
	}
	if log := b.log.String(); strings.Contains(log, someAccount) || strings.Contains(log, "remit") || strings.Contains(log, "k1") {
		t.Errorf("log: %s", log)
	}
}

func TestListKeys(t *testing.T) {
	b := newBench(t, false, nil)
	a := b.post(t, "ListKeys", `{"account":"`+someAccount+`","state":"KEY_STATE_SUPERSEDED","serial":"ab","model":"m","pageSize":7,"pageToken":"t"}`, backend)
	want := registry.KeyFilter{Account: someAccount, State: registry.StateSuperseded, Serial: "ab", Model: "m", After: "t"}
	if d := cmp.Diff(want, b.demo.filter); d != "" || b.demo.size != 7 {
		t.Errorf("%d: %s", b.demo.size, d)
	}
	if got := strings.ReplaceAll(a.body, " ", ""); got != `{"keys":[{"keyId":"k1"},{"keyId":"k2"}],"nextPageToken":"k2"}` {
		t.Error(got)
	}
	for name, state := range attestv1.KeyState_value {
		b.post(t, "ListKeys", `{"state":"`+name+`"}`, backend)
		if want := strings.ToLower(strings.TrimPrefix(name, "KEY_STATE_")); state != 0 && string(b.demo.filter.State) != want || state == 0 && b.demo.filter.State != "" {
			t.Errorf("%s became %q", name, b.demo.filter.State)
		}
	}
}

func TestRevokeKey(t *testing.T) {
	b := newBench(t, false, nil)
	a := b.post(t, "RevokeKey", `{"keyId":"k1","reason":"stolen"}`, backend)
	if b.demo.keyID != "k1" || b.demo.reason != "stolen" || strings.ReplaceAll(a.body, " ", "") != `{"key":{"keyId":"k1","state":"KEY_STATE_REVOKED"}}` {
		t.Errorf("%q, %q: %s", b.demo.keyID, b.demo.reason, a.body)
	}
}
