package recovery_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/event"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest"
	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/store/sqlite"
	"github.com/staunchid/staunch/store/storetest"
	"github.com/staunchid/staunch/tee"
)

const (
	alice  = account.ID("a_aaaaaaaaaaaaaaaaaaaaaaaaaa")
	bob    = account.ID("a_bbbbbbbbbbbbbbbbbbbbbbbbbb")
	phone1 = account.DeviceID("d_aaaaaaaaaaaaaaaaaaaaaaaaaa")
	phone2 = account.DeviceID("d_bbbbbbbbbbbbbbbbbbbbbbbbbb")
)

// noon is when these tests are.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// backend is a service over a real store and real vaults, whose store, retry
// stream and accounts a test scripts.
type backend struct {
	testing.TB
	vaults *recoverytest.Vaults
	ways   []recovery.Vault
	policy string
	dir    string
	store  storetest.Store
	queue  *queue
	gate   *gate
	key    []byte
	*recovery.Service

	storeDown bool         // transactions that write fail
	blocked   bool         // those that write records do
	readDown  bool         // those that read
	fault     atomic.Value // a string: the service dies there
	faulty    storetest.Store
	ahead     atomic.Int64 // of the clock
	clock     atomic.Pointer[func() time.Time]
}

func newBackend(t testing.TB, o recoverytest.Options) *backend {
	t.Helper()
	b := &backend{TB: t, policy: o.Policy, dir: t.TempDir(), key: make([]byte, 32), gate: &gate{tickets: map[[32]byte]recovery.Ticket{}}}
	o.Now = b.now
	v, err := recoverytest.NewVaults(&o)
	if err != nil {
		t.Fatal(err)
	}
	b.vaults, b.ways = v, v.Vaults()
	rand.Read(b.key) //nolint:errcheck // crypto/rand: never returns an error
	if b.policy == "" {
		b.policy = recovery.PolicyMerge
	}
	if o.Profile == recovery.ProfileSeed {
		b.policy = recovery.PolicyStrict
	}
	s, err := sqlite.Open(t.Context(), &sqlite.Options{Path: filepath.Join(b.dir, "demo.db"), App: "demo"})
	if err != nil {
		t.Fatal(err)
	}
	b.store = storetest.Of[*sqlite.Tx](s)
	t.Cleanup(func() { b.store.Close() })
	b.restart()
	return b
}

var errStoreDown = errors.New("the store is down")

// restart is a new service over the same store, vaults and queue.
func (b *backend) restart() {
	b.Helper()
	s, err := recovery.NewService(b.options())
	if err != nil {
		b.Fatal(err)
	}
	b.Service, b.queue.apply = s, s.Apply
}

// options are those of the service.
func (b *backend) options() *recovery.Options {
	if b.queue == nil {
		b.queue = &queue{}
	}
	o := &recovery.Options{
		App: "demo", Pepper: b.key, RowKey: b.key, RateKey: b.key, Set: b.vaults.Set(), Policy: b.policy, PINMin: 6, Vaults: b.ways,
		Vouchers: b.vaults.Vouchers, Accounts: b.gate, Retry: b.queue, Timeout: time.Second, Now: b.now,
		Update: func(ctx context.Context, fn func(recovery.Tx) error) error {
			if b.storeDown {
				return errStoreDown
			}
			return b.at().Update(ctx, func(tx storetest.Tx) error {
				if b.blocked {
					return fn(noRecords{tx})
				}
				return fn(tx)
			})
		},
		View: func(ctx context.Context, fn func(recovery.Tx) error) error {
			if b.readDown {
				return errStoreDown
			}
			return b.at().View(ctx, func(tx storetest.Tx) error { return fn(tx) })
		},
	}
	recovery.TestingOnlyFault(o, func(point string) bool { return point == b.fault.Load() })
	return o
}

func (b *backend) now() time.Time {
	if clock := b.clock.Load(); clock != nil {
		return (*clock)()
	}
	return time.Now().Add(time.Duration(b.ahead.Load()))
}

// setClock sets the clock of service, vaults and witnesses, which run meanwhile.
func (b *backend) setClock(clock func() time.Time) { b.clock.Store(&clock) }

// at is the store, or one with a fault.
func (b *backend) at() storetest.Store {
	if b.faulty != nil {
		return b.faulty
	}
	return b.store
}

// noRecords is a transaction of a store that takes no records.
type noRecords struct{ recovery.Tx }

func (noRecords) AdvanceRecovery(context.Context, recovery.RecordRow) (bool, error) {
	return false, errStoreDown
}

func (noRecords) CreateRecovery(context.Context, recovery.RecordRow) error { return errStoreDown }

// do runs a transaction that cannot fail.
func (b *backend) do(fn func(storetest.Tx) error) {
	b.Helper()
	if err := b.store.Update(b.Context(), fn); err != nil {
		b.Fatal(err)
	}
}

// row is what is stored of a vault.
func (b *backend) row(vault string, id account.ID) (r recovery.RecordRow, found bool) {
	b.Helper()
	b.do(func(tx storetest.Tx) (err error) {
		r, found, err = tx.Recovery(b.Context(), vault, wire.DerivePepper(b.key, vault).Acct(string(id)))
		return err
	})
	return r, found
}

// used is how many attempts the store knows of, by vault.
func (b *backend) used(id account.ID) (out []int) {
	b.Helper()
	for _, v := range b.vaults.List {
		r, _ := b.row(v.ID, id)
		out = append(out, int(r.Used))
	}
	return out
}

// binding is what a vault's evidence says of it.
func (b *backend) binding(vault string) (out wire.Binding) {
	b.Helper()
	c, err := b.GetConfig(b.Context(), account.Caller{}, nil)
	if err != nil {
		b.Fatal(err)
	}
	for _, raw := range c.Evidence {
		if raw == nil { // that vault is away
			continue
		}
		e, err := tee.ParseEvidence(raw)
		if err != nil {
			b.Fatal(err)
		}
		if out, err = wire.Decode[wire.Binding](e.Binding); err != nil {
			b.Fatal(err)
		}
		if out.Vault == vault {
			return out
		}
	}
	b.Fatalf("there is no evidence of %s", vault)
	return out
}

// putBack puts an older row into the store, which no service would.
func (b *backend) putBack(r recovery.RecordRow) {
	b.Helper()
	b.do(func(tx storetest.Tx) error {
		now, _, err := tx.Recovery(b.Context(), r.Vault, r.Acct)
		if err != nil {
			return err
		}
		now.State, now.Gen = uint8(wire.StateDeleted), now.Gen+1 // so that it can be dropped
		if err := tx.CreateRecovery(b.Context(), now); err != nil {
			return err
		}
		if _, err := tx.DropTombstones(b.Context(), r.Vault, 1<<31, 1000); err != nil {
			return err
		}
		return tx.CreateRecovery(b.Context(), r)
	})
}

// told gives the bodies of the events of a kind.
func (b *backend) told(kind string) (out []string) {
	b.Helper()
	var all []event.Event
	b.do(func(tx storetest.Tx) (err error) {
		all, err = tx.Events(b.Context(), 0, 1000)
		return err
	})
	for _, e := range all {
		if e.Type == kind {
			out = append(out, string(e.Body))
		}
	}
	return out
}

// gate stands for the accounts. What it tells the owner is an event, in the
// service's transaction.
type gate struct {
	refuse  map[account.Action]error
	tickets map[[32]byte]recovery.Ticket
	ticket  *recovery.Ticket // given out to anybody
}

func (g *gate) Allow(_ context.Context, _ recovery.Tx, c account.Caller, a account.Action) error {
	if c.Account == "" {
		return account.ErrRefused
	}
	return g.refuse[a]
}

func (g *gate) Ticket(_ context.Context, _ recovery.Tx, c account.Caller, id account.ID, hash [32]byte) (recovery.Ticket, error) {
	if g.ticket != nil {
		return *g.ticket, nil
	}
	t, ok := g.tickets[hash]
	if !ok || t.Account != id || t.Key != c.Key {
		return recovery.Ticket{}, recovery.ErrTicket
	}
	return t, nil
}

func (g *gate) Charged(ctx context.Context, tx recovery.Tx, id account.ID, by account.DeviceID, remaining, limit int) error {
	return tell(ctx, tx, "recovery.attempt", id, map[string]any{"by": by, "remaining": remaining, "limit": limit})
}

func (g *gate) Registered(ctx context.Context, tx recovery.Tx, id account.ID, by account.DeviceID, what string) error {
	return tell(ctx, tx, "recovery."+what, id, map[string]any{"by": by})
}

func tell(ctx context.Context, tx recovery.Tx, kind string, id account.ID, body map[string]any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return tx.AppendEvent(ctx, event.Event{Type: kind, Account: id, Body: text, At: noon})
}

// queue is a retry stream in memory: what it holds survives a restart of the
// service, and is applied when a test says so.
type queue struct {
	mu     sync.Mutex
	held   []recovery.Record // guarded by mu
	broken bool
	nudges int
	apply  func(context.Context, recovery.Record) error
}

func (q *queue) Enqueue(_ context.Context, r recovery.Record) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.broken {
		return errors.New("the disk is full")
	}
	q.held = append(q.held, r)
	return nil
}

func (q *queue) Run(ctx context.Context, _ func(context.Context, recovery.Record) error) error {
	<-ctx.Done()
	return nil
}

func (q *queue) Nudge(ctx context.Context, _ account.AppID, vault string, acct [16]byte) error {
	q.mu.Lock()
	q.nudges++
	mine, rest := []recovery.Record(nil), []recovery.Record(nil)
	for _, r := range q.held {
		if r.Vault == vault && r.Acct == acct {
			mine = append(mine, r)
		} else {
			rest = append(rest, r)
		}
	}
	q.held = rest
	q.mu.Unlock()
	return q.run(ctx, mine)
}

// drain applies what is held, in an order of the test's choice.
func (q *queue) drain(ctx context.Context, order func([]recovery.Record) []recovery.Record) error {
	q.mu.Lock()
	all := slices.Clone(q.held)
	q.held = nil
	q.mu.Unlock()
	if order != nil {
		all = order(all)
	}
	return q.run(ctx, all)
}

// run applies records; what is not is held again.
func (q *queue) run(ctx context.Context, all []recovery.Record) error {
	var errs error
	for _, r := range all {
		if err := q.apply(ctx, r); err != nil {
			errs = errors.Join(errs, err, q.Enqueue(ctx, r))
		}
	}
	return errs
}

// handset is a phone at a backend: transport and journals.
type handset struct {
	*backend
	id     account.ID
	device account.DeviceID // empty: a phone that is new
	key    string
	net    *recoverytest.Network
	client *recovery.Client
	backup []byte
	trying []byte
}

// handset makes a phone of an account.
func (b *backend) handset(id account.ID, device account.DeviceID) *handset {
	b.Helper()
	h := &handset{backend: b, id: id, device: device, key: "key of " + string(id) + string(device)}
	h.net = &recoverytest.Network{Transport: transport{h}}
	keep := func(file *[]byte, v interface{ Encode() ([]byte, error) }) (err error) {
		*file, err = v.Encode()
		return err
	}
	c, err := recovery.NewClient(&recovery.ClientOptions{
		Transport: h.net, ReleaseKeys: b.vaults.ReleaseKeys, Policy: tee.Policy{AllowProcess: true}, Now: b.now,
		SaveBackup:  func(v *recovery.Backup) error { return keep(&h.backup, v) },
		SaveAttempt: func(v *recovery.Attempt) error { return keep(&h.trying, v) },
		Approve: func(ctx context.Context, reg [16]byte) error {
			return b.store.Update(ctx, func(tx storetest.Tx) error { return b.SetUp(ctx, tx, id, device, "v_1", reg) })
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	recovery.TestingOnlyFastPIN(c)
	h.client = c
	return h
}

// caller is the phone, signed in.
func (h *handset) caller() account.Caller {
	return account.Caller{Kind: account.Phone, App: "demo", Account: h.id, Device: h.device, Key: h.key, Network: "n"}
}

// newcomer is the phone with a ticket: its key is known, and no account.
func (h *handset) newcomer() account.Caller {
	return account.Caller{Kind: account.Phone, App: "demo", Key: h.key, Network: "n"}
}

// ticket gives the phone leave to try PINs.
func (h *handset) ticket() recovery.TicketSecret {
	secret := recovery.TicketSecret("ticket of " + h.key)
	h.gate.tickets[sha256.Sum256(secret)] = recovery.Ticket{Account: h.id, Key: h.key, Device: h.device, Until: h.now().Add(24 * time.Hour)}
	return secret
}

func (h *handset) register(pin, secret string) error {
	h.Helper()
	var have *recovery.Backup
	if h.backup != nil {
		var err error
		if have, err = recovery.ParseBackup(h.backup); err != nil {
			h.Fatal(err)
		}
	}
	_, err := h.client.Register(h.Context(), have, pinOf(h, pin), payloadOf(secret))
	return err
}

func (h *handset) recover(pin string) (*recovery.Recovered, error) {
	h.Helper()
	attempt := new(recovery.Attempt)
	if h.trying != nil {
		var err error
		if attempt, err = recovery.ParseAttempt(h.trying); err != nil {
			h.Fatal(err)
		}
	}
	return h.client.Recover(h.Context(), h.id, h.ticket(), pinOf(h, pin), attempt)
}

// wrong wants a wrong PIN with so many left.
func (h *handset) wrong(pin string, remaining int) {
	h.Helper()
	_, err := h.recover(pin)
	var ge *recovery.GuessError
	if !errors.As(err, &ge) || ge.Remaining != remaining {
		h.Fatalf("PIN %s: %v, want a GuessError with %d remaining", pin, err, remaining)
	}
}

// right wants the secret back.
func (h *handset) right(pin, secret string) *recovery.Recovered {
	h.Helper()
	r, err := h.recover(pin)
	if err != nil {
		h.Fatalf("PIN %s: %v", pin, err)
	}
	if got := string(r.Payload.Keys[0].Secret); got != secret {
		h.Fatalf("PIN %s: %q, want %q", pin, got, secret)
	}
	return r
}

func (h *handset) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// transport is the API without an edge.
type transport struct{ h *handset }

func (t transport) GetConfig(ctx context.Context, nonce []byte) (*recovery.Config, error) {
	return t.h.GetConfig(ctx, t.h.newcomer(), nonce)
}

func (t transport) GetBackup(ctx context.Context) (*recovery.BackupView, error) {
	return t.h.GetBackup(ctx, t.h.caller())
}

func (t transport) PutBlob(ctx context.Context, reg [16]byte, blob []byte) error {
	return t.h.PutBlob(ctx, t.h.caller(), reg, blob)
}

func (t transport) CommitBackup(ctx context.Context, reg [16]byte, stage recovery.Stage, blob [32]byte) error {
	return t.h.CommitBackup(ctx, t.h.caller(), reg, stage, blob)
}

func (t transport) OpenSession(ctx context.Context, id account.ID, ticket recovery.TicketSecret) (*recovery.SessionView, error) {
	return t.h.OpenSession(ctx, t.h.newcomer(), id, ticket)
}

func (t transport) as(session recovery.SessionSecret) account.Caller {
	if len(session) > 0 {
		return t.h.newcomer()
	}
	return t.h.caller()
}

func (t transport) CallVault(ctx context.Context, in *recovery.VaultCall) (*recovery.VaultAnswer, error) {
	return t.h.CallVault(ctx, t.as(in.Session), in)
}

func (t transport) CallSeed(ctx context.Context, in *recovery.SeedCall) (*recovery.VaultAnswer, error) {
	return t.h.CallSeed(ctx, t.as(in.Session), in)
}

func (t transport) FinishSession(ctx context.Context, session recovery.SessionSecret) error {
	return t.h.FinishSession(ctx, t.h.newcomer(), session)
}
