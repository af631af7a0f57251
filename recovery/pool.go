package recovery

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/tee"
)

// evidenceAge is how long evidence is handed out before newer is asked for; a
// vault renews it as often.
const evidenceAge = time.Hour

// pool is one vault: the replicas that have its master key.
type pool struct {
	id       string
	member   wire.Member
	pepper   wire.Pepper
	replicas []*replica
	resealed [16]byte // up to which account records were sealed anew; Run's alone
}

// replica is a way to one of them, and what its evidence says.
type replica struct {
	Replica
	config wire.Hash

	mu       sync.Mutex // guards what follows, and that one asks at a time
	evidence []byte
	platform string
	binding  wire.Binding
	asked    time.Time
}

func newPool(m wire.Member, pepper wire.Pepper, ways []Replica) *pool {
	p := &pool{id: m.Vault, member: m, pepper: pepper}
	for _, r := range ways {
		p.replicas = append(p.replicas, &replica{Replica: r, config: m.ConfigHash})
	}
	return p
}

// acct is the account as this vault, and no other, knows it.
func (p *pool) acct(id account.ID) [16]byte { return p.pepper.Acct(string(id)) }

// order gives the replicas for an account: rendezvous hashing. The first is the
// one where its count stands, as long as it answers; when a replica joins, only
// its share of accounts moves.
func (p *pool) order(acct [16]byte) []*replica {
	weight := func(r *replica) []byte {
		sum := sha256.Sum256(append(acct[:len(acct):len(acct)], r.Name...))
		return sum[:8]
	}
	return slices.SortedFunc(slices.Values(p.replicas), func(a, b *replica) int {
		return cmp.Or(bytes.Compare(weight(a), weight(b)), cmp.Compare(a.Name, b.Name))
	})
}

// proof gives evidence that is not older than age, and the binding in it.
func (r *replica) proof(ctx context.Context, vault string, now time.Time, age time.Duration) (evidence []byte, b wire.Binding, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.evidence != nil && now.Sub(r.asked) < age {
		return r.evidence, r.binding, nil
	}
	got, err := r.Link.Evidence(ctx, nil)
	if err != nil {
		return nil, b, fmt.Errorf("recovery: evidence of %s: %w", r.Name, err)
	}
	parsed, b, err := r.read(vault, got)
	if err != nil {
		return nil, b, err
	}
	r.evidence, r.platform, r.binding, r.asked = got, parsed.Platform, b, now
	return got, b, nil
}

// read reads evidence. It believes nothing: phones judge it. But a replica of
// another vault, or with another configuration, is none of ours.
func (r *replica) read(vault string, evidence []byte) (*tee.Evidence, wire.Binding, error) {
	parsed, err := tee.ParseEvidence(evidence)
	if err != nil {
		return nil, wire.Binding{}, fmt.Errorf("recovery: evidence of %s: %w", r.Name, err)
	}
	b, err := wire.Decode[wire.Binding](parsed.Binding)
	switch {
	case err != nil:
		return nil, b, fmt.Errorf("recovery: evidence of %s: %w", r.Name, err)
	case b.Vault != vault:
		return nil, b, fmt.Errorf("recovery: %s says that it is of vault %s, not of %s: its address is another's", r.Name, b.Vault, vault)
	case b.ConfigHash != r.config:
		return nil, b, fmt.Errorf("recovery: %s runs with another configuration than the vault set says: publish a set for it, or start it with the right one", r.Name)
	}
	return parsed, b, nil
}

// bootKey gives the key by which this life of the replica signs its receipts. A
// boot that is not known is one that began since the replica was asked last.
func (r *replica) bootKey(ctx context.Context, vault string, boot wire.ID16, now time.Time) (wire.EdKey, error) {
	for _, age := range [...]time.Duration{1 << 62, 0} {
		_, b, err := r.proof(ctx, vault, now, age)
		if err != nil {
			return wire.EdKey{}, err
		}
		if b.Boot == boot {
			return b.BootKey, nil
		}
	}
	return wire.EdKey{}, fmt.Errorf("recovery: a receipt of %s is of boot %s, which its evidence does not name", r.Name, boot)
}
