package client_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/client"
	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
	passkeyv1 "github.com/staunchid/staunch/gen/staunch/passkey/v1"
)

const (
	anotherAccount = "a_bbcdefghijklmnopqrstuvwxy2"
	aPending       = "p_abcdefghijklmnopqrstuvwxy2"
	aCeremony      = "y_abcdefghijklmnopqrstuvwxy2"
)

// recovering is a server on which an account is recovered. The owner's phones are
// told when it begins; who asks is told how it stands.
type recovering struct {
	*fakeServer
	mu                        sync.Mutex // of the answers: one may be lost while the next call comes
	started, proved, finished bool
	refuse                    error  // of the next StartRecovery
	lose                      string // the call whose next answer gets lost
	phones                    int    // that were brought
	signed                    string // the account of the answer
}

func newRecovering() *recovering {
	r := &recovering{fakeServer: &fakeServer{}, signed: anAccount}
	r.recover = r.onStart
	r.finish = r.onFinish
	r.status = func() (*accountv1.GetStatusResponse, error) {
		if !r.finished {
			return nil, refusal(connect.CodeUnauthenticated, "SESSION_REQUIRED")
		}
		return &accountv1.GetStatusResponse{Account: anAccount, AccountState: accountv1.State_STATE_HELD, DeviceState: accountv1.State_STATE_HELD, Name: "Pixel"}, nil
	}
	r.signIn = func(*passkeyv1.FinishSignInRequest) (*passkeyv1.FinishSignInResponse, error) {
		return &passkeyv1.FinishSignInResponse{Result: &passkeyv1.FinishSignInResponse_Signed{Signed: &accountv1.Signed{
			Account: anAccount, Device: aDevice, Token: strings.Repeat("B", 43),
		}}}, nil
	}
	return r
}

// lost reports whether the answer to a call gets lost, once.
func (r *recovering) lost(call string) {
	if r.lose == call {
		r.lose = ""
		panic(http.ErrAbortHandler)
	}
}

func (r *recovering) onStart(m *accountv1.StartRecoveryRequest) (*accountv1.StartRecoveryResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.refuse; err != nil {
		r.refuse = nil
		return nil, err
	}
	if m.GetAccount() != anAccount || m.GetPhone() == nil && !r.started {
		return nil, refusal(connect.CodeNotFound, "PENDING_NOT_FOUND")
	}
	if m.GetPhone() != nil {
		r.phones++
		r.lost("start, unknown")
	}
	r.started = true
	r.lost("start")
	out := &accountv1.StartRecoveryResponse{Pending: aPending, OpensAt: timestamppb.Now(), ServerTime: timestamppb.Now()}
	switch {
	case r.finished:
		out.Finished = true
	case m.GetPhone() == nil:
		out.Ticket, out.Until = make([]byte, 32), timestamppb.Now()
		if r.proved {
			out.Ceremony, out.Options = aCeremony, `{}`
		}
	}
	return out, nil
}

func (r *recovering) onFinish(m *accountv1.FinishRecoveryRequest) (*accountv1.FinishRecoveryResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.finished {
		return nil, refusal(connect.CodeFailedPrecondition, "PASSKEY_CEREMONY_USED")
	}
	if m.GetPending() != aPending || m.GetCeremony() != aCeremony || m.GetResponse() != `{}` {
		r.t.Errorf("finished with %v", m)
	}
	r.lost("finish, nothing done")
	r.finished = true
	r.lost("finish")
	return &accountv1.FinishRecoveryResponse{Signed: &accountv1.Signed{
		Account: r.signed, Device: aDevice, AccountState: accountv1.State_STATE_HELD, DeviceState: accountv1.State_STATE_HELD, Token: strings.Repeat("C", 43),
	}}, nil
}

// TestRecoverPhone: a phone starts, asks, and finishes; what a lost answer leaves
// in doubt, it asks for.
func TestRecoverPhone(t *testing.T) {
	in := &client.Enrolment{Name: "Pixel"}
	for _, tt := range []struct {
		lose, calls string
	}{
		{"", "BeginDevice StartRecovery StartRecovery StartRecovery FinishRecovery ListDevices"},
		{"start", "BeginDevice StartRecovery StartRecovery StartRecovery StartRecovery StartRecovery FinishRecovery ListDevices"},
		{"finish", "BeginDevice StartRecovery StartRecovery StartRecovery FinishRecovery StartRecovery GetStatus BeginSignIn FinishSignIn ListDevices"},
		{"finish, nothing done", "BeginDevice StartRecovery StartRecovery StartRecovery FinishRecovery StartRecovery FinishRecovery ListDevices"},
	} {
		t.Run("lost: "+tt.lose, func(t *testing.T) {
			r := newRecovering()
			p, h := newPhone(t, r.fakeServer, "")
			if tt.lose == "start" {
				r.lose = tt.lose
			}
			s, err := p.StartRecovery(t.Context(), anAccount, in)
			if err != nil || s.Pending != aPending || tt.lose != "start" && len(s.Ticket) != 0 || s.Proved {
				t.Fatalf("started: %+v, %v", s, err)
			}
			if b := p.State().Began; b == nil || b.Flow != client.FlowRecover || b.Account != anAccount {
				t.Errorf("kept: %+v", b)
			}
			r.proved = true
			if s, err = p.StartRecovery(t.Context(), anAccount, in); err != nil || len(s.Ticket) != 32 || !s.Proved || r.phones != 1 {
				t.Fatalf("asked: %+v, %v; %d phones", s, err, r.phones)
			}
			r.lose = tt.lose
			out, err := p.FinishRecovery(t.Context(), in)
			if err != nil || out.Account != anAccount || out.Device != aDevice || out.AccountState != "held" {
				t.Fatalf("finished: %+v, %v", out, err)
			}
			if got := p.State(); got.Began != nil || got.Account != anAccount || got.Device != aDevice {
				t.Errorf("state %+v", got)
			}
			if r.names() != tt.calls {
				t.Errorf("calls %s, want %s", r.names(), tt.calls)
			}
			for _, c := range r.calls[1:] {
				if !c.signed {
					t.Errorf("%s is not signed by the new key", c.name)
				}
			}
			if h.asked == 0 {
				t.Error("no passkey was made")
			}
		})
	}
}

// TestRecoverRefused: what a phone does when it is told no.
func TestRecoverRefused(t *testing.T) {
	in := &client.Enrolment{Name: "Pixel"}
	begun := func(t *testing.T, r *recovering) *client.Phone {
		p, _ := newPhone(t, r.fakeServer, "")
		if _, err := p.StartRecovery(t.Context(), anAccount, in); err != nil {
			t.Fatal(err)
		}
		return p
	}
	t.Run("the start", func(t *testing.T) {
		r := newRecovering()
		r.refuse = refusal(connect.CodeResourceExhausted, "RATE_LIMITED", "retry_at", "2026-11-22T12:00:00.000Z")
		p, _ := newPhone(t, r.fakeServer, "")
		var e *client.Error
		if _, err := p.StartRecovery(t.Context(), anAccount, in); !errors.As(err, &e) || e.RetryAt.IsZero() || p.State().Began != nil {
			t.Errorf("%v; %+v", err, p.State().Began)
		}
	})
	t.Run("cancelled while it waits", func(t *testing.T) {
		r := newRecovering()
		p := begun(t, r)
		r.refuse = refusal(connect.CodeFailedPrecondition, "TOO_LATE")
		if _, err := p.StartRecovery(t.Context(), anAccount, in); !errors.Is(err, client.ErrRecoveryOver) || p.State().Began != nil {
			t.Errorf("%v; %+v", err, p.State().Began)
		}
		r.started = false
		if _, err := p.StartRecovery(t.Context(), anAccount, in); err != nil || r.phones != 2 {
			t.Errorf("begun again: %v; %d phones", err, r.phones)
		}
	})
	t.Run("cancelled when the PIN was proved", func(t *testing.T) {
		r := newRecovering()
		p := begun(t, r)
		r.refuse = refusal(connect.CodeFailedPrecondition, "TOO_LATE")
		if _, err := p.FinishRecovery(t.Context(), in); !errors.Is(err, client.ErrRecoveryOver) || p.State().Began != nil {
			t.Errorf("%v; %+v", err, p.State().Began)
		}
	})
	t.Run("the server has never heard of the key", func(t *testing.T) {
		r := newRecovering()
		p := begun(t, r)
		r.started = false
		if _, err := p.StartRecovery(t.Context(), anAccount, in); err != nil || r.phones != 2 {
			t.Errorf("%v; %d phones", err, r.phones)
		}
	})
	t.Run("before the PIN was proved", func(t *testing.T) {
		r := newRecovering()
		p := begun(t, r)
		if _, err := p.FinishRecovery(t.Context(), in); !errors.Is(err, client.ErrUnfinished) || strings.Contains(r.names(), "FinishRecovery") {
			t.Errorf("%v; %s", err, r.names())
		}
	})
	t.Run("vetoed after it was finished", func(t *testing.T) {
		r := newRecovering()
		p := begun(t, r)
		r.finished = true
		r.status = func() (*accountv1.GetStatusResponse, error) {
			return nil, refusal(connect.CodeNotFound, "DEVICE_NOT_FOUND")
		}
		if _, err := p.FinishRecovery(t.Context(), in); !errors.Is(err, client.ErrRecoveryOver) {
			t.Error(err)
		}
	})
	t.Run("a server that gives another account", func(t *testing.T) {
		r := newRecovering()
		p := begun(t, r)
		r.proved, r.signed = true, anotherAccount
		if _, err := p.FinishRecovery(t.Context(), in); !errors.Is(err, client.ErrMismatch) || p.State().Account != "" {
			t.Errorf("%v; %s", err, p.State().Account)
		}
	})
	t.Run("nothing was begun", func(t *testing.T) {
		p, _ := newPhone(t, newRecovering().fakeServer, "")
		if _, err := p.FinishRecovery(t.Context(), in); !errors.Is(err, client.ErrNotEnrolled) {
			t.Error(err)
		}
	})
	t.Run("another account's was begun", func(t *testing.T) {
		if _, err := begun(t, newRecovering()).StartRecovery(t.Context(), anotherAccount, in); !errors.Is(err, client.ErrUnfinished) {
			t.Error(err)
		}
	})
	t.Run("the phone has an account", func(t *testing.T) {
		p, _ := newPhone(t, newRecovering().fakeServer, enrolled)
		if _, err := p.StartRecovery(t.Context(), anAccount, in); !errors.Is(err, client.ErrEnrolled) {
			t.Error(err)
		}
	})
	t.Run("the key cannot be kept", func(t *testing.T) {
		r := newRecovering()
		full := errors.New("the disk is full")
		p, _ := newPhone(t, r.fakeServer, "", func(o *client.PhoneOptions) {
			o.Keep = func(context.Context, client.PhoneState) error { return full }
		})
		if _, err := p.StartRecovery(t.Context(), anAccount, in); !errors.Is(err, full) || r.names() != "BeginDevice" {
			t.Errorf("%v; %s", err, r.names())
		}
	})
}

// TestRecoveryApprovals: what the owner approves is what was asked for, and shown
// to him first.
func TestRecoveryApprovals(t *testing.T) {
	ticket := base64.StdEncoding.EncodeToString(make([]byte, 32))
	var sent *accountv1.ProposeActionRequest
	var confirmed string
	result := `{"ticket":"` + ticket + `"}`
	f := &fakeServer{
		propose: func(m *accountv1.ProposeActionRequest) (*accountv1.ProposeActionResponse, error) {
			sent = m
			a := &accountv1.Approval{Approval: "v_abcdefghijklmnopqrstuvwxy2", Account: anAccount, Action: m.GetAction(), Params: m.GetParams(), Text: "Really?"}
			out := &accountv1.ProposeActionResponse{Approval: a, Preimage: &accountv1.ApprovalPreimage{
				App: "demo", Account: anAccount, Approval: a.Approval, Action: a.Action, Params: []byte(a.Params), Text: a.Text, Nonce: make([]byte, 32), Expires: time.Now().Add(time.Minute).Unix(),
			}}
			rehash(out)
			return out, nil
		},
		confirm: func(m *accountv1.ConfirmActionRequest) (*accountv1.ConfirmActionResponse, error) {
			confirmed = m.GetApproval()
			return &accountv1.ConfirmActionResponse{Result: result}, nil
		},
	}
	p, _ := newPhone(t, f, enrolled)
	shown := ""
	show := func(text string) error { shown = text; return nil }
	if err := p.SetUpRecovery(t.Context(), [16]byte{1, 0xff}, show); err != nil || shown != "Really?" || confirmed == "" {
		t.Errorf("%v; %q was shown, %q confirmed", err, shown, confirmed)
	}
	if sent.GetAction() != string(account.SetupRecovery) || sent.GetParams() != `{"reg_id":"01ff0000000000000000000000000000"}` {
		t.Errorf("proposed %v", sent)
	}
	got, err := p.OpenRecovery(t.Context(), show)
	if err != nil || len(got) != 32 || sent.GetAction() != string(account.OpenRecovery) || sent.GetParams() != `{}` {
		t.Errorf("%d bytes, %v; proposed %v", len(got), err, sent)
	}
	for _, result = range []string{`{}`, `null`, `{"ticket":"*"}`, `{"ticket":""}`} {
		if _, err := p.OpenRecovery(t.Context(), show); !errors.Is(err, client.ErrMismatch) {
			t.Errorf("%s: %v", result, err)
		}
	}
	confirmed = ""
	no := errors.New("no")
	refuse := func(string) error { return no }
	if err := p.SetUpRecovery(t.Context(), [16]byte{1}, refuse); !errors.Is(err, no) || confirmed != "" {
		t.Errorf("%v; %q was confirmed", err, confirmed)
	}
	if _, err := p.OpenRecovery(t.Context(), refuse); !errors.Is(err, no) || confirmed != "" {
		t.Errorf("%v; %q was confirmed", err, confirmed)
	}
}
