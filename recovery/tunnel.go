package recovery

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery/wire"
)

// CallVault carries one sealed request to one vault, and the sealed answer back.
// The answer leaves when the record is stored, or the retry stream has it.
func (s *Service) CallVault(ctx context.Context, c account.Caller, in *VaultCall) (*VaultAnswer, error) {
	if s.seed() || in.Op.Seed() || !in.Op.Valid() {
		return nil, fmt.Errorf("%w: %s in profile %s", ErrProfile, in.Op, s.set.Profile)
	}
	p, err := s.pool(in.Vault)
	if err != nil {
		return nil, err
	}
	return s.tunnel(ctx, c, p, &job{pool: p, op: in.Op, epoch: in.Epoch, request: in.Request, managed: in.Op.Managed()}, in.Session)
}

// CallSeed is CallVault for the enclave of profile seed.
func (s *Service) CallSeed(ctx context.Context, c account.Caller, in *SeedCall) (*VaultAnswer, error) {
	if !s.seed() || !in.Op.Seed() {
		return nil, fmt.Errorf("%w: %s in profile %s", ErrProfile, in.Op, s.set.Profile)
	}
	p := s.pools[0]
	return s.tunnel(ctx, c, p, &job{pool: p, op: in.Op, epoch: in.Epoch, request: in.Request}, in.Session)
}

func (s *Service) tunnel(ctx context.Context, c account.Caller, p *pool, j *job, session SessionSecret) (*VaultAnswer, error) {
	if len(j.request) == 0 || len(j.request) > wire.MaxRequest {
		return nil, fmt.Errorf("%w: a request of %d bytes", ErrMalformed, len(j.request))
	}
	now := s.now()
	err := s.update(ctx, func(tx Tx) error { return s.admit(ctx, tx, c, j, session, now) })
	if err != nil {
		return nil, err
	}
	give, err := s.lanes.take(ctx, p.id, j.acct)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrVaultUnavailable, err)
	}
	defer give()
	// From here the caller may hang up: what a vault has executed must be stored.
	return s.execute(context.WithoutCancel(ctx), j)
}

// execute brings a job, which has its lane, through vault and store.
func (s *Service) execute(ctx context.Context, j *job) (*VaultAnswer, error) {
	out, err := s.route(ctx, j)
	if err != nil {
		return nil, s.givenUp(ctx, j, err)
	}
	receipt, err := s.settle(ctx, j, out)
	if err != nil {
		return nil, err
	}
	if s.fault("crash/08") { // stored, and the answer is lost
		return nil, errCrashed
	}
	answer := &VaultAnswer{Answer: out.reply.Answer, Receipt: receipt}
	if out.receipt != nil {
		answer.Used = int(out.receipt.Used)
	}
	return answer, nil
}

// admit is the transaction before a call: who asks, may he, does he ask too
// often; and of a request that changes what is registered, the intent. Nothing of
// it is in the vault yet.
func (s *Service) admit(ctx context.Context, tx Tx, c account.Caller, j *job, session SessionSecret, now time.Time) error {
	if err := s.mayCall(ctx, tx, c, j, session, now); err != nil {
		return err
	}
	j.acct = j.pool.acct(j.account)
	if err := s.tooOften(ctx, tx, c, j, now); err != nil {
		return err
	}
	if j.op == wire.OpDelete {
		if err := s.deleting(ctx, tx, j.account, now); err != nil {
			return err
		}
	}
	if !j.managed {
		return nil
	}
	return s.intend(ctx, tx, j, now)
}

// tooOften takes a call from its buckets. Also one that is free for the PIN leaves a
// version and a receipt, and has the witnesses write: so it is counted, but for
// each caller by himself, since nobody else may use up what the owner needs.
func (s *Service) tooOften(ctx context.Context, tx Tx, c account.Caller, j *job, now time.Time) error {
	each, name, network := callsEach, []string{"call", j.pool.id, string(j.account), j.caller}, callsNetwork
	if j.op == wire.OpEvaluate || j.op == wire.OpSeedRestore {
		each, name, network = evaluationsAccount, []string{"evaluate", j.pool.id, string(j.account)}, evaluationsNetwork
	}
	if err := s.take(ctx, tx, each, now, name...); err != nil {
		return err
	}
	if c.Network == "" || j.session == [32]byte{} { // devices are counted: they are few
		return nil
	}
	return s.take(ctx, tx, network, now, name[0]+".network", c.Network)
}

// mayCall finds the account of a call, and refuses who may not make it: an
// attempt is of a session, which somebody with a ticket has opened; what changes
// the registration is of a device whose owner has confirmed that.
func (s *Service) mayCall(ctx context.Context, tx Tx, c account.Caller, j *job, session SessionSecret, now time.Time) error {
	attempt := j.op == wire.OpEvaluate || j.op == wire.OpRelease || j.op == wire.OpSeedRestore
	if len(session) > 0 {
		if !attempt && j.op != wire.OpStatus {
			return fmt.Errorf("%w: %s is not of a session", ErrMalformed, j.op)
		}
		v, err := s.session(ctx, tx, c, session, now)
		j.account, j.session, j.by, j.caller = v.Account, v.Hash, v.Device, string(v.Ticket[:])
		return err
	}
	if attempt {
		return ErrTicket
	}
	if c.Kind != account.Phone || c.Account == "" || c.Device == "" {
		return &account.Refused{Action: account.RecoveryUpdate, Why: account.WhyFrom}
	}
	j.account, j.by, j.caller = c.Account, c.Device, string(c.Device)
	switch j.op {
	case wire.OpStatus:
		return s.accounts.Allow(ctx, tx, c, account.AccountRead)
	case wire.OpUpdate:
		return s.accounts.Allow(ctx, tx, c, account.RecoveryUpdate)
	}
	_, err := s.maySetUp(ctx, tx, c)
	return err
}

// maySetUp gives the setup that the owner has confirmed for the calling device.
// One approval is good until its registration is finalized, replaced or deleted;
// the device must still be an active one.
func (s *Service) maySetUp(ctx context.Context, tx Tx, c account.Caller) (SetupRow, error) {
	if err := s.accounts.Allow(ctx, tx, c, account.RecoveryUpdate); err != nil {
		return SetupRow{}, err
	}
	v, found, err := s.setupOf(ctx, tx, c.Account)
	if err != nil {
		return v, err
	}
	if !found || c.Device == "" || v.Device != c.Device {
		return v, &account.Refused{Action: account.SetupRecovery, Why: account.WhyStepUp, Need: account.Bound, Have: account.OnDevice}
	}
	return v, nil
}

// session finds an open session by its secret, in a request that its key has signed.
func (s *Service) session(ctx context.Context, tx Tx, c account.Caller, secret SessionSecret, now time.Time) (SessionRow, error) {
	v, found, err := s.sessionOf(ctx, tx, sha256.Sum256(secret))
	if err != nil {
		return SessionRow{}, err
	}
	if !found || c.Kind != account.Phone || c.Key == "" || c.Key != v.Key || !v.EndedAt.IsZero() || !now.Before(v.Until) {
		return SessionRow{}, ErrSession
	}
	return v, nil
}
