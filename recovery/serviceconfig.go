package recovery

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/tee"
)

// The assurances that a vault's platform gives, from weakest to strongest.
const (
	assuranceProcess = "process" // an ordinary process, NOT a TEE
	assuranceVTPM    = "vtpm"
	assuranceTEE     = "tee"
)

// assuranceOf is what a platform's evidence is worth at most: whether it is
// genuine, phones judge.
func assuranceOf(platform string) string {
	switch platform {
	case tee.PlatformNitro, tee.PlatformSEVSNP, tee.PlatformTDX, tee.PlatformSGX:
		return assuranceTEE
	case tee.PlatformTPM:
		return assuranceVTPM
	}
	return assuranceProcess
}

// weakest is the weakest of several assurances; of none it is process.
func weakest(all []string) string {
	for _, a := range [...]string{assuranceProcess, assuranceVTPM, assuranceTEE} {
		if slices.Contains(all, a) {
			return a
		}
	}
	return assuranceProcess
}

// GetConfig says which vaults there are, with evidence of each: not older than an
// hour, or made for the caller's nonce.
func (s *Service) GetConfig(ctx context.Context, c account.Caller, nonce []byte) (*Config, error) {
	if len(nonce) > 64 {
		return nil, fmt.Errorf("%w: a nonce of %d bytes, more than 64", ErrMalformed, len(nonce))
	}
	now := s.now()
	if len(nonce) > 0 {
		err := s.update(ctx, func(tx Tx) error { return s.take(ctx, tx, liveNetwork, now, "live", c.Network) })
		if err != nil {
			return nil, err
		}
	}
	out := &Config{
		Profile: s.set.Profile, Limit: s.limit(), PINMin: s.pinMin, Set: bytes.Clone(s.signed), Evidence: make([][]byte, len(s.pools)), Operators: s.operators(),
	}
	assurances := make([]string, len(s.pools))
	var wg sync.WaitGroup
	for i, p := range s.pools {
		wg.Go(func() { out.Evidence[i], assurances[i] = s.proved(ctx, p, nonce, now) })
	}
	wg.Wait()
	out.Assurance = weakest(assurances)
	return out, nil
}

// operators counts those who run the vaults: a single one could collude with
// himself, and every surface says so.
func (s *Service) operators() int {
	var names []string
	for _, m := range s.set.Vaults {
		names = append(names, m.Operator)
	}
	slices.Sort(names)
	return len(slices.Compact(names))
}

// proved gives evidence of the first replica of a vault that has some; nil: none
// has.
func (s *Service) proved(ctx context.Context, p *pool, nonce []byte, now time.Time) (evidence []byte, assurance string) {
	for _, r := range p.replicas {
		evidence, err := s.provedBy(ctx, p, r, nonce, now)
		if err == nil {
			return evidence, assuranceOf(r.platformName())
		}
		s.log.Warn("recovery: a vault gives no evidence", "app", s.app, "replica", r.Name, "error", err)
	}
	return nil, ""
}

func (s *Service) provedBy(ctx context.Context, p *pool, r *replica, nonce []byte, now time.Time) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if len(nonce) == 0 {
		evidence, _, err := r.proof(ctx, p.id, now, evidenceAge)
		return evidence, err
	}
	evidence, err := r.Link.Evidence(ctx, nonce)
	if err != nil {
		return nil, err
	}
	_, _, err = r.read(p.id, evidence)
	return evidence, err
}

func (r *replica) platformName() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.platform
}
