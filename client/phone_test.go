package client_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/client"
	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
	"github.com/staunchid/staunch/gen/staunch/account/v1/accountv1connect"
	passkeyv1 "github.com/staunchid/staunch/gen/staunch/passkey/v1"
	"github.com/staunchid/staunch/gen/staunch/passkey/v1/passkeyv1connect"
)

const (
	anAccount = "a_abcdefghijklmnopqrstuvwxy2"
	aDevice   = "d_abcdefghijklmnopqrstuvwxy2"
	aJoin     = "j_abcdefghijklmnopqrstuvwxy2"
	aToken    = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
)

// fakeServer answers as it is told to, and verifies what is signed.
type fakeServer struct {
	accountv1connect.UnimplementedAccountServiceHandler
	accountv1connect.UnimplementedJoinServiceHandler

	t   *testing.T
	url string

	status  func() (*accountv1.GetStatusResponse, error)
	freeze  func() (*accountv1.FreezeResponse, error)
	propose func(*accountv1.ProposeActionRequest) (*accountv1.ProposeActionResponse, error)
	getJoin func() *accountv1.GetJoinResponse
	open    func(*accountv1.RequestJoinRequest) *accountv1.RequestJoinResponse
	signIn  func(*passkeyv1.FinishSignInRequest) (*passkeyv1.FinishSignInResponse, error)

	mu    sync.Mutex
	calls []seen
}

// seen is one request as it came.
type seen struct {
	name    string
	signed  bool // by the phone's key, over all that must be covered
	session string
	app     string
	created time.Time
}

func (f *fakeServer) GetStatus(context.Context, *connect.Request[accountv1.GetStatusRequest]) (*connect.Response[accountv1.GetStatusResponse], error) {
	return answer(f.status())
}

func (f *fakeServer) Freeze(context.Context, *connect.Request[accountv1.FreezeRequest]) (*connect.Response[accountv1.FreezeResponse], error) {
	return answer(f.freeze())
}

func (f *fakeServer) ProposeAction(_ context.Context, r *connect.Request[accountv1.ProposeActionRequest]) (*connect.Response[accountv1.ProposeActionResponse], error) {
	return answer(f.propose(r.Msg))
}

func (f *fakeServer) ConfirmAction(context.Context, *connect.Request[accountv1.ConfirmActionRequest]) (*connect.Response[accountv1.ConfirmActionResponse], error) {
	return answer(&accountv1.ConfirmActionResponse{Result: `{"state":"active"}`}, nil)
}

func (f *fakeServer) BeginEnrol(context.Context, *connect.Request[accountv1.BeginEnrolRequest]) (*connect.Response[accountv1.BeginEnrolResponse], error) {
	return answer(&accountv1.BeginEnrolResponse{App: "demo", Account: anAccount, Options: "{}", Challenge: make([]byte, 32)}, nil)
}

func (f *fakeServer) BeginDevice(context.Context, *connect.Request[accountv1.BeginDeviceRequest]) (*connect.Response[accountv1.BeginDeviceResponse], error) {
	return answer(&accountv1.BeginDeviceResponse{App: "demo", Challenge: make([]byte, 32)}, nil)
}

func (f *fakeServer) RequestJoin(_ context.Context, r *connect.Request[accountv1.RequestJoinRequest]) (*connect.Response[accountv1.RequestJoinResponse], error) {
	return answer(f.open(r.Msg), nil)
}

func (f *fakeServer) GetJoin(context.Context, *connect.Request[accountv1.GetJoinRequest]) (*connect.Response[accountv1.GetJoinResponse], error) {
	return answer(f.getJoin(), nil)
}

// fakeKeys is the service of passkeys of a fakeServer.
type fakeKeys struct {
	passkeyv1connect.UnimplementedPasskeyServiceHandler
	f *fakeServer
}

func (k fakeKeys) BeginSignIn(context.Context, *connect.Request[passkeyv1.BeginSignInRequest]) (*connect.Response[passkeyv1.BeginSignInResponse], error) {
	return answer(&passkeyv1.BeginSignInResponse{Ceremony: "y_", Options: "{}"}, nil)
}

func (k fakeKeys) FinishSignIn(_ context.Context, r *connect.Request[passkeyv1.FinishSignInRequest]) (*connect.Response[passkeyv1.FinishSignInResponse], error) {
	return answer(k.f.signIn(r.Msg))
}

func answer[T any](m *T, err error) (*connect.Response[T], error) {
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(m), nil
}

// refusal is an error with a reason, as the server sends it.
func refusal(code connect.Code, reason string, metadata ...string) error {
	e := connect.NewError(code, errors.New("no"))
	info := &errdetails.ErrorInfo{Domain: "staunch", Reason: reason, Metadata: map[string]string{}}
	for i := 0; i+1 < len(metadata); i += 2 {
		info.Metadata[metadata[i]] = metadata[i+1]
	}
	d, err := connect.NewErrorDetail(info)
	if err != nil {
		panic(err)
	}
	e.AddDetail(d)
	return e
}

// softKey is a P-256 key that signs as an Android phone's does.
type softKey struct{ private *ecdsa.PrivateKey }

func newKey(t *testing.T) *softKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &softKey{k}
}

func (k *softKey) ID() string {
	spki, err := x509.MarshalPKIXPublicKey(&k.private.PublicKey)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(spki)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func (k *softKey) Sign(message []byte) ([]byte, error) {
	digest := sha256.Sum256(message)
	r, s, err := ecdsa.Sign(rand.Reader, k.private, digest[:])
	if err != nil {
		return nil, err
	}
	return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...), nil
}

// hand is hardware and authenticator: it answers with what it is told to.
type hand struct {
	key      *softKey
	response string
	asked    int
}

func (h *hand) NewKey(context.Context, []byte) (*client.NewKey, error) {
	return &client.NewKey{Key: h.key, Platform: "android", CertificateChain: [][]byte{{1}}}, nil
}

func (h *hand) Create(context.Context, json.RawMessage) (json.RawMessage, error) {
	h.asked++
	return json.RawMessage(h.response), nil
}

func (h *hand) Get(ctx context.Context, o json.RawMessage) (json.RawMessage, error) {
	return h.Create(ctx, o)
}

// newPhone is a phone of the fake server; state is as Export writes it, and empty
// for a phone that has no account.
func newPhone(t *testing.T, f *fakeServer, state string, change ...func(*client.PhoneOptions)) (*client.Phone, *hand) {
	t.Helper()
	f.t = t
	h := &hand{key: newKey(t), response: `{}`}
	mux := http.NewServeMux()
	mux.Handle(accountv1connect.NewAccountServiceHandler(f))
	mux.Handle(accountv1connect.NewJoinServiceHandler(f))
	mux.Handle(passkeyv1connect.NewPasskeyServiceHandler(fakeKeys{f: f}))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.see(r, h.key)
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	f.url = server.URL
	o := &client.PhoneOptions{
		URL: server.URL, Hardware: h, Passkeys: h, Patience: 500 * time.Millisecond,
		Keep: func(context.Context, client.PhoneState) error { return nil },
	}
	if state != "" {
		var err error
		if o.State, err = client.ParsePhoneState([]byte(state)); err != nil {
			t.Fatal(err)
		}
		o.Key = h.key
	}
	for _, c := range change {
		c(o)
	}
	p, err := client.NewPhone(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p, h
}

const enrolled = `{"v":1,"app":"demo","account":"` + anAccount + `","device":"` + aDevice + `","token":"` + aToken + `"}`

// see notes a request, and whether it is signed as docs/api.md wants it.
func (f *fakeServer) see(r *http.Request, k *softKey) {
	m, body, err := request.FromCall(r, 1<<20)
	if err != nil {
		f.t.Error(err)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	s := seen{name: r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:], session: r.Header.Get("Authorization"), app: r.Header.Get("Staunch-App")}
	if p, err := request.Parse(m); err == nil {
		s.created = p.Created
		covered := strings.Join(p.Covered, " ")
		s.signed = p.KeyID == k.ID() && request.VerifySignature("ecdsa-p256-sha256", &k.private.PublicKey, p.Base, p.Signature) &&
			(s.session == "" || strings.Contains(covered, "authorization")) && (s.app == "" || strings.Contains(covered, "staunch-app"))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, s)
}

func (f *fakeServer) names() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var names []string
	for _, c := range f.calls {
		names = append(names, c.name)
	}
	return strings.Join(names, " ")
}

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
