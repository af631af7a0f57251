package release

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// ErrReplace: this vault cannot be replaced like that. The message says why.
var ErrReplace = errors.New("release: the vault is not replaced")

// Replacement puts a new vault in the place of one whose keys are gone for good
// (recovery, "Operations" and crash row 23). Everything is required.
//
// The new one begins with keys of its own and without an account: a share comes
// back when its owner types his PIN on a phone that is signed in, or recovers.
// Its id was never another's, since witnesses keep the counts of the old one for
// ever, under its name. As a witness the lost one stays what it was: that takes no
// key, and the counts come from the others. So nobody else's configuration changes.
type Replacement struct {
	Signed       []byte // the newest vault set
	Like         wire.Config
	Lost         string
	New          Party
	Taken        []string // ids of sets before that nobody may have again
	Measurements []wire.Measurement
	From         time.Time
	Key          wire.EdKey // of who signs first: it has signed the set, too
}

// Make makes the next version of the set, which is to be signed, and the
// configuration of the new vault. ErrBefore: the set is not known to be the desk's.
func (r *Replacement) Make() (set wire.VaultSet, config wire.Config, err error) {
	if set, err = setBefore(r.Signed, &r.Like, r.Key); err != nil {
		return set, config, err
	}
	i := slices.IndexFunc(set.Vaults, func(m wire.Member) bool { return m.Vault == r.Lost })
	if err := r.check(&set, i); err != nil {
		return set, config, err
	}
	lost := set.Vaults[i]
	config = r.Like
	config.Vault = r.New.ID
	hash, err := config.Hash()
	if err != nil {
		return set, config, fmt.Errorf("%w: %w", ErrReplace, err)
	}
	set.Vaults[i] = wire.Member{Vault: r.New.ID, Operator: r.New.Operator, ConfigHash: hash, Measurements: r.Measurements}
	if slices.Contains(config.Witnesses, r.Lost) {
		set.WitnessesOnly = append(set.WitnessesOnly, lost)
	}
	before := wire.Sum(r.Signed)
	set.Version++
	set.Previous, set.ValidFrom = &before, uint64(r.From.Unix()) //nolint:gosec // after 1970
	return set, config, nil
}

// check judges the replacement; lost is the place of the vault in the set.
func (r *Replacement) check(set *wire.VaultSet, lost int) error {
	member := func(m wire.Member) bool { return m.Vault == r.New.ID }
	likeHash, err := r.Like.Hash()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrReplace, err)
	}
	like := func(m wire.Member) bool { return m.Vault == r.Like.Vault && m.ConfigHash == likeHash }
	switch {
	case lost < 0:
		return fmt.Errorf("%w: the set of version %d has no vault %q", ErrReplace, set.Version, r.Lost)
	case set.N == set.T:
		return fmt.Errorf("%w: all %d vaults of profile %s are needed, so no PIN brings anything back without %s: restore its folder; there is no other way", ErrReplace, set.N, set.Profile, r.Lost)
	case !wire.ValidVaultID(r.New.ID):
		return fmt.Errorf("%w: %q is no id: 1 to 32 of a-z, 0-9 and -", ErrReplace, r.New.ID)
	case slices.ContainsFunc(set.Vaults, member), slices.ContainsFunc(set.WitnessesOnly, member), slices.Contains(r.Taken, r.New.ID):
		return fmt.Errorf("%w: %s is, or was, another of the set: choose an id that nobody ever had, for witnesses keep what they counted under it", ErrReplace, r.New.ID)
	case r.New.Operator == "":
		return fmt.Errorf("%w: nobody runs %s", ErrReplace, r.New.ID)
	case len(r.Measurements) == 0:
		return fmt.Errorf("%w: no program may run", ErrReplace)
	case !slices.ContainsFunc(slices.Concat(set.Vaults, set.WitnessesOnly), like):
		return fmt.Errorf("%w: the configuration of %s is not the one that the set lists: take it from where the set was made", ErrReplace, r.Like.Vault)
	}
	return nil
}

// Set reads a vault set that enough of the release keys which it lists have signed.
// Whether they are the right ones it cannot tell.
func Set(document []byte) (wire.VaultSet, error) {
	doc, err := wire.Decode[wire.KofM](document)
	if err != nil {
		return wire.VaultSet{}, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	set, err := wire.Decode[wire.VaultSet](doc.TBS)
	if err != nil {
		return set, fmt.Errorf("%w: it is no vault set: %w", ErrDocument, err)
	}
	if err := doc.Verify(set.Release); err != nil {
		return set, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	return set, nil
}
