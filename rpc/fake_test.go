package rpc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/rpc"
)

const (
	secretDemo  = "demo-0123456789-0123456789-0123456789"
	secretOther = "other-0123456789-0123456789-012345678"
	someAccount = "a_abcdefghijklmnopqrstuvwxyz"
)

// fake is an attestation service that remembers what it was asked.
type fake struct {
	mu     sync.Mutex
	caller account.Caller
	reg    *registry.Registration
	chal   *registry.ChallengeRequest
	keyID  string
	check  *registry.RequestCheck
	filter registry.KeyFilter
	size   int
	reason string
	stats  *registry.StatFilter

	err    error
	panics any
}

func (f *fake) enter(c account.Caller) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.caller = c
	if f.panics != nil {
		panic(f.panics)
	}
	return f.err
}

func (f *fake) CreateChallenge(_ context.Context, c account.Caller, in *registry.ChallengeRequest) (*registry.IssuedChallenge, error) {
	f.chal = in
	at := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	return &registry.IssuedChallenge{Challenge: bytes.Repeat([]byte{7}, 32), ExpiresAt: at.Add(time.Minute), ServerTime: at}, f.enter(c)
}

func (f *fake) Register(_ context.Context, c account.Caller, in *registry.Registration) (*registry.Registered, error) {
	f.reg = in
	position := 1
	return &registry.Registered{
		Decision: registry.Deny, Advice: registry.AdviceNewKey, Evidence: "e_1", Stage: "rollout[1]",
		Verdict: &attest.Verdict{Tier: attest.TierContraindicated, Policy: "demo", Findings: []attest.Finding{
			{Code: "android.ca_bit", Class: attest.Honest, Effect: attest.Reject, Position: &position, Detail: "secret detail"},
		}},
	}, f.enter(c)
}

func (f *fake) GetKey(_ context.Context, c account.Caller, _ account.AppID, id string) (registry.Key, error) {
	f.keyID = id
	return registry.Key{
		ID: id, Account: someAccount, Platform: "android", SPKI: []byte{1}, Tier: attest.TierAffirming,
		State: registry.StateActive, LastUsed: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC),
	}, f.enter(c)
}

func (f *fake) VerifyRequest(_ context.Context, c account.Caller, in *registry.RequestCheck) (*registry.RequestVerdict, error) {
	f.check = in
	at := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	return &registry.RequestVerdict{
		Decision: registry.Allow, Advice: registry.AdviceNone, Stage: "rollout[1]",
		Key:     &registry.VerifiedKey{ID: "k1", Account: someAccount, Platform: "apple", Tier: attest.TierWarning, RegisteredAt: at},
		Verdict: &attest.Verdict{Tier: attest.TierAffirming, Policy: "demo", At: at},
	}, f.enter(c)
}

func (f *fake) ListKeys(_ context.Context, c account.Caller, _ account.AppID, filter registry.KeyFilter, size int) (*registry.KeyPage, error) {
	f.filter, f.size = filter, size
	return &registry.KeyPage{Keys: []registry.Key{{ID: "k1"}, {ID: "k2"}}, Next: "k2"}, f.enter(c)
}

func (f *fake) RevokeKey(_ context.Context, c account.Caller, _ account.AppID, id, reason string) (registry.Key, error) {
	f.keyID, f.reason = id, reason
	return registry.Key{ID: id, State: registry.StateRevoked}, f.enter(c)
}

// bench is a server of one or two apps.
type bench struct {
	*httptest.Server
	demo, other *fake
	accounts    *fakeAccounts // of demo
	others      *fakeAccounts // of other
	log         *lockedBuffer
	calls       []rpc.Call
}

type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

func token(t testing.TB, secret string) rpc.Token {
	t.Helper()
	tok, err := rpc.NewToken([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func newBench(t testing.TB, two bool, change func(*rpc.Options)) *bench {
	t.Helper()
	b := &bench{demo: &fake{}, other: &fake{}, accounts: newFakeAccounts(), others: newFakeAccounts(), log: &lockedBuffer{}}
	var mu sync.Mutex
	opts := &rpc.Options{
		Apps:   []rpc.App{{ID: "demo", Attest: b.demo, Token: token(t, secretDemo), Accounts: b.accounts}},
		Logger: slog.New(slog.NewTextHandler(b.log, nil)),
		Observe: func(c rpc.Call) {
			mu.Lock()
			defer mu.Unlock()
			b.calls = append(b.calls, c)
		},
	}
	if two {
		opts.Apps = append(opts.Apps, rpc.App{ID: "other", Attest: b.other, Token: token(t, secretOther), Accounts: b.others})
	}
	if change != nil {
		change(opts)
	}
	h, err := rpc.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	b.Server = httptest.NewServer(h)
	t.Cleanup(b.Close)
	return b
}

// answer is a Connect answer in JSON.
type answer struct {
	status  int
	body    string
	Code    string
	Message string
	Details []struct {
		Type  string
		Debug struct {
			Reason, Domain string
			Metadata       map[string]string
		}
	}
}

func (a answer) reason() string {
	if len(a.Details) == 0 {
		return ""
	}
	return a.Details[0].Debug.Reason
}

// post makes a call in JSON. header is "Name: value" lines.
func (b *bench) post(t testing.TB, method, body string, header ...string) answer {
	t.Helper()
	return b.call(t, "/staunch.attest.v1.AttestService/"+method, body, header...)
}

// call makes a call of any service in JSON.
func (b *bench) call(t testing.TB, path, body string, header ...string) answer {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, b.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Add(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: res.StatusCode, body: string(data)}
	if res.StatusCode != http.StatusOK && res.Header.Get("Content-Type") == "application/json" {
		if err := json.Unmarshal(data, &a); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
	}
	return a
}
