package recovery

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/staunchid/staunch/recovery/wire"
)

// callSeed sends one request to the enclave. An error says that there was no
// answer: with the keys that were replaced meanwhile it has tried again.
func (r *round) callSeed(ctx context.Context, op wire.Op, body *wire.SeedRequest) (*wire.SeedAnswer, error) {
	answer, err := r.sendSeed(ctx, op, body)
	if !errors.Is(err, ErrEpoch) {
		return answer, err
	}
	fresh, err := r.c.trust(ctx, r.vaults.known)
	if err != nil {
		return nil, err
	}
	r.vaults = fresh
	return r.sendSeed(ctx, op, body)
}

func (r *round) sendSeed(ctx context.Context, op wire.Op, body *wire.SeedRequest) (*wire.SeedAnswer, error) {
	v, env, err := r.envelope(r.enclave(), op)
	if err != nil {
		return nil, err
	}
	plain, err := wire.EncodeSeedRequest(body)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	sealed, key, err := env.SealRequest(v.hpke, plain)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.c.timeout)
	defer cancel()
	got, err := r.c.transport.CallSeed(ctx, &SeedCall{Op: op, Epoch: env.Epoch, Request: sealed, Session: r.session})
	if err != nil {
		return nil, err
	}
	answer, err := key.OpenSeedAnswer(got.Answer)
	if err != nil {
		return nil, fmt.Errorf("%w: its answer does not open: %w", ErrVaultUnavailable, err)
	}
	return answer, nil
}

// enclave is the one vault of the profile.
func (r *round) enclave() string { return r.vaults.set.Vaults[0].Vault }

func (r *round) seedOutcome(b *Backup, answered int) Outcome {
	return Outcome{
		Account: b.account, Reg: b.Info().Reg, Limit: int(r.vaults.set.Limit), Vaults: 1, Threshold: 1,
		Answered: answered, Assurance: r.vaults.assurance(), Operators: r.vaults.operators,
	}
}

func (r *round) seedUnavailable(b *Backup, err error) error {
	return tooFew(r.seedOutcome(b, 0), 1, map[string]error{r.enclave(): err})
}

// registerSeed gives PIN and payload to the enclave: the first, or in the place
// of what it had. Repeated, it does the same again.
func (c *Client) registerSeed(ctx context.Context, r *round, b *Backup, pin PIN, p *Payload) error {
	if b.pending == nil {
		var reg wire.RegID
		rand.Read(reg[:]) //nolint:errcheck // crypto/rand: never returns an error
		b.pending = seedRegistration(r, reg)
		if b.current != nil {
			b.pending.seq = b.current.seq + 1
		}
	}
	c.remember(b, b.pending.reg(), pin) // the enclave takes the one that comes last
	if err := c.save(b); err != nil {
		return err
	}
	if err := c.approved(ctx, b); err != nil {
		return err
	}
	data, err := wire.Encode(p.sealed(b.pending.manage, b.pending.seq, c.now()))
	if err != nil {
		return fmt.Errorf("recovery: the payload: %w", err)
	}
	defer clear(data)
	answer, err := r.callSeed(ctx, wire.OpSeedBackup, &wire.SeedRequest{PIN: wire.Secret(pin.s), Data: data})
	if err != nil {
		return r.seedUnavailable(b, err)
	}
	if answer.Verdict != wire.VerdictOK {
		return fmt.Errorf("recovery: the enclave answers a backup with %q", answer.Verdict)
	}
	b.limit, b.remaining = answer.Limit, answer.Limit-min(answer.Used, answer.Limit)
	for _, stage := range []Stage{Activated, Finalized} {
		if err := c.transport.CommitBackup(ctx, b.pending.reg(), stage, [32]byte{}); err != nil {
			return fmt.Errorf("recovery: commit the registration: %w", err)
		}
	}
	b.pending.making = nil
	b.pending.hold(r.enclave())
	b.current, b.pending, b.renew = b.pending, nil, false
	return c.save(b)
}

// seedRegistration is a registration of which the phone keeps no key: its header
// is never sent.
func seedRegistration(r *round, reg wire.RegID) *registration {
	suite := r.vaults.set.Suite
	return &registration{
		header: wire.Header{
			Suite: suite, Reg: reg, Argon2: wire.DefaultArgon2(), N: 1, T: 1,
			Vaults: []wire.Share{{Vault: r.enclave(), K: make(wire.Element, suite.ElementSize())}},
		},
		seq: 1, making: &making{},
	}
}

// recoverSeed gives the PIN to the enclave. It has no attempts to resume: each
// call counts.
func (c *Client) recoverSeed(ctx context.Context, r *round, session *SessionView, pin PIN, a *Attempt) (*Recovered, error) {
	if err := c.saveAttempt(a); err != nil {
		return nil, fmt.Errorf("recovery: save the attempt: %w", err)
	}
	reg := seedRegistration(r, session.Reg)
	reg.recovered, reg.making = true, nil
	b := &Backup{
		account: session.Account, profile: ProfileSeed, known: r.vaults.known, current: reg,
		assurance: r.vaults.assurance(), operators: uint8(min(r.vaults.operators, 255)),
	}
	answer, err := r.callSeed(ctx, wire.OpSeedRestore, &wire.SeedRequest{PIN: wire.Secret(pin.s)})
	if err != nil {
		return nil, r.seedUnavailable(b, err)
	}
	o := r.seedOutcome(b, 1)
	if answer.Limit > 0 {
		o.Limit = int(answer.Limit)
	}
	if answer.State == wire.StateActive {
		o.Remaining = max(0, o.Limit-int(answer.Used))
	}
	switch answer.Verdict {
	case wire.VerdictOK:
	case wire.VerdictWrongPIN, wire.VerdictLocked:
		return nil, &GuessError{o}
	case wire.VerdictNoBackup, wire.VerdictDeleted:
		return nil, fmt.Errorf("%w: the enclave knows none", ErrNotFound)
	default:
		return nil, fmt.Errorf("recovery: the enclave answers a restore with %q", answer.Verdict)
	}
	p, err := wire.Decode[wire.Payload](answer.Data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrShares, err)
	}
	if err := c.transport.FinishSession(ctx, session.Secret); err != nil {
		return nil, fmt.Errorf("recovery: finish the session: %w", err)
	}
	reg.seq, b.limit, b.remaining = p.Seq, uint8(o.Limit), uint8(o.Remaining)
	reg.hold(r.enclave())
	c.remember(b, reg.reg(), pin)
	return &Recovered{Outcome: o, Payload: opened(&p), Backup: b, PIN: pin.right()}, nil
}

// deleteSeed puts an empty payload in the place of the one that is to go, under a
// PIN that nobody has seen: the enclave has no other way to forget.
func (c *Client) deleteSeed(ctx context.Context, r *round, b *Backup) error {
	nobodys := make(wire.Secret, 32)
	rand.Read(nobodys) //nolint:errcheck // crypto/rand: never returns an error
	text := wire.Secret(fmt.Sprintf("%x", []byte(nobodys)))
	answer, err := r.callSeed(ctx, wire.OpSeedBackup, &wire.SeedRequest{PIN: text, Data: wire.Secret{}})
	if err != nil {
		return r.seedUnavailable(b, err)
	}
	if answer.Verdict != wire.VerdictOK {
		return fmt.Errorf("recovery: the enclave answers a deletion with %q", answer.Verdict)
	}
	return nil
}

// seed is Status of what the journal and the service know: the enclave has no
// operation that costs nothing.
func (s *Status) seed(b *Backup, got *BackupView, v *vaults) *Status {
	m := v.set.Vaults[0]
	one := VaultStatus{ID: m.Vault, Operator: m.Operator, Platform: v.byID[m.Vault].platform, Err: v.byID[m.Vault].err}
	one.Reachable = one.Err == nil
	switch {
	case b.pending != nil || b.deleted:
		s.State = StatusPending
	case got.Found && got.Stage == Deleting:
		s.State = StatusDeleted
	case got.Found:
		s.State = StatusActive
		if one.Reachable {
			one.State = StatusActive
		}
	}
	if b.limit > 0 {
		s.Limit, s.Remaining, one.Used = int(b.limit), int(b.remaining), int(b.limit-b.remaining)
	}
	s.Vaults = []VaultStatus{one}
	return s
}
