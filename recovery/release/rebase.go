package release

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// ErrRebase: the ceremony says something that no vault would hold to.
var ErrRebase = errors.New("release: this is no ceremony")

// longestRebase is how long a ceremony may be open: who steals the document can
// use it as long.
const longestRebase = 7 * 24 * time.Hour

// Rebase is a ceremony for one vault or witness: for the accounts that it lists,
// a record that would be refused is taken as the truth, once, with at most three
// attempts left (recovery, "Operations").
type Rebase struct {
	Kind                string // wire.CeremonyAmnesia or wire.CeremonyRestore
	Vault               string
	SetVersion          uint64
	Accounts            []wire.Acct // nil: all
	NotBefore, NotAfter time.Time
}

// Document is the ceremony, with the signature of one release key.
func (r *Rebase) Document(key ed25519.PrivateKey) ([]byte, error) {
	switch {
	case r.Kind != wire.CeremonyAmnesia && r.Kind != wire.CeremonyRestore:
		return nil, fmt.Errorf("%w: %q is neither amnesia nor restore", ErrRebase, r.Kind)
	case !wire.ValidVaultID(r.Vault):
		return nil, fmt.Errorf("%w: %q is no id of a vault", ErrRebase, r.Vault)
	case !r.NotAfter.After(r.NotBefore):
		return nil, fmt.Errorf("%w: it would end before it begins", ErrRebase)
	case r.NotAfter.Sub(r.NotBefore) > longestRebase:
		return nil, fmt.Errorf("%w: it would be open for %s; choose at most %s: a vault that was away needs another one then", ErrRebase, r.NotAfter.Sub(r.NotBefore), longestRebase)
	case r.Accounts != nil && len(r.Accounts) == 0:
		return nil, fmt.Errorf("%w: it lists no account", ErrRebase)
	}
	return Document(&wire.Ceremony{
		Kind: r.Kind, Vault: r.Vault, SetVersion: r.SetVersion, Accounts: r.Accounts,
		NotBefore: uint64(r.NotBefore.Unix()), NotAfter: uint64(r.NotAfter.Unix()), //nolint:gosec // after 1970
	}, key)
}
