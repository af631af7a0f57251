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
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"

	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/client"
	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
	"github.com/staunchid/staunch/gen/staunch/account/v1/accountv1connect"
	passkeyv1 "github.com/staunchid/staunch/gen/staunch/passkey/v1"
	"github.com/staunchid/staunch/gen/staunch/passkey/v1/passkeyv1connect"
	"github.com/staunchid/staunch/gen/staunch/recovery/v1/recoveryv1connect"
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
	recover func(*accountv1.StartRecoveryRequest) (*accountv1.StartRecoveryResponse, error)
	finish  func(*accountv1.FinishRecoveryRequest) (*accountv1.FinishRecoveryResponse, error)
	confirm func(*accountv1.ConfirmActionRequest) (*accountv1.ConfirmActionResponse, error)
	renew   func(*accountv1.ReattestRequest) error
	vaults  recoveryv1connect.RecoveryServiceHandler

	mu    sync.Mutex
	calls []seen
}

// seen is one request as it came.
type seen struct {
	name    string
	key     string // that has signed; empty: none
	signed  bool   // by the phone's key, over all that must be covered
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

func (f *fakeServer) ConfirmAction(_ context.Context, r *connect.Request[accountv1.ConfirmActionRequest]) (*connect.Response[accountv1.ConfirmActionResponse], error) {
	if f.confirm != nil {
		return answer(f.confirm(r.Msg))
	}
	return answer(&accountv1.ConfirmActionResponse{Result: `{"state":"active"}`}, nil)
}

func (f *fakeServer) StartRecovery(_ context.Context, r *connect.Request[accountv1.StartRecoveryRequest]) (*connect.Response[accountv1.StartRecoveryResponse], error) {
	return answer(f.recover(r.Msg))
}

func (f *fakeServer) FinishRecovery(_ context.Context, r *connect.Request[accountv1.FinishRecoveryRequest]) (*connect.Response[accountv1.FinishRecoveryResponse], error) {
	return answer(f.finish(r.Msg))
}

func (f *fakeServer) Reattest(_ context.Context, r *connect.Request[accountv1.ReattestRequest]) (*connect.Response[accountv1.ReattestResponse], error) {
	return answer(&accountv1.ReattestResponse{}, f.renew(r.Msg))
}

func (f *fakeServer) ListDevices(context.Context, *connect.Request[accountv1.ListDevicesRequest]) (*connect.Response[accountv1.ListDevicesResponse], error) {
	return answer(&accountv1.ListDevicesResponse{Devices: []*accountv1.Device{{Device: aDevice, This: true, Platform: accountv1.Platform_PLATFORM_ANDROID}}}, nil)
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

// by is the key that has signed the last call.
func (f *fakeServer) by() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[len(f.calls)-1].key
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
	if f.vaults != nil {
		mux.Handle(recoveryv1connect.NewRecoveryServiceHandler(f.vaults))
	}
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
		s.created, s.key = p.Created, p.KeyID
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
