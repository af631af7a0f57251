package recovery_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/vault"
	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/store/sqlite"
	"github.com/staunchid/staunch/store/storetest"
	"github.com/staunchid/staunch/tee"
	"github.com/staunchid/staunch/tee/process"
)

// slides is profile seed as its scripts see it: several enclaves with one master
// key, a storage, a retry queue, and an insider who may do as he likes with them.
type slides struct {
	*testing.T
	config   wire.Config
	keys     *vault.MasterKeys
	vouchers ed25519.PrivateKey
	release  ed25519.PrivateKey
	self     *process.Report
	key      []byte
	enclaves []*enclave
	store    storetest.Store
	path     string
	gate     *gate
	queue    *queue
	service  *recovery.Service
	log      bytes.Buffer
	tries    int

	id      account.ID
	records map[uint64][]byte // what was ever returned, by version
	traced  []string
	wire    bytes.Buffer // all bytes on links and in the queue
	served  map[account.ID]map[string]bool

	loses bool // storage says that it has stored, and has not
	fails int  // so many writes of records fail; -1: all
	blind bool // storage cannot be read
}

// enclave is one of them. It is a recovery.Link.
type enclave struct {
	*slides
	name   string
	memory *vault.Memory
	vault  *vault.Vault
}

func newSlides(t *testing.T) *slides {
	self, err := process.Self()
	if err != nil {
		t.Fatal(err)
	}
	_, vouchers, _ := ed25519.GenerateKey(nil) // never fails
	_, release, _ := ed25519.GenerateKey(nil)
	s := &slides{
		T: t, vouchers: vouchers, release: release, self: self, keys: vault.NewMasterKeys(time.Now()), key: bytes.Repeat([]byte{7}, 32), id: alice, tries: 3,
		path: filepath.Join(t.TempDir(), "demo.db"), gate: &gate{tickets: map[[32]byte]recovery.Ticket{}}, queue: &queue{},
		records: map[uint64][]byte{}, served: map[account.ID]map[string]bool{},
	}
	s.config = wire.Config{
		Vault: "v1", Profile: recovery.ProfileSeed, Suite: wire.Suite1, N: 1, T: 1, Limit: 10, Policy: recovery.PolicyStrict,
		Freshness: wire.Freshness{Level: vault.LevelMemory}, OnAmnesia: "checkpoint", VoucherKey: wire.EdKey(vouchers.Public().(ed25519.PublicKey)),
		Release: wire.ReleaseKeys{K: 1, Keys: []wire.EdKey{wire.EdKey(release.Public().(ed25519.PublicKey))}},
	}
	db, err := sqlite.Open(t.Context(), &sqlite.Options{Path: s.path, App: "demo", DangerousNoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	s.store = storetest.Of[*sqlite.Tx](db)
	t.Cleanup(func() { s.store.Close() })
	return s
}

// start begins with n enclaves.
func (s *slides) start(n int) {
	s.Helper()
	s.enclaves = nil
	for i := range n {
		e := &enclave{slides: s, name: "v1/" + string(rune('a'+i))}
		e.restart()
		s.enclaves = append(s.enclaves, e)
	}
	s.serve()
}

// restart is a new process, which remembers nothing.
func (e *enclave) restart() {
	e.memory = vault.NewMemory()
	v, err := vault.New(&vault.Options{
		Config: e.config, Replica: e.name, Boot: vault.NewBoot(), Keys: e.keys, Freshness: e.memory,
		Attest: func(_ context.Context, binding []byte) ([]byte, error) { return tee.ProcessEvidence(e.self, binding) },
	})
	if err != nil {
		e.Fatal(err)
	}
	e.vault = v
}

// serve makes the service over the enclaves as they are.
func (s *slides) serve() {
	s.Helper()
	hash, err := s.config.Hash()
	if err != nil {
		s.Fatal(err)
	}
	set := &wire.VaultSet{
		Version: 1, Profile: s.config.Profile, Suite: s.config.Suite, N: 1, T: 1, Limit: s.config.Limit, Release: s.config.Release,
		Vaults: []wire.Member{{Vault: "v1", Operator: "local", ConfigHash: hash, Measurements: []wire.Measurement{
			{Platform: tee.PlatformProcess, Values: map[string][]byte{"sha256": s.self.Executable[:]}},
		}}},
	}
	tbs, err := wire.Encode(set)
	if err != nil {
		s.Fatal(err)
	}
	signed := &wire.KofM{TBS: tbs}
	signed.Add(s.release)
	doc, err := wire.Encode(signed)
	if err != nil {
		s.Fatal(err)
	}
	v := recovery.Vault{ID: "v1"}
	for _, e := range s.enclaves {
		v.Replicas = append(v.Replicas, recovery.Replica{Vault: "v1", Name: e.name, Link: e})
	}
	s.service, err = recovery.NewService(&recovery.Options{
		App: "demo", Pepper: s.key, RowKey: s.key, RateKey: s.key, Set: doc, Policy: recovery.PolicyStrict, PINMin: 6, Vaults: []recovery.Vault{v},
		Vouchers: s.vouchers, Accounts: s.gate, Retry: s.queue, MaxTries: s.tries, Update: s.update, View: s.view,
		Logger: slog.New(slog.NewTextHandler(&s.log, nil)),
	})
	if err != nil {
		s.Fatal(err)
	}
	s.queue.apply = s.service.Apply
}

// Call is recovery.Link: all that goes over it is kept.
func (e *enclave) Call(ctx context.Context, c *wire.Call) (*wire.Reply, error) {
	e.trace("execute")
	r := e.vault.Handle(ctx, c)
	for _, v := range []wire.Coded{c, r} {
		b, err := wire.Encode(v)
		if err != nil {
			return nil, err
		}
		e.wire.Write(b)
	}
	if r.Result == wire.CodeDone && r.Ver != nil {
		e.records[*r.Ver] = r.Record
		if e.served[e.id] == nil {
			e.served[e.id] = map[string]bool{}
		}
		e.served[e.id][e.name] = true
	}
	return r, nil
}

// Evidence is recovery.Link.
func (e *enclave) Evidence(ctx context.Context, nonce []byte) ([]byte, error) {
	return e.vault.Evidence(ctx, nonce)
}

func (s *slides) trace(what string) { s.traced = append(s.traced, what) }

var errLosesWrites = errors.New("the write is lost")

// recording notes whether a transaction writes a record.
type recording struct {
	recovery.Tx
	writes *bool
}

func (r recording) AdvanceRecovery(ctx context.Context, row recovery.RecordRow) (bool, error) {
	*r.writes = true
	return r.Tx.AdvanceRecovery(ctx, row)
}

func (r recording) CreateRecovery(ctx context.Context, row recovery.RecordRow) error {
	*r.writes = true
	return r.Tx.CreateRecovery(ctx, row)
}

// update is a transaction of the storage, with the faults of the script.
func (s *slides) update(ctx context.Context, fn func(recovery.Tx) error) error {
	writes := false
	err := s.store.Update(ctx, func(tx storetest.Tx) error {
		writes = false
		if err := fn(recording{tx, &writes}); err != nil || !writes {
			return err
		}
		switch {
		case s.loses:
			return errLosesWrites
		case s.fails != 0:
			return errStoreDown
		}
		return nil
	})
	if writes {
		s.trace("store")
		if s.fails > 0 {
			s.fails--
		}
	}
	if errors.Is(err, errLosesWrites) {
		return nil
	}
	return err
}

func (s *slides) view(ctx context.Context, fn func(recovery.Tx) error) error {
	s.trace("fetch")
	if s.blind {
		return errStoreDown
	}
	return s.store.View(ctx, func(tx storetest.Tx) error { return fn(tx) })
}

func (s *slides) acct() wire.Acct { return wire.DerivePepper(s.key, "v1").Acct(string(s.id)) }

// number gives an enclave by the place that it has for the account: #1 is the one
// to which its calls go.
func (s *slides) number(n int) *enclave {
	acct := s.acct()
	weight := func(e *enclave) []byte {
		sum := sha256.Sum256(append(acct[:len(acct):len(acct)], e.name...))
		return sum[:8]
	}
	sorted := slices.SortedFunc(slices.Values(s.enclaves), func(a, b *enclave) int {
		return cmp.Or(bytes.Compare(weight(a), weight(b)), cmp.Compare(a.name, b.name))
	})
	return sorted[n-1]
}

// seal makes a request for the enclaves.
func (s *slides) seal(op wire.Op, pin, data string) (request []byte, epoch uint32, key *wire.AnswerKey) {
	s.Helper()
	raw, err := s.enclaves[0].vault.Evidence(s.Context(), nil)
	if err != nil {
		s.Fatal(err)
	}
	e, err := tee.ParseEvidence(raw)
	if err != nil {
		s.Fatal(err)
	}
	b, err := wire.Decode[wire.Binding](e.Binding)
	if err != nil {
		s.Fatal(err)
	}
	in := &wire.SeedRequest{PIN: wire.Secret(pin)}
	if op == wire.OpSeedBackup {
		in.Data = wire.Secret(data)
	}
	body, err := wire.EncodeSeedRequest(in)
	if err != nil {
		s.Fatal(err)
	}
	env := &wire.Envelope{Suite: wire.Suite1, Vault: "v1", Epoch: b.Epoch, Config: b.ConfigHash, Op: op, Acct: s.acct()}
	if request, key, err = env.SealRequest(b.HPKE, body); err != nil {
		s.Fatal(err)
	}
	return request, b.Epoch, key
}

// said is what an answer says.
func said(key *wire.AnswerKey, answer []byte) string {
	a, err := key.OpenSeedAnswer(answer)
	switch {
	case err != nil:
		return err.Error()
	case a.Verdict == wire.VerdictWrongPIN:
		return fmt.Sprintf("version %d: wrong PIN, %d left", a.Version, a.Limit-a.Used)
	case a.Verdict != wire.VerdictOK:
		return fmt.Sprintf("version %d: %s", a.Version, a.Verdict)
	case a.Data != nil:
		return fmt.Sprintf("version %d: %s", a.Version, string(a.Data))
	}
	return fmt.Sprintf("version %d", a.Version)
}

// through goes through the service, as a phone does.
func (s *slides) through(op wire.Op, pin, data string) string {
	s.Helper()
	ctx := s.Context()
	c := account.Caller{Kind: account.Phone, App: "demo", Account: s.id, Device: phone1, Key: "k"}
	in := &recovery.SeedCall{Op: op}
	var key *wire.AnswerKey
	in.Request, in.Epoch, key = s.seal(op, pin, data)
	if op == wire.OpSeedBackup {
		err := s.store.Update(ctx, func(tx storetest.Tx) error { return s.service.SetUp(ctx, tx, s.id, phone1, "v_1", [16]byte{1}) })
		if err != nil {
			s.Fatal(err)
		}
	} else {
		in.Session = s.session(c)
	}
	s.traced = nil
	out, err := s.service.CallSeed(ctx, c, in)
	switch {
	case errors.Is(err, recovery.ErrStale):
		return "rejected"
	case errors.Is(err, recovery.ErrStoreUnavailable):
		return "not stored"
	case err != nil:
		return err.Error()
	}
	s.trace("return")
	if op == wire.OpSeedBackup {
		for _, stage := range []recovery.Stage{recovery.Activated, recovery.Finalized} {
			if err := s.service.CommitBackup(ctx, c, [16]byte{1}, stage, [32]byte{}); err != nil {
				s.Fatal(err)
			}
		}
	}
	return said(key, out.Answer)
}

func (s *slides) session(c account.Caller) recovery.SessionSecret {
	s.Helper()
	ticket := recovery.TicketSecret("ticket")
	s.gate.tickets[sha256.Sum256(ticket)] = recovery.Ticket{Account: s.id, Key: c.Key, Until: time.Now().Add(time.Hour)}
	v, err := s.service.OpenSession(s.Context(), c, s.id, ticket)
	if err != nil {
		s.Fatal(err)
	}
	return v.Secret
}

// give hands an enclave a record past the service, as an insider can.
func (s *slides) give(e *enclave, given uint64, op wire.Op, pin string) string {
	s.Helper()
	request, epoch, key := s.seal(op, pin, "")
	r := e.vault.Handle(s.Context(), &wire.Call{Op: op, Acct: s.acct(), Epoch: epoch, Request: request, Record: s.records[given]})
	if r.Result != wire.CodeDone {
		return "rejected"
	}
	s.records[*r.Ver] = r.Record
	return said(key, r.Answer)
}
