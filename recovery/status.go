package recovery

import (
	"context"
	"encoding/hex"
	"sync"
	"time"
)

// ServiceStatus is what an operator wants to see of the vaults.
type ServiceStatus struct {
	Profile    string
	Policy     string
	SetVersion uint64
	N, T       int
	Limit      int
	Operators  int
	Assurance  string // the weakest of the vaults: "process" is NOT a TEE
	Vaults     []VaultHealth
	Intents    int // requests on their way to a vault
}

// VaultHealth is one vault.
type VaultHealth struct {
	ID       string
	Operator string
	Epoch    uint32   // the newest that a replica has
	Sealed   []uint32 // epochs under which records are sealed
	Replicas []ReplicaHealth
}

// ReplicaHealth is one process of a vault.
type ReplicaHealth struct {
	Name     string
	Platform string
	Boot     string    // of this life, hex
	Issued   time.Time // of its evidence, by the witnesses' clocks
	Error    string    // why it has given none; empty: it answers
}

// Status asks every replica for its evidence now, and says what it says.
func (s *Service) Status(ctx context.Context) (*ServiceStatus, error) {
	now := s.now()
	out := &ServiceStatus{
		Profile: s.set.Profile, Policy: s.policy, SetVersion: s.set.Version, N: int(s.set.N), T: int(s.set.T), Limit: s.limit(),
		Operators: s.operators(), Vaults: make([]VaultHealth, len(s.pools)),
	}
	var wg sync.WaitGroup
	for i, p := range s.pools {
		v := &out.Vaults[i]
		v.ID, v.Operator, v.Replicas = p.id, p.member.Operator, make([]ReplicaHealth, len(p.replicas))
		epochs := make([]uint32, len(p.replicas))
		wg.Go(func() {
			for k, r := range p.replicas {
				v.Replicas[k], epochs[k] = s.replicaHealth(ctx, p, r, now)
				v.Epoch = max(v.Epoch, epochs[k])
			}
		})
	}
	wg.Wait()
	var levels []string
	for _, v := range out.Vaults {
		for _, r := range v.Replicas {
			if r.Error == "" {
				levels = append(levels, assuranceOf(r.Platform))
			}
		}
	}
	out.Assurance = weakest(levels)
	err := s.view(ctx, func(tx Tx) (err error) {
		for i, p := range s.pools {
			if out.Vaults[i].Sealed, err = tx.RecoveryEpochs(ctx, p.id); err != nil {
				return err
			}
		}
		out.Intents, err = tx.CountIntents(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Service) replicaHealth(ctx context.Context, p *pool, r *replica, now time.Time) (ReplicaHealth, uint32) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	_, b, err := r.proof(ctx, p.id, now, 0)
	out := ReplicaHealth{Name: r.Name}
	if err != nil {
		out.Error = err.Error()
		return out, 0
	}
	out.Platform, out.Boot, out.Issued = r.platformName(), hex.EncodeToString(b.Boot[:]), time.Unix(int64(b.Issued), 0).UTC() //nolint:gosec // below 2^63: the decoder says so
	return out, b.Epoch
}
