package recovery

import (
	"errors"
	"fmt"
	"maps"

	"github.com/staunchid/staunch/internal/cbor"
	"github.com/staunchid/staunch/recovery/wire"
)

var (
	// ErrForgotten is a registration that cannot be finished: a vault has not, or no
	// longer, what this phone sent it. Its share is not sent to a second place, where
	// attempts would be counted from the beginning. Register makes another.
	ErrForgotten = errors.New("recovery: a vault no longer has what this phone gave it: locked, deleted, or somebody tries for more attempts at the PIN; register again, with another PIN if it was none of the owner's devices")
	// ErrRenamed is a service that calls the account otherwise at a vault than it has
	// before, where attempts would be counted from the beginning. Nothing was sent.
	ErrRenamed = errors.New("recovery: the service names another account at a vault than before: nothing was sent; tell the operator, whose root secret must be the one that it was")
)

// part is a vault's share. It goes when all vaults have theirs.
//
// Attempts are counted for what one create has made: a share that went to a vault
// in two of them could be guessed at twice. So there is one: what it was is kept
// before it leaves, and sent again only as it is.
type part struct {
	vault string
	k, s  wire.Scalar
	prs   wire.PRS
	sent  *wire.Managed // the create; nil: none has left this phone
}

func (p *part) code(c *cbor.Coder) {
	c.Array(5)
	cbor.String(c, &p.vault, 1, 32)
	p.k.Code(c)
	p.s.Code(c)
	p.prs.Code(c)
	optional(c, &p.sent, (*wire.Managed).Code)
}

func (p *part) wipe() {
	p.k.Wipe()
	p.s.Wipe()
	p.prs.Wipe()
	if p.sent != nil {
		clear(p.sent.TBS)
	}
}

// handOut is the request that brings a vault its share: the one that it was sent
// before, if it was. fresh: it is new, and must be kept before it leaves.
func (r *registration) handOut(v *view, limit uint8, signer *wire.SigningKey) (q request, fresh bool, err error) {
	p := r.part(v.id)
	if p == nil {
		return q, false, fmt.Errorf("recovery: the journal has no share for %s", v.id)
	}
	if p.sent != nil {
		return request{wire.OpCreate, p.sent}, false, p.still(v)
	}
	body, err := r.create(p, v.target(), limit)
	if err != nil {
		return q, false, err
	}
	if p.sent, err = wire.SignManaged(signer, body); err != nil {
		return q, false, fmt.Errorf("recovery: %v: %w", wire.OpCreate, err)
	}
	return request{wire.OpCreate, p.sent}, true, nil
}

// still reports whether the vault is as it was when the create was made for it. If
// it is not, the create has been executed, and undone since; or never can be.
func (p *part) still(v *view) error {
	made, err := wire.Decode[wire.Create](p.sent.TBS)
	if err != nil {
		return fmt.Errorf("recovery: the journal: %w", err)
	}
	defer made.K.Wipe()
	defer made.S.Wipe()
	defer made.PRS.Wipe()
	if made.Target != v.target() || (p.sent.Sig == nil) != v.empty() {
		return fmt.Errorf("%w (vault %s)", ErrForgotten, v.id)
	}
	return nil
}

func (r *registration) part(id string) *part {
	for i := range r.making.parts {
		if p := &r.making.parts[i]; p.vault == id {
			return p
		}
	}
	return nil
}

// retire makes way for another registration where the pending one cannot be
// finished. It sends nothing. What the vaults have of it goes by its manage key,
// or by that of the registration which the service points at.
func (b *Backup) retire() {
	for i := range b.pending.making.parts {
		b.pending.making.parts[i].wipe()
	}
	if b.current == nil || b.pending.making.active {
		b.current = b.pending
		b.current.making = nil
	}
	b.current.recovered = true // at some vaults it is the other one, or not there
	b.pending = nil
}

// name keeps what the service calls the account at each vault of the set, and
// wants it to be the same ever after. It answers with all that was kept.
func (b *Backup) name(set *wire.VaultSet, accts map[string][16]byte) (map[string][16]byte, error) {
	if b.accts == nil {
		b.accts = map[string][16]byte{}
	}
	for _, m := range set.Vaults {
		acct, named := accts[m.Vault]
		if known, ok := b.accts[m.Vault]; ok && named && known != acct {
			return nil, fmt.Errorf("%w (vault %s)", ErrRenamed, m.Vault)
		}
		if named {
			b.accts[m.Vault] = acct
		}
	}
	return maps.Clone(b.accts), nil
}
