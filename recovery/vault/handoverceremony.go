package vault

import (
	"context"
	"fmt"

	"github.com/staunchid/staunch/recovery/wire"
)

// Handover is a ceremony that k of m release keys have signed: for as long as it is
// open, the master keys go to another configuration of the vault, or to another
// program (recovery, "Operations").
//
// That the set which lists these was in the log for seven days nobody checks: there
// is no log yet. See docs/divergences/recovery.md.
type Handover struct{ wire.Ceremony }

// OpenHandover checks the signatures of a hand-over by the release keys of who has
// the keys.
func OpenHandover(signed *wire.KofM, c *wire.Config) (*Handover, error) {
	if err := signed.Verify(c.Release); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCeremony, err)
	}
	body, err := wire.Decode[wire.Ceremony](signed.TBS)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCeremony, err)
	}
	switch {
	case body.Kind != wire.CeremonyHandover:
		return nil, fmt.Errorf("%w: %s is no hand-over", ErrCeremony, body.Kind)
	case body.Vault != c.Vault:
		return nil, fmt.Errorf("%w: it is for vault %s, this is %s", ErrCeremony, body.Vault, c.Vault)
	case body.ConfigHash == nil && body.Measurement == nil:
		return nil, fmt.Errorf("%w: it names neither a configuration nor a program that the keys go to", ErrCeremony)
	}
	return &Handover{body}, nil
}

// mayHave decides whether a replica of this vault with a configuration may have the
// keys: one with its own, or while a hand-over to it is open, by the witnesses'
// clocks. What its program may be who appraises evidence decides.
func (v *Vault) mayHave(ctx context.Context, h *Handover, config wire.Hash) error {
	switch {
	case config == v.hash:
		return nil
	case h == nil || h.ConfigHash == nil || config != *h.ConfigHash:
		return errOtherVault
	}
	now, err := v.fresh.Now(ctx)
	if err != nil {
		return err
	}
	if at := seconds(now); at < h.NotBefore || at >= h.NotAfter {
		return fmt.Errorf("%w: the hand-over is open from %s until %s", ErrCeremony, stamp(h.NotBefore), stamp(h.NotAfter))
	}
	return nil
}
