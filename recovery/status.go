package recovery

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// StatusOptions are what ReadStatus takes: those of a Service that looks at vaults.
type StatusOptions struct {
	Set     []byte // signed
	Policy  string
	Vaults  []Vault
	Timeout time.Duration    // 0: 2 s
	Now     func() time.Time // nil: time.Now
}

// VaultsStatus is what an operator wants to see of the vaults.
type VaultsStatus struct {
	Profile    string
	Policy     string
	SetVersion uint64
	N, T       int
	Limit      int
	Operators  int
	Assurance  string // the weakest of the vaults that answer: "process" is NOT a TEE
	Vaults     []VaultHealth
	Witnesses  []string // those that are no vaults
}

// VaultHealth is one vault.
type VaultHealth struct {
	ID       string
	Operator string
	Epoch    uint32 // the newest that a replica has
	Replicas []ReplicaHealth
}

// ReplicaHealth is one process of a vault.
type ReplicaHealth struct {
	Name     string
	Platform string // empty: it has given no evidence
	Epoch    uint32
	Boot     string    // of this life, hex
	Issued   time.Time // of its evidence, by the witnesses' clocks
	Error    string    // why it cannot be used now; empty: it can
}

// ReadStatus asks every replica for its evidence, and whether enough witnesses
// remember the counts. It needs no store and changes nothing: the account that it
// asks for is nobody's.
func ReadStatus(ctx context.Context, o *StatusOptions) (*VaultsStatus, error) {
	s := &Service{policy: o.Policy, timeout: o.Timeout, now: o.Now}
	if s.timeout == 0 {
		s.timeout = 2 * time.Second
	}
	if s.now == nil {
		s.now = time.Now
	}
	if err := s.join(&Options{Set: o.Set, Vaults: o.Vaults}); err != nil {
		return nil, err
	}
	out := &VaultsStatus{
		Profile: s.set.Profile, Policy: s.policy, SetVersion: s.set.Version, N: int(s.set.N), T: int(s.set.T), Limit: s.limit(),
		Operators: s.operators(), Vaults: make([]VaultHealth, len(s.pools)),
	}
	for _, w := range s.set.WitnessesOnly {
		out.Witnesses = append(out.Witnesses, w.Vault)
	}
	now := s.now()
	var wg sync.WaitGroup
	for i, p := range s.pools {
		v := &out.Vaults[i]
		v.ID, v.Operator, v.Replicas = p.id, p.member.Operator, make([]ReplicaHealth, len(p.replicas))
		for k, r := range p.replicas {
			wg.Go(func() { v.Replicas[k] = s.replicaHealth(ctx, p, r, now) })
		}
	}
	wg.Wait()
	var levels []string
	for i := range out.Vaults {
		v := &out.Vaults[i]
		for _, r := range v.Replicas {
			v.Epoch = max(v.Epoch, r.Epoch)
			if r.Platform != "" {
				levels = append(levels, assuranceOf(r.Platform))
			}
		}
	}
	out.Assurance = weakest(levels)
	return out, nil
}

func (s *Service) replicaHealth(ctx context.Context, p *pool, r *replica, now time.Time) ReplicaHealth {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	out := ReplicaHealth{Name: r.Name}
	_, b, err := r.proof(ctx, p.id, now, 0)
	if err == nil {
		out.Platform, out.Epoch, out.Boot, out.Issued = r.platformName(), b.Epoch, hex.EncodeToString(b.Boot[:]), time.Unix(int64(b.Issued), 0).UTC() //nolint:gosec // below 2^63: the decoder says so
		err = s.remembers(ctx, p, r, b)
	}
	if err != nil {
		out.Error = inShort(err)
	}
	return out
}

// inShort is why a replica does not answer, without what ErrVaultUnavailable says
// to phones.
func inShort(err error) string {
	if _, cause, found := strings.Cut(err.Error(), ErrVaultUnavailable.Error()+": "); found {
		return "it does not answer: " + cause
	}
	return err.Error()
}

// remembers asks for the status of an account that nobody has: it is answered
// when enough witnesses tell what they know, and nothing is written.
func (s *Service) remembers(ctx context.Context, p *pool, r *replica, b wire.Binding) error {
	if s.seed() {
		return nil // it has no call that changes nothing, and asks no witness
	}
	var nobody wire.Acct
	rand.Read(nobody[:]) //nolint:errcheck // crypto/rand: never returns an error
	body, err := wire.Encode(&wire.Status{})
	if err != nil {
		return err
	}
	e := &wire.Envelope{Suite: s.set.Suite, Vault: p.id, Epoch: b.Epoch, Config: b.ConfigHash, Op: wire.OpStatus, Acct: nobody}
	sealed, _, err := e.SealRequest(b.HPKE, body)
	if err != nil {
		return err
	}
	reply, err := r.Link.Call(ctx, &wire.Call{Op: wire.OpStatus, Acct: nobody, Epoch: b.Epoch, Request: sealed})
	switch {
	case err != nil:
		return err
	case reply.Result == wire.CodeAmnesia:
		return fmt.Errorf("%w: too few witnesses remember; restart those that are away, and if marks are lost hold a ceremony: `staunch vault ceremony`", ErrAmnesia)
	case reply.Result == wire.CodeBusy:
		return errors.New("recovery: it cannot reach enough witnesses; start those that are away")
	case reply.Result != wire.CodeDone:
		return fmt.Errorf("recovery: it answers %s to a call that it must execute", reply.Result)
	}
	return nil
}

// Waiting is what a store holds for its vaults.
type Waiting struct {
	Sealed  map[string][]uint32 // by vault: epochs under which records are sealed
	Intents int                 // requests on their way to a vault
	Oldest  time.Time           // since when the oldest of them is; zero: there is none
}

// maxIntentsRead is how many intents are looked at for the oldest.
const maxIntentsRead = 1000

// ReadWaiting reads from a store what it holds for the vaults.
func ReadWaiting(ctx context.Context, tx Tx, vaults []string, now time.Time) (w Waiting, err error) {
	w.Sealed = map[string][]uint32{}
	for _, id := range vaults {
		if w.Sealed[id], err = tx.RecoveryEpochs(ctx, id); err != nil {
			return w, err
		}
	}
	if w.Intents, err = tx.CountIntents(ctx); err != nil || w.Intents == 0 {
		return w, err
	}
	rows, err := tx.Intents(ctx, now.AddDate(1, 0, 0), maxIntentsRead) // also those that are not due
	for _, r := range rows {
		if w.Oldest.IsZero() || r.At.Before(w.Oldest) {
			w.Oldest = r.At
		}
	}
	return w, err
}
