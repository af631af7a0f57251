// Package e2e drives the pages in a real browser, against real flows over a
// real store. It needs Chromium, and what `make browser` installs.
package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/rpc"
	"github.com/staunchid/staunch/store/sqlite"
	"github.com/staunchid/staunch/web"
)

// rig is one app with its pages, and what a script may do behind its back.
type rig struct {
	*integrity.Service
	site  *web.Site
	store *sqlite.Store
	ahead atomic.Int64 // by how much its clock is ahead
}

// place says where a rig's pages are.
type place struct {
	rpID    string
	origins []string // the first is where the tests begin
}

func (r *rig) now() time.Time { return time.Now().Add(time.Duration(r.ahead.Load())) }

func newRig(t *testing.T, at place) *rig {
	t.Helper()
	r := &rig{}
	var err error
	if r.store, err = sqlite.Open(t.Context(), &sqlite.Options{Path: filepath.Join(t.TempDir(), "demo.db"), App: "demo"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.store.Close() })
	rp, err := passkey.New(&passkey.Options{App: "demo", RPID: at.rpID, Name: "Demo", Origins: at.origins, Policy: passkey.Policy{
		CounterRegress: passkey.Refuse, CounterRegressSynced: passkey.Raise, BackupEligibleChanged: passkey.Refuse,
		BackupStateChanged: passkey.Raise, PRFMissing: passkey.Note,
		ModelUnknown: passkey.Refuse, ModelStatus: passkey.Refuse, AttestationUntrusted: passkey.Refuse,
	}})
	if err != nil {
		t.Fatal(err)
	}
	r.Service, err = integrity.New(&integrity.Options{
		App: "demo", Name: "Demo", Passkey: rp, Attest: r.registry(t), Policy: policy(), Now: r.now,
		RowKey: bytes.Repeat([]byte{1}, 32), RateKey: bytes.Repeat([]byte{2}, 32), FakeKey: bytes.Repeat([]byte{3}, 32),
		Update: func(ctx context.Context, fn func(integrity.Tx) error) error {
			return r.store.Update(ctx, func(tx *sqlite.Tx) error { return fn(tx) })
		},
		View: func(ctx context.Context, fn func(integrity.Tx) error) error {
			return r.store.View(ctx, func(tx *sqlite.Tx) error { return fn(tx) })
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.site, err = web.New(&web.Options{
		App: "demo", Name: "Demo", Service: r.Service, Origins: at.origins, SignUp: true, RelatedOrigins: rp.RelatedOrigins(),
		Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// registry is the attest registry of `staunch dev`, which no browser meets.
func (r *rig) registry(t *testing.T) *registry.Service {
	t.Helper()
	var f attest.PolicyFile
	if err := config.Decode([]byte(attesttest.DemoPolicy()), &f); err != nil {
		t.Fatal(err)
	}
	p, err := attest.NewPolicy(&f)
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
		App: "demo", Policy: func() *attest.Policy { return p }, Verifier: verifier, Status: func() *android.StatusList { return list },
		Now: r.now, HashKey: bytes.Repeat([]byte{7}, 32), EvidenceRetention: 24 * time.Hour,
		Update: func(ctx context.Context, fn func(registry.Tx) error) error {
			return r.store.Update(ctx, func(tx *sqlite.Tx) error { return fn(tx) })
		},
		View: func(ctx context.Context, fn func(registry.Tx) error) error {
			return r.store.View(ctx, func(tx *sqlite.Tx) error { return fn(tx) })
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

func policy() integrity.Policy {
	const day = 24 * time.Hour
	per := func(n int, d time.Duration) integrity.Limit { return integrity.Limit{N: n, Per: d} }
	return integrity.Policy{
		AccountsWithoutDevice: true, SyncedOK: []string{"all"}, SyncedNewDevice: "hold", AppHosts: []string{"localhost"},
		Windows:  account.Windows{Person: day, Fresh: 5 * time.Minute},
		Sessions: integrity.SessionPolicy{Phone: 180 * day, Browser: 30 * day, Guest: 12 * time.Hour},
		Holds:    integrity.HoldPolicy{Add: day, Recovery: 3 * day},
		Waits:    integrity.WaitPolicy{Unfreeze: day, Delete: 7 * day, Recovery: day, RecoveryFrozen: 3 * day},
		Limits: integrity.Limits{
			BeginNetwork: integrity.Limit{N: 600, Per: time.Minute, Burst: 1200}, BeginDevice: per(30, time.Minute),
			FailedNetwork: per(200, 10*time.Minute), FailedDevice: per(10, time.Hour), FailedAccount: per(100, time.Hour),
			Join: per(100, time.Hour), HandleChange: per(50, day), HandleTaken: per(5, day), AppApproval: per(30, time.Hour),
			FreezeCode: per(5, time.Hour), RecoveryOpen: per(60, time.Hour), AuditRefusal: per(60, time.Hour),
			MoveOffer: per(60, 10*time.Minute), MoveClaim: per(10, day), MoveWait: per(120, time.Minute), MoveRevise: per(60, time.Hour),
		},
	}
}

// handler is pages and stream, as a server puts them together, and below
// /control/ what the tests do behind the pages' back.
func (r *rig) handler(t *testing.T) http.Handler {
	t.Helper()
	api, err := rpc.New(&rpc.Options{
		Apps: []rpc.App{{ID: "demo", Attest: r.registry(t), Accounts: r.Service}}, Browser: r.site.Caller,
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(rpc.StreamPath, api)
	mux.Handle("/", r.site)
	return mux
}

// control lets a script act without a browser.
func (r *rig) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /ahead", func(w http.ResponseWriter, q *http.Request) {
		d, err := time.ParseDuration(q.URL.Query().Get("by"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.ahead.Add(int64(d))
	})
	// As a terminal would that is signed in to the same account.
	mux.HandleFunc("POST /freeze", func(w http.ResponseWriter, q *http.Request) {
		c := account.Caller{Kind: account.Backend, App: "demo"}
		f, err := r.FreezeAccount(q.Context(), c, account.ID(q.URL.Query().Get("account")))
		reply(w, f, err)
	})
	mux.HandleFunc("POST /approval", func(w http.ResponseWriter, q *http.Request) {
		c := account.Caller{Kind: account.Backend, App: "demo"}
		a, err := r.CreateApproval(q.Context(), c, &integrity.AppApproval{
			Account: account.ID(q.URL.Query().Get("account")), Kind: "pay", Params: json.RawMessage(`{"amount":"1200.00"}`),
			Text: q.URL.Query().Get("text"), Need: account.Exact,
		})
		reply(w, a, err)
	})
	return mux
}

func reply(w http.ResponseWriter, body any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(body)
}

// listen takes a free port of this machine.
func listen(t *testing.T) (l net.Listener, port string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err = net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return l, port
}

// serve runs h at l until the test ends.
func serve(t *testing.T, l net.Listener, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Listener.Close()
	s.Listener = l
	s.Start()
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}
