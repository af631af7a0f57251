package registry_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/event"
	"github.com/staunchid/staunch/store/sqlite"
	"github.com/staunchid/staunch/store/storetest"
)

const (
	alice account.ID = "a_aaaaaaaaaaaaaaaaaaaaaaaaaa"
	bob   account.ID = "a_bbbbbbbbbbbbbbbbbbbbbbbbbb"
)

var (
	noon    = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	backend = account.Caller{Kind: account.Backend, App: "demo", Name: "backend"}
)

// rig is a service over a new store, with a clock that tests move.
type rig struct {
	t     testing.TB
	path  string
	store storetest.Store
	opts  *registry.Options
	*registry.Service
	db *sql.DB // beside the store, for rows

	mu  sync.Mutex
	now time.Time
}

// newRig makes one; change may alter the options.
func newRig(t testing.TB, change ...func(*registry.Options)) *rig {
	t.Helper()
	r := &rig{t: t, path: filepath.Join(t.TempDir(), "demo.db"), now: noon}
	r.open()
	r.opts = r.options()
	for _, c := range change {
		c(r.opts)
	}
	r.Service = r.service(r.store)
	return r
}

// open opens the store, again if need be.
func (r *rig) open() {
	r.t.Helper()
	s, err := sqlite.Open(r.t.Context(), &sqlite.Options{Path: r.path, App: "demo"})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { s.Close() })
	r.store = storetest.Of[*sqlite.Tx](s)
}

func (r *rig) options() *registry.Options {
	r.t.Helper()
	policy := demoPolicy(r.t)
	verifier, err := attest.NewVerifier(nil)
	if err != nil {
		r.t.Fatal(err)
	}
	list, err := android.ParseStatusList([]byte(`{"entries": {"badbad": {"status": "REVOKED", "reason": "KEY_COMPROMISE"}}}`))
	if err != nil {
		r.t.Fatal(err)
	}
	return &registry.Options{
		App: "demo", Policy: func() *attest.Policy { return policy }, Verifier: verifier,
		Status: func() *android.StatusList { return list }, Now: r.clock,
		HashKey: bytes.Repeat([]byte{7}, 32), EvidenceRetention: 30 * 24 * time.Hour,
	}
}

func demoPolicy(t testing.TB) *attest.Policy {
	t.Helper()
	var f attest.PolicyFile
	if err := config.Decode([]byte(attesttest.DemoPolicy()), &f); err != nil {
		t.Fatal(err)
	}
	p, err := attest.NewPolicy(&f)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// service makes a service of the rig's options over s.
func (r *rig) service(s storetest.Store) *registry.Service {
	r.t.Helper()
	o := *r.opts
	o.Update, o.View = storetest.Registry(s)
	service, err := registry.New(&o)
	if err != nil {
		r.t.Fatal(err)
	}
	return service
}

func (r *rig) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

func (r *rig) advance(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

// challenge gets one for registering a key of an account.
func (r *rig) challenge(id account.ID) []byte {
	r.t.Helper()
	c, err := r.CreateChallenge(r.t.Context(), backend, &registry.ChallengeRequest{App: "demo", Account: id, Purpose: registry.PurposeRegister})
	if err != nil {
		r.t.Fatal(err)
	}
	return c.Challenge
}

// The test CAs take a while to make, and never change.
var (
	androidCA = sync.OnceValues(func() (*attesttest.AndroidCA, error) { return attesttest.TestAndroidCA(noon) })
	appleCA   = sync.OnceValues(func() (*attesttest.AppleCA, error) { return attesttest.TestAppleCA(noon) })
)

// androidPhone is a good phone.
func androidPhone(t testing.TB) *attesttest.AndroidPhone {
	t.Helper()
	ca, err := androidCA()
	if err != nil {
		t.Fatal(err)
	}
	return ca.Phone()
}

func applePhone(t testing.TB) *attesttest.ApplePhone {
	t.Helper()
	ca, err := appleCA()
	if err != nil {
		t.Fatal(err)
	}
	return ca.Phone()
}

// androidRegistration is a good one of alice over a new challenge.
func (r *rig) androidRegistration(opts ...attesttest.AndroidOption) *registry.Registration {
	r.t.Helper()
	c := r.challenge(alice)
	key, err := androidPhone(r.t).GenerateKey(r.clock(), c, opts...)
	if err != nil {
		r.t.Fatal(err)
	}
	return &registry.Registration{App: "demo", Account: alice, Challenge: c, CertificateChain: key.Chain()}
}

// appleRegistration is the same for an iPhone's key.
func (r *rig) appleRegistration(key *attesttest.AppleKey, opts ...attesttest.AppleOption) *registry.Registration {
	r.t.Helper()
	return r.appleOf(alice, key, opts...)
}

// appleOf is one of an account.
func (r *rig) appleOf(id account.ID, key *attesttest.AppleKey, opts ...attesttest.AppleOption) *registry.Registration {
	r.t.Helper()
	c := r.challenge(id)
	hash := sha256.Sum256(c)
	object, err := key.Attest(r.clock(), hash[:], opts...)
	if err != nil {
		r.t.Fatal(err)
	}
	return &registry.Registration{
		App: "demo", Account: id, Challenge: c, AttestationObject: object, KeyID: base64.RawURLEncoding.EncodeToString(key.ID()),
	}
}

// register fails the test on an error.
func (r *rig) register(in *registry.Registration) *registry.Registered {
	r.t.Helper()
	out, err := r.Register(r.t.Context(), backend, in)
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

// mustAllow registers what must be accepted.
func (r *rig) mustAllow(in *registry.Registration) *registry.Registered {
	r.t.Helper()
	out := r.register(in)
	if out.Decision != registry.Allow || out.Advice != registry.AdviceNone || out.KeyID == "" {
		r.t.Fatalf("%s, %s, key %q: %+v", out.Decision, out.Advice, out.KeyID, out.Verdict.Findings)
	}
	return out
}

// mustDeny registers what must be refused with a code.
func (r *rig) mustDeny(in *registry.Registration, code string, advice registry.Advice) *registry.Registered {
	r.t.Helper()
	out := r.register(in)
	if out.Decision != registry.Deny || out.KeyID != "" || !out.Verdict.Has(code) || out.Advice != advice {
		r.t.Fatalf("%s, %s, key %q, want %s and %s: %+v", out.Decision, out.Advice, out.KeyID, code, advice, out.Verdict.Findings)
	}
	return out
}

func (r *rig) key(id string) registry.Key {
	r.t.Helper()
	k, err := r.GetKey(r.t.Context(), backend, "demo", id)
	if err != nil {
		r.t.Fatal(err)
	}
	return k
}

// mustCheck fails the test unless the store is without a problem.
func (r *rig) mustCheck() {
	r.t.Helper()
	report, err := r.store.Check(context.Background(), r.clock())
	if err != nil || !report.OK() {
		r.t.Errorf("Check: %+v, %v", report, err)
	}
}

// record gives all audit entries and events.
func (r *rig) record() (entries []audit.Entry, events []event.Event) {
	r.t.Helper()
	err := r.store.View(r.t.Context(), func(tx storetest.Tx) (err error) {
		if events, err = tx.Events(r.t.Context(), 0, 1000); err != nil {
			return err
		}
		return tx.AuditEntries(r.t.Context(), func(e audit.Entry) error { entries = append(entries, e); return nil })
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return entries, events
}

// files gives the bytes of the store's files.
func (r *rig) files() []byte {
	r.t.Helper()
	names, err := filepath.Glob(r.path + "*")
	if err != nil {
		r.t.Fatal(err)
	}
	var all []byte
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			r.t.Fatal(err)
		}
		all = append(all, data...)
	}
	return all
}

// rows counts rows in the file, beside the store.
func (r *rig) rows(from string) int {
	r.t.Helper()
	return r.scalar("SELECT count(*) FROM " + from)
}

// scalar asks the file, beside the store, for a number.
func (r *rig) scalar(query string) (n int) {
	r.t.Helper()
	if r.db == nil {
		db, err := sql.Open("sqlite", r.path)
		if err != nil {
			r.t.Fatal(err)
		}
		r.t.Cleanup(func() { db.Close() })
		r.db = db
	}
	if err := r.db.QueryRow(query).Scan(&n); err != nil {
		r.t.Fatal(err)
	}
	return n
}

// mustBe fails the test unless err is nil, if that is good, or want.
func mustBe(t *testing.T, err error, good bool, want error) {
	t.Helper()
	if good && err != nil || !good && !errors.Is(err, want) {
		t.Errorf("error %v, good would be %v", err, good)
	}
}
