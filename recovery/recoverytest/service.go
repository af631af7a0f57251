package recoverytest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/tee"
)

// Service is an honest service in memory, for one account and one phone, which
// may do everything: it is a recovery.Transport. It stores records as the vaults
// return them, gives vouchers where they are due, and keeps blobs and a pointer.
// What it does not do is to ask who calls; recovery.Service does.
type Service struct {
	vaults  *Vaults
	account account.ID
	root    []byte

	mu       sync.Mutex
	records  map[string][]byte     // by vault
	states   map[string]wire.State // as the receipts say
	versions map[string]uint64     // of the records
	blobs    []recovery.BlobView
	found    bool
	pointer  recovery.BackupView
	sessions map[string]map[string]bool // secret -> vaults that have released
	finished int
}

// NewService starts with nothing stored.
func NewService(v *Vaults, id account.ID) *Service {
	return &Service{
		vaults: v, account: id, root: rand32(),
		records: map[string][]byte{}, states: map[string]wire.State{}, versions: map[string]uint64{}, sessions: map[string]map[string]bool{},
	}
}

func rand32() []byte {
	b := make([]byte, 32)
	rand.Read(b) //nolint:errcheck // crypto/rand: never returns an error
	return b
}

func (s *Service) accts() map[string][16]byte {
	out := map[string][16]byte{}
	for _, v := range s.vaults.List {
		out[v.ID] = wire.DerivePepper(s.root, v.ID).Acct(string(s.account))
	}
	return out
}

// Record is what is stored of a vault, and Restore puts an older one back.
func (s *Service) Record(vault string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.records[vault]
}

// Restore replaces what is stored of a vault.
func (s *Service) Restore(vault string, record []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records[vault], s.versions[vault] = record, 0
}

// Reseal has a vault seal the record with its newest keys.
func (s *Service) Reseal(ctx context.Context, v *Vault) error {
	raw, err := v.Evidence(ctx, nil)
	if err != nil {
		return err
	}
	e, err := tee.ParseEvidence(raw)
	if err != nil {
		return err
	}
	b, err := wire.Decode[wire.Binding](e.Binding)
	if err != nil {
		return err
	}
	env := &wire.Envelope{
		Suite: v.config.Suite, Vault: v.ID, Epoch: b.Epoch, Config: b.ConfigHash, Op: wire.OpStatus, Acct: s.accts()[v.ID],
	}
	plain, err := wire.Encode(&wire.Status{})
	if err != nil {
		return err
	}
	sealed, _, err := env.SealRequest(b.HPKE, plain)
	if err != nil {
		return err
	}
	_, err = s.call(ctx, v.ID, wire.OpStatus, b.Epoch, sealed, nil)
	return err
}

// Finished is how many sessions were finished.
func (s *Service) Finished() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.finished
}

// EditBlobs changes what is stored.
func (s *Service) EditBlobs(edit func([]recovery.BlobView) []recovery.BlobView) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blobs = edit(slices.Clone(s.blobs))
}

// GetConfig is recovery.Transport.
func (s *Service) GetConfig(ctx context.Context, nonce []byte) (*recovery.Config, error) {
	set := s.vaults.SetNow()
	c := &recovery.Config{
		Profile: set.Profile, Limit: int(set.Limit), PINMin: 6, Set: s.vaults.Set(), Operators: 1, Assurance: "process",
	}
	for _, v := range s.vaults.List {
		e, err := v.Evidence(ctx, nonce)
		if err != nil {
			e = nil
		}
		c.Evidence = append(c.Evidence, e)
	}
	return c, nil
}

// GetBackup is recovery.Transport.
func (s *Service) GetBackup(context.Context) (*recovery.BackupView, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.pointer
	out.Account, out.Accts, out.Found, out.Blobs = s.account, s.accts(), s.found, slices.Clone(s.blobs)
	return &out, nil
}

// PutBlob is recovery.Transport.
func (s *Service) PutBlob(_ context.Context, reg [16]byte, blob []byte) error {
	if len(blob) > wire.MaxBlob {
		return recovery.ErrBlob
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b := recovery.BlobView{Reg: reg, Hash: wire.Sum(blob), Blob: blob}
	s.drop(func(o recovery.BlobView) bool { return o.Hash == b.Hash })
	s.blobs = append([]recovery.BlobView{b}, s.blobs...)
	return nil
}

func (s *Service) drop(which func(recovery.BlobView) bool) {
	s.blobs = slices.DeleteFunc(s.blobs, which)
}

// CommitBackup is recovery.Transport.
func (s *Service) CommitBackup(_ context.Context, reg [16]byte, stage recovery.Stage, hash [32]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if stage == recovery.Deleting {
		s.pointer.Stage = stage
		return nil
	}
	if stage == recovery.Activated && (s.pointer.Reg != reg || !s.found || s.pointer.Stage == recovery.Deleting) {
		s.found, s.pointer = true, recovery.BackupView{Reg: reg, Stage: stage}
	}
	if !s.found || s.pointer.Reg != reg {
		return recovery.ErrNotFound
	}
	if stage == recovery.Finalized {
		s.pointer.Stage = stage
	}
	i := slices.IndexFunc(s.blobs, func(b recovery.BlobView) bool { return b.Reg == reg && b.Hash == hash })
	if i < 0 {
		if s.vaults.options.Profile == recovery.ProfileSeed {
			return nil
		}
		return recovery.ErrBlob
	}
	blob, err := wire.Decode[wire.Blob](s.blobs[i].Blob)
	if err != nil {
		return fmt.Errorf("%w: %w", recovery.ErrBlob, err)
	}
	s.pointer.Blob, s.pointer.Header = hash, blob.Header
	switch stage {
	case recovery.Finalized:
		s.drop(func(b recovery.BlobView) bool { return b.Hash != hash })
	case recovery.Updated:
		s.drop(func(b recovery.BlobView) bool { return b.Hash != hash && b.Reg == reg })
	}
	return nil
}

// OpenSession is recovery.Transport.
func (s *Service) OpenSession(_ context.Context, id account.ID, _ recovery.TicketSecret) (*recovery.SessionView, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id != s.account || !s.found {
		return nil, recovery.ErrNotFound
	}
	secret := rand32()
	s.sessions[string(secret)] = map[string]bool{}
	return &recovery.SessionView{
		Secret: secret, Account: s.account, Until: time.Now().Add(15 * time.Minute), Accts: s.accts(),
		Reg: s.pointer.Reg, Blobs: slices.Clone(s.blobs),
	}, nil
}

// FinishSession is recovery.Transport.
func (s *Service) FinishSession(_ context.Context, session recovery.SessionSecret) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.sessions[string(session)]); n < s.vaults.options.T {
		return fmt.Errorf("recoverytest: %d vaults have released, %d are needed", n, s.vaults.options.T)
	}
	s.finished++
	return nil
}

// CallVault is recovery.Transport.
func (s *Service) CallVault(ctx context.Context, in *recovery.VaultCall) (*recovery.VaultAnswer, error) {
	return s.call(ctx, in.Vault, in.Op, in.Epoch, in.Request, in.Session)
}

// CallSeed is recovery.Transport.
func (s *Service) CallSeed(ctx context.Context, in *recovery.SeedCall) (*recovery.VaultAnswer, error) {
	return s.call(ctx, s.vaults.List[0].ID, in.Op, in.Epoch, in.Request, in.Session)
}

var errCode = errors.New("recoverytest: the vault refuses the call")

// call fetches, executes, stores and returns.
func (s *Service) call(ctx context.Context, id string, op wire.Op, epoch uint32, request []byte, session []byte) (*recovery.VaultAnswer, error) {
	i := slices.IndexFunc(s.vaults.List, func(v *Vault) bool { return v.ID == id })
	if i < 0 {
		return nil, recovery.ErrMalformed
	}
	c, err := s.prepare(id, op, epoch, request)
	if err != nil {
		return nil, err
	}
	reply, err := s.vaults.List[i].Call(ctx, c)
	if err != nil {
		return nil, err
	}
	switch reply.Result {
	case wire.CodeDone:
	case wire.CodeStale:
		return nil, recovery.ErrStale
	case wire.CodeEpoch:
		return nil, recovery.ErrEpoch
	case wire.CodeFuture:
		return nil, recovery.ErrFuture
	case wire.CodeAmnesia:
		return nil, recovery.ErrAmnesia
	default:
		return nil, fmt.Errorf("%w: %v", errCode, reply.Result)
	}
	return s.store(id, op, session, reply)
}

func (s *Service) prepare(id string, op wire.Op, epoch uint32, request []byte) (*wire.Call, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &wire.Call{Op: op, Acct: s.accts()[id], Epoch: epoch, Request: request, Record: s.records[id]}
	var purpose wire.Purpose
	switch {
	case op == wire.OpDelete:
		purpose = wire.PurposeDelete
	case op == wire.OpCreate && c.Record == nil:
		purpose = wire.PurposeFirst
	case op == wire.OpCreate && s.states[id] != wire.StateActive:
		purpose = wire.PurposeAgain
	default:
		return c, nil
	}
	voucher := &wire.Voucher{Vault: id, Acct: c.Acct, Purpose: purpose, Expires: uint64(s.vaults.options.Now().Add(time.Minute).Unix())}
	rand.Read(voucher.ID[:]) //nolint:errcheck // crypto/rand: never returns an error
	var err error
	c.Voucher, err = wire.Sign(s.vaults.Vouchers, voucher)
	return c, err
}

func (s *Service) store(id string, op wire.Op, session []byte, reply *wire.Reply) (*recovery.VaultAnswer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := &recovery.VaultAnswer{Answer: reply.Answer}
	if reply.Receipt == nil {
		return out, nil
	}
	r, err := wire.Decode[wire.Receipt](reply.Receipt.TBS)
	if err != nil {
		return nil, err
	}
	out.Used = int(r.Used)
	if old := s.versions[id]; r.Ver > old { // a later call may have been stored before
		s.records[id], s.states[id], s.versions[id] = reply.Record, r.State, r.Ver
	}
	released := op == wire.OpRelease || op == wire.OpSeedRestore
	if m := s.sessions[string(session)]; m != nil && released && r.Used == 0 && r.State == wire.StateActive {
		m[id] = true
	}
	out.Receipt, err = wire.Encode(reply.Receipt)
	return out, err
}
