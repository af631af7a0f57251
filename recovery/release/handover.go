package release

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// ErrHandover: the keys of a vault cannot go to that configuration, or not by such
// a ceremony. The message says why.
var ErrHandover = errors.New("release: this is no hand-over")

// longestHandover is how long keys may be taken over: who has the document and a
// process that the set lists can have them as long.
const longestHandover = 24 * time.Hour

// Handover lets the master keys of a vault go to another configuration of it, which
// the next version of the set lists in the place of the one before. One vault at a
// time: with the next the others must have counted on (recovery, "Operations").
type Handover struct {
	Signed              []byte // the newest vault set
	Old, Next           wire.Config
	NotBefore, NotAfter time.Time
	Key                 wire.EdKey // of who signs first: it has signed the set, too
}

// Make makes the next version of the set, which is to be signed like the ceremony
// that goes with it. ErrBefore: the set is not known to be the desk's.
func (h *Handover) Make() (set wire.VaultSet, ceremony wire.Ceremony, err error) {
	if set, err = setBefore(h.Signed, &h.Old, h.Key); err != nil {
		return set, ceremony, err
	}
	old, err1 := h.Old.Hash()
	next, err2 := h.Next.Hash()
	if err := errors.Join(err1, err2); err != nil {
		return set, ceremony, fmt.Errorf("%w: %w", ErrHandover, err)
	}
	i := slices.IndexFunc(set.Vaults, func(m wire.Member) bool { return m.Vault == h.Old.Vault && m.ConfigHash == old })
	same := h.Next
	same.Policy, same.OnAmnesia, same.VoucherKey = h.Old.Policy, h.Old.OnAmnesia, h.Old.VoucherKey
	unchanged, err := same.Hash()
	switch {
	case err != nil:
		return set, ceremony, fmt.Errorf("%w: %w", ErrHandover, err)
	case i < 0:
		return set, ceremony, fmt.Errorf("%w: the set of version %d does not list %s with that configuration", ErrHandover, set.Version, h.Old.Vault)
	case old == next:
		return set, ceremony, fmt.Errorf("%w: nothing changes", ErrHandover)
	case unchanged != old:
		return set, ceremony, fmt.Errorf("%w: more changes than policy, on-amnesia and voucher key: with other witnesses, quorums, limits or release keys the counts of before say nothing", ErrHandover)
	case !h.NotAfter.After(h.NotBefore) || h.NotAfter.Sub(h.NotBefore) > longestHandover:
		return set, ceremony, fmt.Errorf("%w: open for %s; choose up to %s", ErrHandover, h.NotAfter.Sub(h.NotBefore), longestHandover)
	}
	before := wire.Sum(h.Signed)
	set.Version++
	set.Previous, set.ValidFrom = &before, uint64(h.NotBefore.Unix()) //nolint:gosec // after 1970
	set.Vaults[i].ConfigHash = next
	return set, wire.Ceremony{
		Kind: wire.CeremonyHandover, Vault: h.Old.Vault, SetVersion: set.Version, ConfigHash: &next,
		NotBefore: uint64(h.NotBefore.Unix()), NotAfter: uint64(h.NotAfter.Unix()), //nolint:gosec // after 1970
	}, nil
}

// Documents are set and ceremony, with the signature of one key, which is Key.
func (h *Handover) Documents(key ed25519.PrivateKey) (set, ceremony []byte, version uint64, err error) {
	with := *h
	with.Key = Public(key)
	s, c, err := with.Make()
	if err != nil {
		return nil, nil, 0, err
	}
	if set, err = Document(&s, key); err != nil {
		return nil, nil, 0, err
	}
	ceremony, err = Document(&c, key)
	return set, ceremony, s.Version, err
}
