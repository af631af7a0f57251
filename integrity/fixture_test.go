package integrity_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"io"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/passkey/passkeytest"
	"github.com/staunchid/staunch/store/sqlite"
	"github.com/staunchid/staunch/transfer"
)

const (
	host   = "accounts.example.org"
	origin = "https://accounts.example.org"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// rig is the flows of one app over a new store, with a clock that tests move.
type rig struct {
	*integrity.Service
	t     testing.TB
	path  string
	store *sqlite.Store
	opts  integrity.Options
	reg   *registry.Service
	moves *transfer.Service // nil but in a moveRig

	mu  sync.Mutex
	now time.Time

	noSync bool // for measurements
}

// newRig makes one; change may alter the options.
func newRig(t testing.TB, change ...func(*integrity.Options)) *rig {
	t.Helper()
	r := &rig{t: t, path: filepath.Join(t.TempDir(), "demo.db"), now: noon}
	r.open(change...)
	return r
}

func (r *rig) open(change ...func(*integrity.Options)) {
	t := r.t
	t.Helper()
	s, err := sqlite.Open(t.Context(), &sqlite.Options{Path: r.path, App: "demo", DangerousNoSync: r.noSync})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	r.store = s
	r.reg = newRegistry(t, s, r.clock)
	rp, err := passkey.New(&passkey.Options{App: "demo", RPID: "example.org", Name: "Demo", Origins: []string{origin, "https://example.org"}, Policy: findingsPolicy()})
	if err != nil {
		t.Fatal(err)
	}
	r.opts = integrity.Options{
		App: "demo", Name: "Demo", Passkey: rp, Attest: r.reg, Policy: demoPolicy(), Now: r.clock,
		RowKey: bytes.Repeat([]byte{1}, 32), RateKey: bytes.Repeat([]byte{2}, 32), FakeKey: bytes.Repeat([]byte{3}, 32),
		Update: func(ctx context.Context, fn func(integrity.Tx) error) error {
			return s.Update(ctx, func(tx *sqlite.Tx) error { return fn(tx) })
		},
		View: func(ctx context.Context, fn func(integrity.Tx) error) error {
			return s.View(ctx, func(tx *sqlite.Tx) error { return fn(tx) })
		},
		Peek: func(ctx context.Context, fn func(integrity.Tx) error) error {
			return s.Peek(ctx, func(tx *sqlite.Tx) error { return fn(tx) })
		},
	}
	for _, c := range change {
		c(&r.opts)
	}
	if r.Service, err = integrity.New(&r.opts); err != nil {
		t.Fatal(err)
	}
}

// reopen makes the flows anew, with other options.
func (r *rig) reopen(change func(*integrity.Options)) {
	r.t.Helper()
	change(&r.opts)
	var err error
	if r.Service, err = integrity.New(&r.opts); err != nil {
		r.t.Fatal(err)
	}
}

// newRegistry is the attest registry with the policy of `staunch dev`.
func newRegistry(t testing.TB, s *sqlite.Store, now func() time.Time) *registry.Service {
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
		Now: now, HashKey: bytes.Repeat([]byte{7}, 32), EvidenceRetention: 24 * time.Hour,
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

// demoPolicy has the values of the sample configuration.
func demoPolicy() integrity.Policy {
	const day = 24 * time.Hour
	per := func(n int, d time.Duration) integrity.Limit { return integrity.Limit{N: n, Per: d} }
	return integrity.Policy{
		AccountsWithoutDevice: true, SyncedOK: []string{"all"}, SyncedNewDevice: "hold", AppHosts: []string{host},
		Windows:  account.Windows{Person: day, Fresh: 5 * time.Minute},
		Sessions: integrity.SessionPolicy{Phone: 180 * day, Browser: 30 * day, Guest: 12 * time.Hour},
		Holds:    integrity.HoldPolicy{Add: day, Recovery: 3 * day},
		Waits:    integrity.WaitPolicy{Unfreeze: day, Delete: 7 * day, Recovery: day, RecoveryFrozen: 3 * day},
		Limits: integrity.Limits{
			BeginNetwork: integrity.Limit{N: 600, Per: time.Minute, Burst: 1200}, BeginDevice: per(30, time.Minute),
			FailedNetwork: per(20, 10*time.Minute), FailedDevice: per(10, time.Hour), FailedAccount: per(10, time.Hour),
			Join: per(10, time.Hour), HandleChange: per(5, day), HandleTaken: per(5, day), AppApproval: per(30, time.Hour),
			FreezeCode: per(5, time.Hour), RecoveryOpen: per(60, time.Hour), AuditRefusal: per(60, time.Hour),
			MoveOffer: per(60, 10*time.Minute), MoveClaim: per(10, day), MoveWait: per(120, time.Minute), MoveRevise: per(60, time.Hour),
		},
	}
}

// findingsPolicy has those of the sample configuration.
func findingsPolicy() passkey.Policy {
	return passkey.Policy{
		CounterRegress: passkey.Refuse, CounterRegressSynced: passkey.Raise, BackupEligibleChanged: passkey.Refuse,
		BackupStateChanged: passkey.Raise, PRFMissing: passkey.Note,
		ModelUnknown: passkey.Refuse, ModelStatus: passkey.Refuse, AttestationUntrusted: passkey.Refuse,
	}
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

var androidCA = sync.OnceValues(func() (*attesttest.AndroidCA, error) { return attesttest.TestAndroidCA(noon) })

// checked is the check of the whole store: chains, digests, MACs and steps.
func (r *rig) checked() {
	r.t.Helper()
	report, err := r.store.CheckBy(r.t.Context(), func(tx *sqlite.Tx) (audit.Report, error) {
		return audit.Check(r.t.Context(), tx.Keyed(r.opts.RowKey), &audit.CheckOptions{Legal: account.Legal, Now: r.clock()})
	})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, p := range report.Problems {
		r.t.Errorf("the check finds: %+v", p)
	}
}

// exec changes the store behind everybody's back.
func (r *rig) exec(query string, args ...any) {
	r.t.Helper()
	db, err := sql.Open("sqlite", "file:"+r.path+"?_pragma=busy_timeout(5000)")
	if err != nil {
		r.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(query, args...); err != nil {
		r.t.Fatal(err)
	}
}

// count counts the rows of a query's FROM and WHERE.
func (r *rig) count(from string, args ...any) (n int) {
	r.t.Helper()
	db, err := sql.Open("sqlite", "file:"+r.path+"?mode=ro")
	if err != nil {
		r.t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow("SELECT count(*) FROM "+from, args...).Scan(&n); err != nil {
		r.t.Fatal(err)
	}
	return n
}

// read gives what fn reads of the store.
func read[T any](r *rig, fn func(integrity.Tx) (T, error)) (v T) {
	r.t.Helper()
	err := r.opts.View(r.t.Context(), func(tx integrity.Tx) (err error) {
		v, err = fn(tx)
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return v
}

// phone is a software phone with what it keeps.
type phone struct {
	r       *rig
	key     *attesttest.AndroidKey
	sign    func(time.Time, *http.Request, ...attesttest.RequestOption) error // of an iPhone, whose key is another
	spki    []byte
	passkey *passkeytest.Authenticator
	token   integrity.Token
	account account.ID
	device  account.DeviceID
}

// network is where a phone's calls come from.
const network = "net-1"

func (r *rig) anonymous() account.Caller {
	return account.Caller{Kind: account.Anonymous, App: "demo", Network: network, Place: "Berlin, Germany"}
}

// newPhone is a phone that is nobody's, with an authenticator.
func (r *rig) newPhone(o *passkeytest.Options) *phone {
	r.t.Helper()
	if o == nil {
		o = &passkeytest.Options{}
	}
	a, err := passkeytest.New(o)
	if err != nil {
		r.t.Fatal(err)
	}
	return &phone{r: r, passkey: a}
}

// attest makes the phone's key over a challenge, and what a flow wants of it.
func (p *phone) attest(challenge []byte) *integrity.NewPhone {
	p.r.t.Helper()
	ca, err := androidCA()
	if err != nil {
		p.r.t.Fatal(err)
	}
	if p.key, err = ca.Phone().GenerateKey(p.r.clock(), challenge, func(d *attesttest.AndroidDraft) { p.spki = d.Leaf().PublicKey }); err != nil {
		p.r.t.Fatal(err)
	}
	return p.brings(challenge, p.key.Chain())
}

// attestAgain gives evidence for the key that the phone has, over another
// challenge.
func (p *phone) attestAgain(challenge []byte) *integrity.NewPhone {
	p.r.t.Helper()
	ca, err := androidCA()
	if err != nil {
		p.r.t.Fatal(err)
	}
	key, err := ca.Phone().GenerateKey(p.r.clock(), challenge, func(d *attesttest.AndroidDraft) { d.Leaf().PublicKey = p.spki })
	if err != nil {
		p.r.t.Fatal(err)
	}
	return p.brings(challenge, key.Chain())
}

func (p *phone) brings(challenge []byte, chain [][]byte) *integrity.NewPhone {
	p.r.t.Helper()
	return &integrity.NewPhone{
		Name: "Pixel", Platform: "android", SealingAlg: "x25519", SealingKey: bytes.Repeat([]byte{9}, 32),
		Evidence: registry.Registration{Challenge: challenge, CertificateChain: chain},
		Message:  p.message(nil),
	}
}

// message is a call as the edge sees it, signed by the phone's key.
func (p *phone) message(token integrity.Token) *request.Message {
	p.r.t.Helper()
	req, err := http.NewRequest(http.MethodPost, origin+"/staunch.account.v1.AccountService/Call", bytes.NewReader([]byte(`{}`)))
	if err != nil {
		p.r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != nil {
		req.Header.Set("Authorization", "Staunch "+base64.RawURLEncoding.EncodeToString(token))
	}
	sign := p.sign
	if sign == nil {
		sign = p.key.SignRequest
	}
	if err := sign(p.r.clock(), req); err != nil {
		p.r.t.Fatal(err)
	}
	m, body, err := request.FromCall(req, 1<<20)
	if err != nil {
		p.r.t.Fatal(err)
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	return m
}

// caller is the phone as the edge proves it.
func (p *phone) caller() account.Caller {
	p.r.t.Helper()
	c, err := p.r.Prove(p.r.t.Context(), p.message(p.token), p.token, false)
	if err != nil {
		p.r.t.Fatal(err)
	}
	c.Network, c.Place = network, "Berlin, Germany"
	return c
}
