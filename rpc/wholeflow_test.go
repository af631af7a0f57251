package rpc_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"

	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
	passkeyv1 "github.com/staunchid/staunch/gen/staunch/passkey/v1"
)

// reasonOf is the reason of a call's error; empty: there is none.
func reasonOf(err error) string {
	var ce *connect.Error
	if !errors.As(err, &ce) {
		return ""
	}
	for _, d := range ce.Details() {
		if v, err := d.Value(); err == nil {
			if info, ok := v.(*errdetails.ErrorInfo); ok {
				return info.GetReason()
			}
		}
	}
	return "none: " + err.Error()
}

func (c *caller) status() (*accountv1.GetStatusResponse, string) {
	res, err := c.accounts.GetStatus(c.t.Context(), connect.NewRequest(&accountv1.GetStatusRequest{}))
	if err != nil {
		return nil, reasonOf(err)
	}
	return res.Msg, ""
}

// stepUp makes the session fresh, and gives what has done it.
func (c *caller) stepUp() *passkeyv1.FinishStepUpRequest {
	c.t.Helper()
	begun, err := c.passkeys.BeginStepUp(c.t.Context(), connect.NewRequest(&passkeyv1.BeginStepUpRequest{}))
	if err != nil {
		c.t.Fatal(err)
	}
	up := &passkeyv1.FinishStepUpRequest{Ceremony: begun.Msg.GetCeremony(), Response: c.answer(c.passkey.Get([]byte(begun.Msg.GetOptions()), flowOrigin))}
	done, err := c.passkeys.FinishStepUp(c.t.Context(), connect.NewRequest(up))
	if err != nil || done.Msg.GetSigned().GetClass() != accountv1.Class_CLASS_FRESH {
		c.t.Fatalf("%v %v", done, err)
	}
	return up
}

// TestPhone is a phone's life over HTTP: the signatures are real, and so is what
// verifies them.
func TestPhone(t *testing.T) {
	f := newFlows(t, "demo")
	c := f.phone(t, "demo")
	made := c.enrol()
	if made.GetSigned().GetAccountState() != accountv1.State_STATE_ACTIVE || len(made.GetFreezeCode()) != 19 || len(c.token) != 43 {
		t.Fatalf("%v", made)
	}
	s, reason := c.status()
	if reason != "" || s.GetAccount() != made.GetSigned().GetAccount() || s.GetDevice() != made.GetSigned().GetDevice() || s.GetClass() != accountv1.Class_CLASS_PERSON || s.GetName() != "Pixel" {
		t.Fatalf("%q %v", reason, s)
	}
	if _, err := c.passkeys.BeginAdd(t.Context(), connect.NewRequest(&passkeyv1.BeginAddRequest{})); reasonOf(err) != "STEP_UP_REQUIRED" {
		t.Errorf("after a creation, adding a passkey gives %v", err)
	}
	up := c.stepUp()
	if _, err := c.passkeys.FinishStepUp(t.Context(), connect.NewRequest(up)); reasonOf(err) != "PASSKEY_CEREMONY_USED" {
		t.Errorf("the same answer again: %v", err)
	}
	list, err := c.passkeys.List(t.Context(), connect.NewRequest(&passkeyv1.ListRequest{}))
	if err != nil || len(list.Msg.GetPasskeys()) != 1 || list.Msg.GetSignals().GetAllAcceptedCredentials() == nil {
		t.Errorf("%v %v", list, err)
	}
	if _, err := c.accounts.SignOut(t.Context(), connect.NewRequest(&accountv1.SignOutRequest{})); err != nil {
		t.Fatal(err)
	}
	if _, reason := c.status(); reason != "SESSION_ENDED" {
		t.Errorf("after the sign-out: %q", reason)
	}
	old := c.token
	c.token = ""
	if s, reason := c.status(); reason != "" || s.GetClass() != accountv1.Class_CLASS_DEVICE {
		t.Errorf("without a session: %q %v", reason, s)
	}
	begin, err := c.passkeys.BeginSignIn(t.Context(), connect.NewRequest(&passkeyv1.BeginSignInRequest{}))
	if err != nil {
		t.Fatal(err)
	}
	in, err := c.passkeys.FinishSignIn(t.Context(), connect.NewRequest(&passkeyv1.FinishSignInRequest{
		Ceremony: begin.Msg.GetCeremony(), Response: c.answer(c.passkey.Get([]byte(begin.Msg.GetOptions()), flowOrigin)),
	}))
	if err != nil {
		t.Fatal(err)
	}
	if c.token = in.Msg.GetSigned().GetToken(); c.token == old || len(c.token) != 43 {
		t.Errorf("the token is %q, and was %q", c.token, old)
	}
	frozen, err := c.accounts.Freeze(t.Context(), connect.NewRequest(&accountv1.FreezeRequest{}))
	if err != nil || frozen.Msg.GetState() != accountv1.State_STATE_FROZEN || !frozen.Msg.GetChanged() {
		t.Errorf("%v %v", frozen, err)
	}
	if _, err := c.passkeys.BeginAdd(t.Context(), connect.NewRequest(&passkeyv1.BeginAddRequest{})); reasonOf(err) != "ACCOUNT_FROZEN" {
		t.Errorf("adding a passkey to a frozen account: %v", err)
	}
	for _, secret := range []string{old, c.token, made.GetFreezeCode(), made.GetSigned().GetAccount()} {
		if strings.Contains(f.log.String(), secret) {
			t.Errorf("%q is in the log: %s", secret, f.log)
		}
	}
}

// TestSpoiled: one good call, and what somebody on its way may make of it.
func TestSpoiled(t *testing.T) {
	f := newFlows(t, "demo")
	c, other := f.phone(t, "demo"), f.phone(t, "demo")
	c.enrol()
	other.enrol()
	var kept *http.Request
	var body []byte
	for _, tt := range []struct {
		name, reason string
		spoil        func(*http.Request)
	}{
		{"good", "", func(r *http.Request) {
			kept = r.Clone(r.Context())
			body, _ = io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
		}},
		{"sent again", "PROOF_INVALID", func(r *http.Request) {
			*r = *kept
			r.Body = io.NopCloser(bytes.NewReader(body))
		}},
		{"another method", "PROOF_INVALID", func(r *http.Request) { r.URL.Path = strings.Replace(r.URL.Path, "GetStatus", "Freeze", 1) }},
		{"a query", "PROOF_INVALID", func(r *http.Request) { r.URL.RawQuery = "x" }},
		{"another host", "PROOF_INVALID", func(r *http.Request) { r.Host = "www.example.org" }},
		{"a body", "PROOF_INVALID", func(r *http.Request) {
			r.Header.Set("Content-Type", "application/json")
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader("{}")), 2
		}},
		{"another's session", "PROOF_INVALID", func(r *http.Request) { r.Header.Set("Authorization", "Staunch "+other.token) }},
		{"no session", "PROOF_INVALID", func(r *http.Request) { r.Header.Del("Authorization") }},
		{"no app", "PROOF_INVALID", func(r *http.Request) { r.Header.Del("Staunch-App") }},
		{"no signature", "PROOF_INVALID", func(r *http.Request) { r.Header.Del("Signature") }},
		{"a cookie", "", func(r *http.Request) { r.Header.Set("Cookie", "__Host-staunch="+other.token) }},
	} {
		c.spoil = tt.spoil
		if s, reason := c.status(); reason != tt.reason {
			t.Errorf("%s: %q, %v", tt.name, reason, s)
		}
	}
	c.spoil = nil
	mine := c.token
	c.token = other.token // signed with it: still not this device's
	if _, reason := c.status(); reason != "SESSION_ENDED" {
		t.Errorf("another's token: %q", reason)
	}
	c.token = mine
	if _, reason := c.status(); reason != "" {
		t.Errorf("good again: %q", reason)
	}
}
