package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/staunchid/staunch/client"
	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
	passkeyv1 "github.com/staunchid/staunch/gen/staunch/passkey/v1"
)

// TestCallsAreSigned: with the attested key, over session and app; what is made
// before there is a key is not, and bears no session.
func TestCallsAreSigned(t *testing.T) {
	f := &fakeServer{status: func() (*accountv1.GetStatusResponse, error) { return &accountv1.GetStatusResponse{}, nil }}
	p, _ := newPhone(t, f, enrolled)
	if _, err := p.Status(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c := f.calls[0]; !c.signed || c.session != "Staunch "+aToken || c.app != "demo" {
		t.Errorf("%+v", c)
	}
	f = &fakeServer{}
	p, _ = newPhone(t, f, "")
	if _, err := p.Enroll(t.Context(), &client.Enrolment{Name: "Pixel"}); err == nil {
		t.Error("enrolled by a server that cannot")
	}
	if f.names() != "BeginEnrol FinishEnrol" {
		t.Fatal(f.names())
	}
	if c := f.calls[0]; c.signed || c.session != "" {
		t.Errorf("before there is a key: %+v", c)
	}
	if c := f.calls[1]; !c.signed || c.session != "" || c.app != "demo" {
		t.Errorf("with the new key: %+v", c)
	}
}

// TestKeysAreKeptFirst: what the server may know of is written down before.
func TestKeysAreKeptFirst(t *testing.T) {
	for _, flow := range []string{client.FlowEnrol, client.FlowJoin} {
		f := &fakeServer{}
		var when string
		p, _ := newPhone(t, f, "", func(o *client.PhoneOptions) {
			o.Keep = func(_ context.Context, s client.PhoneState) error {
				if s.Began == nil || s.Began.Flow != flow {
					t.Errorf("%s: %+v", flow, s.Began)
				}
				when = f.names()
				return errors.New("the disk is full")
			}
		})
		var err error
		want := "BeginEnrol"
		if flow == client.FlowEnrol {
			_, err = p.Enroll(t.Context(), &client.Enrolment{Name: "Pixel"})
		} else {
			want = "BeginDevice"
			_, err = p.Join(t.Context(), &client.Enrolment{Name: "Pixel"}, nil)
		}
		if err == nil || !strings.Contains(err.Error(), "the disk is full") || when != want || f.names() != want {
			t.Errorf("%s: %v; kept after %q, called %q", flow, err, when, f.names())
		}
	}
}

// TestNotInTheClear: no session and no redirect goes to another host.
func TestNotInTheClear(t *testing.T) {
	for _, u := range []string{"", "localhost", "http://example.org", "ftp://example.org", "https://u:p@example.org", "https://example.org/x", "https://example.org?x=1"} {
		if _, err := client.NewPhone(&client.PhoneOptions{URL: u, Passkeys: &hand{}, Keep: func(context.Context, client.PhoneState) error { return nil }}); err == nil {
			t.Errorf("%s is taken for a server", u)
		}
	}
	other := 0
	there := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { other++ }))
	defer there.Close()
	here := httptest.NewServer(http.RedirectHandler(there.URL, http.StatusTemporaryRedirect))
	defer here.Close()
	p, _ := newPhone(t, &fakeServer{}, enrolled, func(o *client.PhoneOptions) { o.URL = here.URL })
	if _, err := p.Status(t.Context()); err == nil || other != 0 {
		t.Errorf("%v, and %d calls elsewhere", err, other)
	}
}

// TestSignsInAsNeeded: what the session is worth decides how.
func TestSignsInAsNeeded(t *testing.T) {
	stepUp := refusal(connect.CodePermissionDenied, "STEP_UP_REQUIRED", "need", "fresh", "have", "device")
	exact := refusal(connect.CodePermissionDenied, "STEP_UP_REQUIRED", "need", "exact", "have", "fresh")
	ended := refusal(connect.CodeUnauthenticated, "SESSION_ENDED")
	signedOut := strings.Replace(enrolled, aToken, "", 1)
	for _, tt := range []struct {
		name, state string
		refused     []error // of Freeze, in order; then it is done
		calls       string
		ok          bool
	}{
		{"enough", enrolled, nil, "Freeze", true},
		{"signed out", signedOut, []error{stepUp}, "Freeze BeginSignIn FinishSignIn Freeze", true},
		{"ended", enrolled, []error{ended}, "Freeze Freeze", true},
		{"ended, and needed", enrolled, []error{ended, stepUp}, "Freeze Freeze BeginSignIn FinishSignIn Freeze", true},
		{"an approval is wanted", enrolled, []error{exact}, "Freeze", false},
		{"never enough", signedOut, []error{stepUp, stepUp}, "Freeze BeginSignIn FinishSignIn Freeze", false},
		{"frozen", enrolled, []error{refusal(connect.CodeFailedPrecondition, "ACCOUNT_FROZEN")}, "Freeze", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := 0
			f := &fakeServer{
				freeze: func() (*accountv1.FreezeResponse, error) {
					if n++; n <= len(tt.refused) {
						return nil, tt.refused[n-1]
					}
					return &accountv1.FreezeResponse{State: accountv1.State_STATE_FROZEN, Changed: true}, nil
				},
				signIn: func(*passkeyv1.FinishSignInRequest) (*passkeyv1.FinishSignInResponse, error) {
					return &passkeyv1.FinishSignInResponse{Result: &passkeyv1.FinishSignInResponse_Signed{Signed: &accountv1.Signed{
						Account: anAccount, Device: aDevice, Token: strings.Repeat("B", 43),
					}}}, nil
				},
			}
			p, _ := newPhone(t, f, tt.state)
			state, changed, err := p.Freeze(t.Context())
			if (err == nil) != tt.ok || tt.ok && (state != "frozen" || !changed) || f.names() != tt.calls {
				t.Errorf("%v; %s", err, f.names())
			}
			if last := f.calls[len(f.calls)-1]; strings.Contains(tt.calls, "SignIn") && last.session != "Staunch "+strings.Repeat("B", 43) {
				t.Errorf("the new session is not used: %+v", last)
			}
		})
	}
}

// TestSignsInToItsOwnAccount: a server that gives a phone another account is not
// believed, whether the phone has one or has just begun to get one.
func TestSignsInToItsOwnAccount(t *testing.T) {
	const other = "a_cccccccccccccccccccccccccc"
	for name, state := range map[string]string{
		"enrolled": enrolled,
		"begun":    strings.Replace(enrolled, `"app"`, `"began":{"flow":"move","account":"`+anAccount+`"},"app"`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			f := &fakeServer{signIn: func(*passkeyv1.FinishSignInRequest) (*passkeyv1.FinishSignInResponse, error) {
				return &passkeyv1.FinishSignInResponse{Result: &passkeyv1.FinishSignInResponse_Signed{Signed: &accountv1.Signed{
					Account: other, Device: aDevice, Token: strings.Repeat("B", 43),
				}}}, nil
			}}
			p, _ := newPhone(t, f, state)
			if err := p.SignIn(t.Context()); !errors.Is(err, client.ErrMismatch) || p.State().Account != anAccount {
				t.Errorf("signed in as %s: %v", p.State().Account, err)
			}
		})
	}
}

// TestClock: a clock that is wrong is corrected once, by the server's time.
func TestClock(t *testing.T) {
	n := 0
	f := &fakeServer{}
	f.status = func() (*accountv1.GetStatusResponse, error) {
		if n++; n == 1 {
			return nil, refusal(connect.CodeUnauthenticated, "PROOF_INVALID", "server_time", time.Now().UTC().Format(time.RFC3339Nano))
		}
		return &accountv1.GetStatusResponse{ServerTime: timestamppb.Now()}, nil
	}
	p, _ := newPhone(t, f, enrolled, func(o *client.PhoneOptions) { o.Now = func() time.Time { return time.Now().Add(-time.Hour) } })
	if _, err := p.Status(t.Context()); err != nil {
		t.Fatal(err)
	}
	if off := time.Since(f.calls[1].created); len(f.calls) != 2 || off.Abs() > time.Minute {
		t.Errorf("%d calls, the last one %s off", len(f.calls), off)
	}
	f.status = func() (*accountv1.GetStatusResponse, error) {
		return nil, refusal(connect.CodeUnauthenticated, "PROOF_INVALID", "server_time", time.Now().UTC().Format(time.RFC3339Nano))
	}
	var e *client.Error
	if _, err := p.Status(t.Context()); !errors.As(err, &e) || e.Reason != "DEVICE_NOT_FOUND" || e.Code != connect.CodeNotFound {
		t.Errorf("a key that the server does not know: %v", err)
	}
}

// TestUnreachable: tried again for as long as its patience lasts, and not what
// may have been done.
func TestUnreachable(t *testing.T) {
	n := 0
	f := &fakeServer{status: func() (*accountv1.GetStatusResponse, error) {
		if n++; n < 3 {
			return nil, refusal(connect.CodeUnavailable, "STORE_AWAY")
		}
		return &accountv1.GetStatusResponse{}, nil
	}}
	p, _ := newPhone(t, f, enrolled)
	if _, err := p.Status(t.Context()); err != nil || n != 3 {
		t.Errorf("%v after %d calls", err, n)
	}
	f.freeze = func() (*accountv1.FreezeResponse, error) { return nil, refusal(connect.CodeUnavailable, "STORE_AWAY") }
	start := time.Now()
	if _, _, err := p.Freeze(t.Context()); !errors.Is(err, client.ErrUnreachable) || time.Since(start) > 3*time.Second {
		t.Errorf("%v after %s", err, time.Since(start))
	}
	f.freeze = func() (*accountv1.FreezeResponse, error) {
		return nil, refusal(connect.CodeResourceExhausted, "RATE_LIMITED", "retry_at", "2026-11-22T12:00:00.000Z")
	}
	var e *client.Error
	if _, _, err := p.Freeze(t.Context()); !errors.As(err, &e) || e.RetryAt.IsZero() || e.Reason != "RATE_LIMITED" {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Status(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// TestPhoneState: what was written comes back, and nothing of it is printed.
func TestPhoneState(t *testing.T) {
	s, err := client.ParsePhoneState([]byte(enrolled))
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.Export()
	if err != nil || string(out) != enrolled {
		t.Errorf("%s, %v", out, err)
	}
	text, err := json.Marshal(struct{ S any }{s})
	if err != nil {
		t.Fatal(err)
	}
	for _, printed := range []string{fmt.Sprint(s), fmt.Sprintf("%+v %#v", s, s), s.LogValue().String(), string(text)} {
		if strings.Contains(printed, aToken) || strings.Contains(printed, anAccount) {
			t.Errorf("printed: %s", printed)
		}
	}
	for _, bad := range []string{"", "[]", `{"v":2}`, `{"v":1,"x":1}`, `{"v":1,"account":"b"}`, `{"v":1,"token":"a b"}`} {
		if _, err := client.ParsePhoneState([]byte(bad)); err == nil {
			t.Errorf("%s is a state", bad)
		}
	}
}
