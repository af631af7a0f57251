package rpc_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/config"
	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
	"github.com/staunchid/staunch/gen/staunch/account/v1/accountv1connect"
	attestv1 "github.com/staunchid/staunch/gen/staunch/attest/v1"
	"github.com/staunchid/staunch/gen/staunch/passkey/v1/passkeyv1connect"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/passkey/passkeytest"
	"github.com/staunchid/staunch/rpc"
	"github.com/staunchid/staunch/store/sqlite"
)

const flowHost, flowOrigin = "accounts.example.org", "https://accounts.example.org"

// flows are the real flows of some apps, each over its own store, behind the real
// handlers.
type flows struct {
	transport http.RoundTripper // to the server, whatever the host
	log       *lockedBuffer
	backend   ed25519.PrivateKey
	vaults    map[account.AppID]*fakeRecovery
}

func newFlows(t *testing.T, ids ...account.AppID) *flows {
	t.Helper()
	f := &flows{log: &lockedBuffer{}, backend: ed25519.NewKeyFromSeed(make([]byte, 32)), vaults: map[account.AppID]*fakeRecovery{}}
	o := &rpc.Options{Logger: slog.New(slog.NewTextHandler(f.log, nil))}
	for _, id := range ids {
		o.Apps = append(o.Apps, f.app(t, id))
	}
	h, err := rpc.New(o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	f.transport = &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
	}}
	return f
}

func (f *flows) app(t *testing.T, id account.AppID) rpc.App {
	t.Helper()
	s, err := sqlite.Open(t.Context(), &sqlite.Options{Path: filepath.Join(t.TempDir(), "app.db"), App: id})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	reg := flowRegistry(t, id, s)
	rp, err := passkey.New(&passkey.Options{App: id, RPID: "example.org", Name: "Demo", Origins: []string{flowOrigin}, Policy: passkey.Policy{
		CounterRegress: passkey.Refuse, CounterRegressSynced: passkey.Raise, BackupEligibleChanged: passkey.Refuse, BackupStateChanged: passkey.Raise, PRFMissing: passkey.Note,
		ModelUnknown: passkey.Refuse, ModelStatus: passkey.Refuse, AttestationUntrusted: passkey.Refuse,
	}})
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(f.backend.Public())
	if err != nil {
		t.Fatal(err)
	}
	backend, err := registry.ParseBackendKey(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	if err != nil {
		t.Fatal(err)
	}
	service, err := integrity.New(&integrity.Options{
		App: id, Name: "Demo", Passkey: rp, Attest: reg, Policy: flowPolicy(), Backend: &backend, Recovery: pinSet{},
		RowKey: bytes.Repeat([]byte{1}, 32), RateKey: bytes.Repeat([]byte{2}, 32), FakeKey: bytes.Repeat([]byte{3}, 32),
		Update: func(ctx context.Context, fn func(integrity.Tx) error) error {
			return s.Update(ctx, func(tx *sqlite.Tx) error { return fn(tx) })
		},
		View: func(ctx context.Context, fn func(integrity.Tx) error) error {
			return s.View(ctx, func(tx *sqlite.Tx) error { return fn(tx) })
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	f.vaults[id] = &fakeRecovery{}
	return rpc.App{ID: id, Attest: reg, Accounts: service, Recovery: f.vaults[id]}
}

func flowRegistry(t *testing.T, id account.AppID, s *sqlite.Store) *registry.Service {
	t.Helper()
	var file attest.PolicyFile
	text := strings.NewReplacer(`id = "demo"`, `id = "`+string(id)+`"`, `app = "demo"`, `app = "`+string(id)+`"`).Replace(attesttest.DemoPolicy())
	if err := config.Decode([]byte(text), &file); err != nil {
		t.Fatal(err)
	}
	policy, err := attest.NewPolicy(&file)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := attest.NewVerifier(nil)
	if err != nil {
		t.Fatal(err)
	}
	list, err := android.ParseStatusList([]byte(`{"entries": {}}`))
	if err != nil {
		t.Fatal(err)
	}
	reg, err := registry.New(&registry.Options{
		App: id, Policy: func() *attest.Policy { return policy }, Verifier: verifier, Status: func() *android.StatusList { return list },
		HashKey: bytes.Repeat([]byte{7}, 32), EvidenceRetention: time.Hour,
		Update: func(ctx context.Context, fn func(registry.Tx) error) error {
			return s.Update(ctx, func(tx *sqlite.Tx) error { return fn(tx) })
		},
		View: func(ctx context.Context, fn func(registry.Tx) error) error {
			return s.View(ctx, func(tx *sqlite.Tx) error { return fn(tx) })
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

func flowPolicy() integrity.Policy {
	const day = 24 * time.Hour
	many := integrity.Limit{N: 600, Per: time.Minute}
	return integrity.Policy{
		AccountsWithoutDevice: true, SyncedOK: []string{"all"}, SyncedNewDevice: "hold", AppHosts: []string{flowHost},
		Windows:  account.Windows{Person: day, Fresh: 5 * time.Minute},
		Sessions: integrity.SessionPolicy{Phone: 180 * day, Browser: 30 * day, Guest: 12 * time.Hour},
		Holds:    integrity.HoldPolicy{Add: day, Recovery: 3 * day},
		Waits:    integrity.WaitPolicy{Unfreeze: day, Delete: 7 * day, Recovery: day, RecoveryFrozen: 3 * day},
		Limits: integrity.Limits{
			BeginNetwork: many, BeginDevice: many, FailedNetwork: many, FailedDevice: many, FailedAccount: many, Join: many,
			HandleChange: many, HandleTaken: many, AppApproval: many, FreezeCode: many, RecoveryOpen: many, AuditRefusal: many,
			MoveOffer: many, MoveClaim: many, MoveWait: many, MoveRevise: many,
		},
	}
}

// caller is a software phone that signs what it sends, once it has a key.
type caller struct {
	t       *testing.T
	f       *flows
	app     account.AppID
	key     *attesttest.AndroidKey
	passkey *passkeytest.Authenticator
	token   string
	spoil   func(*http.Request) // after signing

	accounts accountv1connect.AccountServiceClient
	passkeys passkeyv1connect.PasskeyServiceClient
	joins    accountv1connect.JoinServiceClient
}

func (f *flows) phone(t *testing.T, app account.AppID) *caller {
	t.Helper()
	a, err := passkeytest.New(&passkeytest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := &caller{t: t, f: f, app: app, passkey: a}
	client := &http.Client{Transport: c}
	c.accounts = accountv1connect.NewAccountServiceClient(client, "http://"+flowHost)
	c.joins = accountv1connect.NewJoinServiceClient(client, "http://"+flowHost)
	c.passkeys = passkeyv1connect.NewPasskeyServiceClient(client, "http://"+flowHost)
	return c
}

// RoundTrip signs a call, with the session if there is one.
func (c *caller) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Staunch-App", string(c.app))
	if c.token != "" {
		r.Header.Set("Authorization", "Staunch "+c.token)
	}
	if c.key != nil {
		if err := c.key.SignRequest(time.Now(), r); err != nil {
			return nil, err
		}
	}
	if c.spoil != nil {
		c.spoil(r)
	}
	return c.f.transport.RoundTrip(r)
}

// answer has the authenticator answer a ceremony.
func (c *caller) answer(made []byte, err error) string {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
	return string(made)
}

// attest makes the phone's key over a challenge, and what the server wants of it.
func (c *caller) attest(challenge []byte) *accountv1.NewPhone {
	c.t.Helper()
	ca, err := attesttest.TestAndroidCA(time.Now())
	if err != nil {
		c.t.Fatal(err)
	}
	if c.key, err = ca.Phone().GenerateKey(time.Now(), challenge); err != nil {
		c.t.Fatal(err)
	}
	return &accountv1.NewPhone{
		Name: "Pixel", Platform: accountv1.Platform_PLATFORM_ANDROID, Challenge: challenge,
		Evidence: &accountv1.NewPhone_CertificateChain{CertificateChain: &attestv1.CertificateChain{Certificates: c.key.Chain()}},
	}
}

// enrol makes an account.
func (c *caller) enrol() *accountv1.FinishEnrolResponse {
	c.t.Helper()
	begun, err := c.accounts.BeginEnrol(c.t.Context(), connect.NewRequest(&accountv1.BeginEnrolRequest{}))
	if err != nil {
		c.t.Fatal(err)
	}
	phone := c.attest(begun.Msg.GetChallenge())
	done, err := c.accounts.FinishEnrol(c.t.Context(), connect.NewRequest(&accountv1.FinishEnrolRequest{
		Ceremony: begun.Msg.GetCeremony(), Response: c.answer(c.passkey.Create([]byte(begun.Msg.GetOptions()), flowOrigin)),
		Phone: phone,
	}))
	if err != nil {
		c.t.Fatal(err)
	}
	c.token = done.Msg.GetSigned().GetToken()
	return done.Msg
}
