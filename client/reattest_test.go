package client_test

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/client"
	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
)

// spkiKey is a softKey that shows its public half.
type spkiKey struct{ *softKey }

func (k spkiKey) Public() []byte {
	spki, err := x509.MarshalPKIXPublicKey(&k.private.PublicKey)
	if err != nil {
		panic(err)
	}
	return spki
}

// renewer is hardware that makes keys beside the one in use.
type renewer struct {
	*hand
	t    *testing.T
	made []spkiKey
}

func (r *renewer) RenewKey(context.Context, []byte) (*client.NewKey, error) {
	k := spkiKey{newKey(r.t)}
	r.made = append(r.made, k)
	return &client.NewKey{Key: k, Platform: "android", CertificateChain: [][]byte{{1}}}, nil
}

// renewal is a device that is attested anew, at a server that knows one key of it.
type renewal struct {
	*fakeServer
	hw      *renewer
	old     *softKey
	known   string // the key's id
	locked  bool
	refuse  error // of the next Reattest
	lose    bool  // its answer
	kept    []client.PhoneState
	device  string
	patient time.Duration
}

func newRenewal(t *testing.T) *renewal {
	r := &renewal{fakeServer: &fakeServer{t: t, propose: proposal}, old: newKey(t), device: aDevice, patient: time.Second}
	r.hw, r.known = &renewer{t: t}, r.old.ID()
	r.status = func() (*accountv1.GetStatusResponse, error) {
		if r.by() != r.known {
			return nil, refusal(connect.CodeUnauthenticated, "PROOF_INVALID")
		}
		state := accountv1.State_STATE_ACTIVE
		if r.locked {
			state = accountv1.State_STATE_LOCKED
		}
		return &accountv1.GetStatusResponse{Account: anAccount, Device: r.device, DeviceState: state}, nil
	}
	r.renew = func(q *accountv1.ReattestRequest) error {
		next := r.hw.made[len(r.hw.made)-1]
		if r.refuse != nil {
			return r.refuse
		}
		if r.by() != next.ID() {
			t.Error("the call is signed by", r.by())
		}
		if len(r.kept) == 0 || r.kept[len(r.kept)-1].NextKey != next.ID() {
			t.Error("the server hears of a key that is not kept")
		}
		message := request.DeviceProof(reattestValue(next.Public()))
		if !r.locked && !request.VerifySignature("ecdsa-p256-sha256", &r.old.private.PublicKey, message, q.GetOldProof()) {
			t.Error("no proof by the old key")
		}
		if r.locked && !strings.HasPrefix(string(q.GetOldProof()), "v_") {
			t.Error("no approval:", string(q.GetOldProof()))
		}
		r.known = next.ID()
		return nil
	}
	return r
}

// reattestValue is docs/accounts.md's, for a key of fewer than 128 bytes.
func reattestValue(spki []byte) [32]byte {
	return sha256.Sum256(append([]byte("staunch/reattest/v1\x00\x00\x00\x00"+string(rune(len(spki)))), spki...))
}

// phone is the phone's program, as it starts with what was kept.
func (r *renewal) phone() *client.Phone {
	p, h := newPhone(r.t, r.fakeServer, enrolled, func(o *client.PhoneOptions) {
		o.Hardware, o.Key, o.Patience = r.hw, r.old, r.patient
		if len(r.kept) > 0 {
			o.State = r.kept[len(r.kept)-1]
		}
		for _, k := range r.hw.made {
			if k.ID() == o.State.Key {
				o.Key = k
			}
			if k.ID() == o.State.NextKey {
				o.NextKey = k
			}
		}
		o.Keep = func(_ context.Context, s client.PhoneState) error { r.kept = append(r.kept, s); return nil }
		o.Transport = losing{r}
	})
	r.hw.hand = h
	return p
}

// losing loses the answer to Reattest, once.
type losing struct{ r *renewal }

func (l losing) RoundTrip(q *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(q)
	if err == nil && l.r.lose && strings.HasSuffix(q.URL.Path, "/Reattest") {
		l.r.lose = false
		res.Body.Close() //nolint:errcheck // it is lost
		return nil, errors.New("the network is gone")
	}
	return res, err
}

func say(*testing.T) func(string) error { return func(string) error { return nil } }

func TestReattest(t *testing.T) {
	for _, tt := range []struct {
		name  string
		bend  func(*renewal)
		err   string // its reason or text; empty: it goes well
		next  bool   // both keys stay
		calls string
	}{
		{"as it should be", func(*renewal) {}, "", false, "GetStatus BeginDevice Reattest"},
		{"the answer is lost", func(r *renewal) { r.lose = true }, "", false, "GetStatus BeginDevice Reattest GetStatus"},
		{"the call is lost", func(r *renewal) {
			r.patient = 100 * time.Millisecond
			r.refuse = connect.NewError(connect.CodeUnavailable, errors.New("gone"))
		}, "cannot be reached", true, ""},
		{"refused", func(r *renewal) { r.refuse = refusal(connect.CodePermissionDenied, "DEVICE_UNTRUSTED") }, "DEVICE_UNTRUSTED", false, "GetStatus BeginDevice Reattest"},
		{"not fresh", func(r *renewal) {
			r.refuse = refusal(connect.CodeFailedPrecondition, "STEP_UP_REQUIRED", "need", "exact")
		}, "STEP_UP_REQUIRED", false, "GetStatus BeginDevice Reattest"},
		{"locked", func(r *renewal) { r.locked = true }, "", false, "GetStatus BeginDevice ProposeAction ConfirmAction Reattest"},
		{"unknown", func(r *renewal) { r.known = "another" }, "PROOF_INVALID", false, "GetStatus"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRenewal(t)
			tt.bend(r)
			p := r.phone()
			err := p.Reattest(t.Context(), say(t))
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Fatal(err)
			}
			s := p.State()
			want := r.old.ID()
			if err == nil {
				want = r.hw.made[0].ID()
			}
			if s.Key != want || (s.NextKey != "") != tt.next || s.Device != aDevice || s.Account != anAccount {
				t.Errorf("state: key %s, next %s; want key %s", s.Key, s.NextKey, want)
			}
			if tt.calls != "" && r.names() != tt.calls {
				t.Error(r.names())
			}
		})
	}
}

// TestReattestCut: what has become of a call whose answer got lost, the phone finds
// out when it is started again, with both keys.
func TestReattestCut(t *testing.T) {
	for _, tt := range []struct {
		name    string
		arrives bool
		later   time.Duration
		want    error
		made    int
	}{
		{"it had arrived", true, 0, nil, 1},
		{"it may still arrive", false, time.Minute, client.ErrUnfinished, 1},
		{"it can arrive no more", false, 11 * time.Minute, nil, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRenewal(t)
			r.patient = 100 * time.Millisecond
			r.refuse = connect.NewError(connect.CodeUnavailable, errors.New("gone"))
			if err := r.phone().Reattest(t.Context(), say(t)); !errors.Is(err, client.ErrUnreachable) {
				t.Fatal(err)
			}
			last := &r.kept[len(r.kept)-1]
			if last.NextKey == "" || last.Key != r.old.ID() {
				t.Fatalf("kept: key %s, next %s", last.Key, last.NextKey)
			}
			if r.refuse, r.patient = nil, time.Second; tt.arrives {
				r.known = last.NextKey
			}
			last.NextUntil = last.NextUntil.Add(-tt.later)
			if err := r.phone().Reattest(t.Context(), say(t)); !errors.Is(err, tt.want) || tt.want == nil && err != nil {
				t.Fatal(err)
			}
			s := r.kept[len(r.kept)-1]
			if n := len(r.hw.made); n != tt.made || tt.want == nil && (s.Key != r.hw.made[n-1].ID() || s.NextKey != "") {
				t.Errorf("%d keys were made; key %s, next %s", n, s.Key, s.NextKey)
			}
		})
	}
	t.Run("it is another device's", func(t *testing.T) {
		r := newRenewal(t)
		r.lose, r.device = true, "d_bbcdefghijklmnopqrstuvwxy2"
		if err := r.phone().Reattest(t.Context(), say(t)); !errors.Is(err, client.ErrMismatch) {
			t.Error(err)
		}
	})
}
