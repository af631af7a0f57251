package release

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// ErrPlan: these vaults and witnesses do not make a set. The message says why.
var ErrPlan = errors.New("release: this is no vault set")

// Party is a vault or a witness, and who runs it.
type Party struct{ ID, Operator string }

// Plan is a set of vaults that is to be made. What it says goes into the
// configuration of each of them, is attested, and can never be changed: the
// vaults' keys are sealed to it. Everything is required.
type Plan struct {
	Profile      string // kr1-2of3, kr1-single or seed
	Policy       string // merge or strict
	OnAmnesia    string // checkpoint or ceremony
	Limit        int
	Vaults       []Party // in the order in which phones deal shares
	Witnesses    []Party // that are no vaults
	Vouchers     wire.EdKey
	Release      wire.ReleaseKeys
	Measurements []wire.Measurement // programs that may run
	From         time.Time
}

// shape is how many vaults a profile has, and what they count by.
type shape struct {
	n, t, witnesses uint8
	freshness       wire.Freshness
}

// shapes are the profiles (recovery, "Profiles").
func shapes() map[string]shape {
	return map[string]shape{
		"kr1-2of3":   {3, 2, 1, wire.Freshness{Level: "quorum", W: 4, Q: 3, R: 3, F: 1}},
		"kr1-single": {1, 1, 0, wire.Freshness{Level: "quorum", W: 1, Q: 1, R: 1}},
		"seed":       {1, 1, 0, wire.Freshness{Level: "memory"}},
	}
}

// Make makes version 1 of the set, which is to be signed, and the configuration of
// each vault and witness, by its id.
func (p *Plan) Make() (set wire.VaultSet, configs map[string]wire.Config, err error) {
	s, err := p.check()
	if err != nil {
		return set, nil, err
	}
	set = wire.VaultSet{
		Version: 1, Profile: p.Profile, Suite: wire.Suite1, N: s.n, T: s.t, Limit: uint8(p.Limit), //nolint:gosec // at most 50
		Release: p.Release, ValidFrom: uint64(p.From.Unix()), //nolint:gosec // after 1970
	}
	configs = map[string]wire.Config{}
	for _, party := range slices.Concat(p.Vaults, p.Witnesses) {
		c := p.config(party.ID, s)
		hash, err := c.Hash()
		if err != nil {
			return set, nil, fmt.Errorf("%w: %s: %w", ErrPlan, party.ID, err)
		}
		configs[party.ID] = c
		m := wire.Member{Vault: party.ID, Operator: party.Operator, ConfigHash: hash, Measurements: slices.Clone(p.Measurements)}
		if len(set.Vaults) < len(p.Vaults) {
			set.Vaults = append(set.Vaults, m)
		} else {
			set.WitnessesOnly = append(set.WitnessesOnly, m)
		}
	}
	return set, configs, nil
}

func (p *Plan) check() (shape, error) {
	s, ok := shapes()[p.Profile]
	switch {
	case !ok:
		return s, fmt.Errorf("%w: there is no profile %q", ErrPlan, p.Profile)
	case p.Policy != "merge" && p.Policy != "strict":
		return s, fmt.Errorf("%w: there is no policy %q: merge or strict", ErrPlan, p.Policy)
	case p.OnAmnesia != "checkpoint" && p.OnAmnesia != "ceremony":
		return s, fmt.Errorf("%w: on total amnesia %q: checkpoint or ceremony", ErrPlan, p.OnAmnesia)
	case p.Limit < 3 || p.Limit > 50:
		return s, fmt.Errorf("%w: %d attempts: 3 to 50", ErrPlan, p.Limit)
	case len(p.Vaults) != int(s.n) || len(p.Witnesses) != int(s.witnesses):
		return s, fmt.Errorf("%w: %d vaults and %d witnesses: profile %s has %d and %d", ErrPlan, len(p.Vaults), len(p.Witnesses), p.Profile, s.n, s.witnesses)
	case p.Vouchers == wire.EdKey{}:
		return s, fmt.Errorf("%w: there is no voucher key", ErrPlan)
	case p.Release.K < 1 || int(p.Release.K) > len(p.Release.Keys):
		return s, fmt.Errorf("%w: %d of %d release keys", ErrPlan, p.Release.K, len(p.Release.Keys))
	case len(p.Measurements) == 0:
		return s, fmt.Errorf("%w: no program may run", ErrPlan)
	}
	var seen []string
	for _, party := range slices.Concat(p.Vaults, p.Witnesses) {
		switch {
		case !wire.ValidVaultID(party.ID):
			return s, fmt.Errorf("%w: %q is no id: 1 to 32 of a-z, 0-9 and -", ErrPlan, party.ID)
		case slices.Contains(seen, party.ID):
			return s, fmt.Errorf("%w: %s is there twice", ErrPlan, party.ID)
		case party.Operator == "":
			return s, fmt.Errorf("%w: nobody runs %s", ErrPlan, party.ID)
		}
		seen = append(seen, party.ID)
	}
	return s, nil
}

// config is what a vault or a witness is started with.
func (p *Plan) config(id string, s shape) wire.Config {
	c := wire.Config{
		Vault: id, Profile: p.Profile, Suite: wire.Suite1, N: s.n, T: s.t, Limit: uint8(p.Limit), Policy: p.Policy, //nolint:gosec // at most 50
		Freshness: s.freshness, OnAmnesia: p.OnAmnesia, Release: p.Release, VoucherKey: p.Vouchers,
	}
	if s.freshness.Level == "quorum" {
		for _, party := range slices.Concat(p.Vaults, p.Witnesses) {
			c.Witnesses = append(c.Witnesses, party.ID)
		}
	}
	return c
}
