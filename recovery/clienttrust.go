package recovery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/internal/cbor"
	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/tee"
)

// knownSet is the newest vault set that a phone has seen.
type knownSet struct {
	version uint64
	hash    wire.Hash
}

func (k *knownSet) code(c *cbor.Coder) {
	c.Array(2)
	cbor.Uint(c, &k.version, 0, 1<<64-1)
	k.hash.Code(c)
}

// vaults is what one GetConfig has shown, after every check.
type vaults struct {
	set       wire.VaultSet
	known     knownSet
	operators int
	byID      map[string]*vault
}

// vault is a member of the set: to be asked, or not.
type vault struct {
	member   wire.Member
	platform string
	level    tee.Level
	epoch    uint32
	hpke     []byte
	err      error // why it cannot be asked: ErrVaultUnavailable or ErrEvidence
}

// trust fetches the configuration and believes what is signed and proved. A
// vault whose evidence is refused or missing is left out and says why; the rest
// may be enough.
func (c *Client) trust(ctx context.Context, known knownSet) (*vaults, error) {
	cfg, err := c.transport.GetConfig(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("recovery: get the configuration: %w", err)
	}
	now := c.now()
	v, err := c.checkSet(cfg, known, now)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEvidence, err)
	}
	for i, m := range v.set.Vaults {
		member := &vault{member: m}
		switch {
		case i >= len(cfg.Evidence) || len(cfg.Evidence[i]) == 0:
			member.err = fmt.Errorf("%w: no evidence of it has come", ErrVaultUnavailable)
		default:
			if err := c.checkVault(member, v.set.Suite, cfg.Evidence[i], now); err != nil {
				member.err = fmt.Errorf("%w: %w", ErrEvidence, err)
			}
		}
		v.byID[m.Vault] = member
	}
	return v, nil
}

// checkSet believes a vault set that k of the pinned keys have signed, and that
// is not older than one that was seen.
func (c *Client) checkSet(cfg *Config, known knownSet, now time.Time) (*vaults, error) {
	doc, err := wire.Decode[wire.KofM](cfg.Set)
	if err != nil {
		return nil, fmt.Errorf("the vault set: %w", err)
	}
	if err := doc.Verify(c.release); err != nil {
		return nil, fmt.Errorf("the vault set: %w", err)
	}
	set, err := wire.Decode[wire.VaultSet](doc.TBS)
	if err != nil {
		return nil, fmt.Errorf("the vault set: %w", err)
	}
	v := &vaults{set: set, known: knownSet{set.Version, wire.Sum(doc.TBS)}, byID: map[string]*vault{}}
	operators := map[string]bool{}
	for _, m := range set.Vaults {
		if operators[m.Operator] = true; v.byID[m.Vault] != nil {
			return nil, fmt.Errorf("the vault set names %s twice", m.Vault)
		}
		v.byID[m.Vault] = &vault{}
	}
	v.operators = len(operators)
	switch {
	case set.Version < max(known.version, c.oldest):
		return nil, fmt.Errorf("the vault set has version %d, and version %d was seen before", set.Version, max(known.version, c.oldest))
	case set.Version == known.version && known.hash != (wire.Hash{}) && v.known.hash != known.hash:
		return nil, fmt.Errorf("there are two vault sets of version %d: somebody shows you another than others", set.Version)
	case now.Before(time.Unix(int64(set.ValidFrom), 0).Add(-clockSkew)):
		return nil, fmt.Errorf("the vault set is valid from %s", time.Unix(int64(set.ValidFrom), 0).UTC().Format(time.RFC3339))
	case set.Profile != cfg.Profile || int(set.Limit) != cfg.Limit:
		return nil, fmt.Errorf("the vault set is of profile %s with limit %d, and the service says %s with limit %d",
			set.Profile, set.Limit, cfg.Profile, cfg.Limit)
	}
	return v, nil
}

// clockSkew is how far ahead the vaults' clocks may be.
const clockSkew = 5 * time.Minute

// checkVault believes evidence that the policy and the set accept, and takes
// from its binding the key to which requests are sealed.
func (c *Client) checkVault(v *vault, suite wire.Suite, evidence []byte, now time.Time) error {
	e, err := tee.ParseEvidence(evidence)
	if err != nil {
		return err
	}
	claims, err := tee.Verify(e, nil, now)
	if err != nil {
		return err
	}
	policy := c.policy
	policy.Measurements = measurements(v.member.Measurements)
	verdict := policy.Appraise(claims, e.Binding, now)
	if !verdict.Accept() {
		return fmt.Errorf("%v", verdict.Refusals())
	}
	b, err := wire.Decode[wire.Binding](e.Binding)
	if err != nil {
		return err
	}
	issued := time.Unix(int64(b.Issued), 0)
	switch {
	case b.Vault != v.member.Vault: // tee.md, section 2: what the caller compares
		return fmt.Errorf("it is the evidence of %s", b.Vault)
	case b.ConfigHash != v.member.ConfigHash:
		return errors.New("it runs with a configuration other than the set's")
	case b.Nonce != nil:
		return errors.New("it was made for somebody else's nonce")
	case now.Sub(issued) > c.maxAge:
		return fmt.Errorf("it was issued at %s, which is too long ago", issued.UTC().Format(time.RFC3339))
	case issued.Sub(now) > clockSkew:
		return fmt.Errorf("it was issued at %s, which is in the future: is this phone's clock right?", issued.UTC().Format(time.RFC3339))
	case len(b.HPKE) != suite.HPKEPublicSize():
		return errors.New("it has no key to seal requests to")
	}
	v.platform, v.level, v.epoch, v.hpke = claims.Platform, claims.Level, b.Epoch, b.HPKE
	return nil
}

func measurements(in []wire.Measurement) []tee.Measurement {
	var out []tee.Measurement
	for _, m := range in {
		t := tee.Measurement{
			Platform: m.Platform, Values: m.Values, Floor: m.Floor, LogIndex: m.LogIndex,
			NotBefore: time.Unix(int64(m.NotBefore), 0),
		}
		if m.NotAfter != nil {
			t.NotAfter = time.Unix(int64(*m.NotAfter), 0)
		}
		out = append(out, t)
	}
	return out
}

// assurance is the weakest level among those that proved one.
func (v *vaults) assurance() string {
	weakest := tee.LevelNone
	for _, m := range v.byID {
		if m.err == nil && (weakest == tee.LevelNone || m.level < weakest) {
			weakest = m.level
		}
	}
	return weakest.String()
}

// lists reports whether all of them are still in the set.
func (v *vaults) lists(ids []string) bool {
	for _, id := range ids {
		if v.byID[id] == nil {
			return false
		}
	}
	return true
}
