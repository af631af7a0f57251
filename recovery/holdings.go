package recovery

import (
	"context"
	"sync"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery/wire"
)

// Holdings is what the vaults hold for an account, as their last receipts say.
type Holdings struct {
	Limit     int
	Remaining int    // attempts, as a phone would show them; -1: nothing is registered
	Operators int    // who run the vaults
	Assurance string // the weakest of the vaults that answer: "process" is NOT a TEE
	Vaults    []Holding
}

// Holding is what one vault holds.
type Holding struct {
	Vault    string
	Operator string
	Platform string // of the first replica that answers; empty: none does
	Error    string // why none answers; empty: one does
	Found    bool   // else what follows is zero
	Gen      uint32
	Ver      uint64
	Used     int
	State    wire.State
	At       time.Time
}

// holdingsAge is how old evidence may be that shows that a vault answers.
const holdingsAge = 10 * time.Second

// Holdings tells what there is of an account, for who operates the server: what an
// attempt does, the store knows from the receipts. No vault is asked for more than
// its evidence, and nothing is counted. It authorises nobody: the caller has.
func (s *Service) Holdings(ctx context.Context, id account.ID) (*Holdings, error) {
	out := &Holdings{Limit: s.limit(), Remaining: -1, Operators: s.operators(), Vaults: make([]Holding, len(s.pools))}
	err := s.view(ctx, func(tx Tx) error {
		found := false
		for i, p := range s.pools {
			row, there, err := tx.Recovery(ctx, p.id, p.acct(id))
			if err != nil {
				return err
			}
			v := Holding{Vault: p.id, Operator: p.member.Operator}
			if there && s.judge(row, "recovery_record", id) == nil {
				v.Found, v.Gen, v.Ver, v.Used, v.State, v.At = true, row.Gen, row.Ver, int(row.Used), wire.State(row.State), row.UpdatedAt
				found = found || v.State != wire.StateDeleted
			}
			out.Vaults[i] = v
		}
		l, err := s.ledger(ctx, tx, Record{Account: id})
		if err == nil && found {
			out.Remaining = l.remaining()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var wg sync.WaitGroup
	for i, p := range s.pools {
		wg.Go(func() { out.Vaults[i].Platform, out.Vaults[i].Error = s.answers(ctx, p) })
	}
	wg.Wait()
	var levels []string
	for _, v := range out.Vaults {
		if v.Platform != "" {
			levels = append(levels, assuranceOf(v.Platform))
		}
	}
	out.Assurance = weakest(levels)
	return out, nil
}

// answers asks the replicas of a vault until one gives evidence.
func (s *Service) answers(ctx context.Context, p *pool) (platform, why string) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	for _, r := range p.replicas {
		_, _, err := r.proof(ctx, p.id, s.now(), holdingsAge)
		if err == nil {
			return r.platformName(), ""
		}
		if why == "" {
			why = inShort(err)
		}
	}
	return "", why
}
