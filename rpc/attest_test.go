package rpc_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	attestv1 "github.com/staunchid/staunch/gen/staunch/attest/v1"
	"github.com/staunchid/staunch/gen/staunch/attest/v1/attestv1connect"
	"github.com/staunchid/staunch/rpc"
)

const backend = "Authorization: Bearer " + secretDemo

func TestCallers(t *testing.T) {
	tests := []struct {
		name, method, body string
		header             []string
		reason             string       // empty: the call reached the service
		want               account.Kind // of the caller that the service saw
	}{
		{"phone", "CreateChallenge", `{"app":"demo","purpose":"PURPOSE_REGISTER"}`, nil, "", account.Anonymous},
		{"phone, header", "CreateChallenge", `{"purpose":"PURPOSE_REGISTER"}`, []string{"Staunch-App: demo"}, "", account.Anonymous},
		{"no app", "CreateChallenge", `{"purpose":"PURPOSE_REGISTER"}`, nil, "APP_REQUIRED", ""},
		{"unknown app", "CreateChallenge", `{"app":"nope","purpose":"PURPOSE_REGISTER"}`, nil, "ATTEST_APP_UNKNOWN", ""},
		{"two apps named", "CreateChallenge", `{"app":"demo","purpose":"PURPOSE_REGISTER"}`, []string{"Staunch-App: other"}, "REQUEST_MALFORMED", ""},
		{"backend", "CreateChallenge", `{"app":"demo","purpose":"PURPOSE_REGISTER"}`, []string{backend}, "", account.Backend},
		{"backend names no app", "CreateChallenge", `{"purpose":"PURPOSE_REGISTER"}`, []string{backend}, "", account.Backend},
		{"scheme in small letters", "CreateChallenge", `{"purpose":"PURPOSE_REGISTER"}`, []string{"Authorization: bearer " + secretDemo}, "", account.Backend},
		{"wrong token", "CreateChallenge", `{"app":"demo","purpose":"PURPOSE_REGISTER"}`, []string{backend + "x"}, "TOKEN_INVALID", ""},
		{"empty token", "CreateChallenge", `{"app":"demo","purpose":"PURPOSE_REGISTER"}`, []string{"Authorization: Bearer "}, "TOKEN_INVALID", ""},
		{"another scheme", "CreateChallenge", `{"app":"demo","purpose":"PURPOSE_REGISTER"}`, []string{"Authorization: Basic " + secretDemo}, "TOKEN_INVALID", ""},
		{"two tokens", "CreateChallenge", `{"app":"demo","purpose":"PURPOSE_REGISTER"}`, []string{backend, backend}, "TOKEN_INVALID", ""},
		{"token of another app", "CreateChallenge", `{"app":"demo","purpose":"PURPOSE_REGISTER"}`, []string{"Authorization: Bearer " + secretOther}, "TOKEN_INVALID", ""},
		{"phone registers", "Register", `{"app":"demo","account":"` + someAccount + `"}`, nil, "", account.Anonymous},
		{"phone asks for an account", "CreateChallenge", `{"app":"demo","account":"` + someAccount + `","purpose":"PURPOSE_REGISTER"}`, nil, "TOKEN_REQUIRED", ""},
		{"phone replaces a key", "Register", `{"app":"demo","account":"` + someAccount + `","replaces":"x"}`, nil, "TOKEN_REQUIRED", ""},
		{"backend replaces a key", "Register", `{"app":"demo","account":"` + someAccount + `","replaces":"x"}`, []string{backend}, "", account.Backend},
		{"phone reads a key", "GetKey", `{"app":"demo","keyId":"k"}`, nil, "TOKEN_REQUIRED", ""},
		{"backend reads a key", "GetKey", `{"keyId":"k"}`, []string{backend}, "", account.Backend},
		{"phone asks about a request", "VerifyRequest", `{"app":"demo"}`, nil, "TOKEN_REQUIRED", ""},
		{"backend asks about a request", "VerifyRequest", `{}`, []string{backend}, "", account.Backend},
		{"phone lists keys", "ListKeys", `{"app":"demo"}`, nil, "TOKEN_REQUIRED", ""},
		{"backend lists keys", "ListKeys", `{}`, []string{backend}, "", account.Backend},
		{"state that there is not", "ListKeys", `{"state":99}`, []string{backend}, "REQUEST_MALFORMED", ""},
		{"phone revokes a key", "RevokeKey", `{"app":"demo","keyId":"k","reason":"r"}`, nil, "TOKEN_REQUIRED", ""},
		{"backend revokes a key", "RevokeKey", `{"keyId":"k","reason":"r"}`, []string{backend}, "", account.Backend},
		{"phone reads statistics", "Stats", `{"app":"demo"}`, nil, "TOKEN_REQUIRED", ""},
		{"backend reads statistics", "Stats", `{}`, []string{backend}, "", account.Backend},
		{"phone reads suspects", "Suspects", `{"app":"demo"}`, nil, "TOKEN_REQUIRED", ""},
		{"backend reads suspects", "Suspects", `{}`, []string{backend}, "", account.Backend},
		{"no purpose", "CreateChallenge", `{"app":"demo"}`, nil, "REQUEST_MALFORMED", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, true, nil)
			a := b.post(t, tt.method, tt.body, tt.header...)
			if a.reason() != tt.reason || b.demo.caller.Kind != tt.want || b.other.caller.Kind != "" {
				t.Errorf("reason %q, caller %q and %q; want %q, %q: %s", a.reason(), b.demo.caller.Kind, b.other.caller.Kind, tt.reason, tt.want, a.body)
			}
			if tt.reason == "" && b.demo.caller.App != "demo" {
				t.Errorf("caller in app %q", b.demo.caller.App)
			}
			if strings.Contains(b.log.String(), "0123456789") {
				t.Errorf("a token is in the log: %s", b.log)
			}
		})
	}
	t.Run("one app needs no name", func(t *testing.T) {
		b := newBench(t, false, nil)
		if a := b.post(t, "CreateChallenge", `{"purpose":"PURPOSE_REGISTER"}`); a.status != http.StatusOK {
			t.Error(a.body)
		}
	})
	t.Run("another app than the token's", func(t *testing.T) {
		for _, name := range []string{"other", "nope"} { // one is there, the other is not: the answers are alike
			want := `the token is not that of app "` + name + `"`
			for _, a := range []answer{
				newBench(t, true, nil).post(t, "GetKey", `{"app":"`+name+`","keyId":"k"}`, backend),
				newBench(t, true, nil).post(t, "GetKey", `{"keyId":"k"}`, backend, "Staunch-App: "+name),
			} {
				if a.status != http.StatusUnauthorized || a.reason() != "TOKEN_INVALID" || a.Message != want {
					t.Errorf("%d %s, want %q", a.status, a.body, want)
				}
			}
			if a := newBench(t, true, nil).post(t, "GetKey", `{"app":"`+name+`"}`, backend+"x"); !strings.Contains(a.Message, "the token is of no app") {
				t.Errorf("a token of no app: %s", a.body)
			}
		}
	})
	t.Run("an app without token has no backend", func(t *testing.T) {
		b := newBench(t, false, func(o *rpc.Options) { o.Apps[0].Token = rpc.Token{} })
		for _, h := range []string{backend, "Authorization: Bearer ", "Authorization: Bearer"} {
			if a := b.post(t, "GetKey", `{}`, h); a.reason() != "TOKEN_INVALID" {
				t.Errorf("%q: %s", h, a.body)
			}
		}
	})
}

func TestRegister(t *testing.T) {
	b := newBench(t, false, nil)
	body := `{"account":"` + someAccount + `","challenge":"` + strings.Repeat("A", 43) + `=","certificateChain":{"certificates":["MAA=","MAE="]},"keyId":"ab+/=","clientData":"e30="}`
	phone := b.post(t, "Register", body)
	if want := `{"decision":"DECISION_DENY","advice":"ADVICE_NEW_KEY"}`; strings.ReplaceAll(phone.body, " ", "") != want {
		t.Errorf("a phone learns %s, want %s", phone.body, want)
	}
	if c := b.demo.caller; c.Kind != account.Anonymous || c.Account != "" {
		t.Errorf("a phone that has proved nothing is %q of account %q", c.Kind, c.Account)
	}
	want := &registry.Registration{
		App: "demo", Account: someAccount, Challenge: make([]byte, 32), CertificateChain: [][]byte{{0x30, 0}, {0x30, 1}},
		KeyID: "ab-_", ClientData: []byte("{}"),
	}
	if d := cmp.Diff(want, b.demo.reg); d != "" {
		t.Error(d)
	}
	client := attestv1connect.NewAttestServiceClient(http.DefaultClient, b.URL, connect.WithGRPCWeb())
	req := connect.NewRequest(&attestv1.RegisterRequest{Account: someAccount, Evidence: &attestv1.RegisterRequest_AttestationObject{AttestationObject: []byte{0xa0}}})
	req.Header().Set("Authorization", "Bearer "+secretDemo)
	res, err := client.Register(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	f := res.Msg.GetVerdict().GetFindings()
	if res.Msg.GetEvidenceId() != "e_1" || res.Msg.GetStage() != "rollout[1]" || res.Msg.GetVerdict().GetTier() != attestv1.Tier_TIER_CONTRAINDICATED ||
		len(f) != 1 || f[0].GetCode() != "android.ca_bit" || f[0].GetPosition() != 1 ||
		f[0].GetClass() != attestv1.FindingClass_FINDING_CLASS_HONEST || f[0].GetEffect() != attestv1.Effect_EFFECT_REJECT {
		t.Errorf("a backend learns %v", res.Msg)
	}
	if !bytes.Equal(b.demo.reg.AttestationObject, []byte{0xa0}) {
		t.Errorf("object %x", b.demo.reg.AttestationObject)
	}
	if n := len(b.calls); n != 2 || b.calls[0].Decision != "DENY" || b.calls[0].Advice != "NEW_KEY" || b.calls[0].Code != "ok" || b.calls[0].Caller != account.Anonymous || b.calls[1].Caller != account.Backend {
		t.Errorf("observed %+v", b.calls)
	}
	if log := b.log.String(); strings.Contains(log, someAccount) || strings.Contains(log, "AAAA") || !strings.Contains(log, "decision=DENY") {
		t.Errorf("log: %s", log)
	}
}

// TestRegisterCountryAndHints: any phone may say what it is, and only the backend
// where.
func TestRegisterCountryAndHints(t *testing.T) {
	b := newBench(t, false, nil)
	if a := b.post(t, "Register", `{"account":"`+someAccount+`","country":"JP"}`); a.status != http.StatusUnauthorized || a.reason() != "TOKEN_REQUIRED" {
		t.Errorf("a phone that says where it is: %d %s", a.status, a.body)
	}
	b.post(t, "Register", `{"account":"`+someAccount+`","country":"JP","hints":{"osVersion":"16","appVersion":"26.1","model":"SOV37"}}`, backend)
	if r := b.demo.reg; r.Country != "JP" || r.Hints != (registry.Hints{OSVersion: "16", AppVersion: "26.1", Model: "SOV37"}) {
		t.Errorf("registration %+v", r)
	}
}

func TestGetKey(t *testing.T) {
	b := newBench(t, false, nil)
	a := b.post(t, "GetKey", `{"keyId":"k1"}`, backend)
	for _, want := range []string{`"keyId":"k1"`, `"platform":"PLATFORM_ANDROID"`, `"state":"KEY_STATE_ACTIVE"`, `"tier":"TIER_AFFIRMING"`, `"lastUsedDay":"2026-11-20"`, `"publicKey":"AQ=="`} {
		if !strings.Contains(strings.ReplaceAll(a.body, " ", ""), want) {
			t.Errorf("%s is not in %s", want, a.body)
		}
	}
}

func TestErrors(t *testing.T) {
	internals := errors.New("sqlite: disk /var/lib/secret is on fire")
	tests := []struct {
		name           string
		err            error
		code, reason   string
		message, inLog string
	}{
		{"malformed", errors.Join(registry.ErrMalformed, errors.New("certificate 2")), "invalid_argument", "ATTEST_MALFORMED", "certificate 2", ""},
		{"unknown key", errors.Join(registry.ErrKeyUnknown, internals), "not_found", "ATTEST_KEY_UNKNOWN", "registry: unknown key", ""},
		{"not allowed", registry.ErrNotAllowed, "permission_denied", "CALLER_REFUSED", "registry: caller may not do this", ""},
		{"too large", registry.ErrTooLarge, "invalid_argument", "ATTEST_TOO_LARGE", "registry: attestation too large", ""},
		{"store away", errAway, "unavailable", "STORE_AWAY", "the store cannot be reached; try again", "gone for lunch"},
		{"anything else", internals, "internal", "INTERNAL", "internal error", "on fire"},
		{"a Connect error of somebody else", connect.NewError(connect.CodeDataLoss, internals), "internal", "INTERNAL", "internal error", "on fire"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, false, func(o *rpc.Options) { o.Away = func(err error) bool { return errors.Is(err, errAway) } })
			b.demo.err = tt.err
			a := b.post(t, "GetKey", `{"keyId":"k1"}`, backend)
			if a.Code != tt.code || a.reason() != tt.reason || !strings.Contains(a.Message, tt.message) || strings.Contains(a.body, "on fire") || strings.Contains(a.body, "lunch") {
				t.Errorf("%s", a.body)
			}
			if a.Details[0].Type != "google.rpc.ErrorInfo" || a.Details[0].Debug.Domain != "staunch" {
				t.Errorf("detail %+v", a.Details)
			}
			if !strings.Contains(b.log.String(), tt.inLog) {
				t.Errorf("the log lacks %q: %s", tt.inLog, b.log)
			}
			if len(b.calls) != 1 || b.calls[0].Code != tt.code || b.calls[0].Reason != tt.reason {
				t.Errorf("observed %+v", b.calls)
			}
		})
	}
}

var errAway = errors.New("gone for lunch")

func TestPanic(t *testing.T) {
	b := newBench(t, false, nil)
	b.demo.panics = "the secret reason"
	a := b.post(t, "GetKey", `{"keyId":"k1"}`, backend)
	if a.Code != "internal" || a.Message != "internal error" || strings.Contains(a.body, "secret") {
		t.Error(a.body)
	}
	if log := b.log.String(); !strings.Contains(log, "the secret reason") || !strings.Contains(log, "attest_test.go") && !strings.Contains(log, "fake_test.go") {
		t.Errorf("log: %s", log)
	}
	b.demo.panics = nil
	if a := b.post(t, "GetKey", `{"keyId":"k1"}`, backend); a.status != http.StatusOK {
		t.Errorf("after a panic: %s", a.body)
	}
}
