package vault

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// EvidenceLife is how long evidence without a nonce is given out again.
const EvidenceLife = time.Hour

// ErrEvidence: evidence cannot be made. Look whether the platform's device is
// there, and whether enough witnesses tell the time.
var ErrEvidence = errors.New("vault: no evidence can be made")

// evidence keeps the newest evidence without a nonce.
type evidence struct {
	mu     sync.Mutex
	bytes  []byte    // guarded by mu
	epoch  uint32    // guarded by mu: of bytes
	issued time.Time // guarded by mu: of bytes, by this machine's clock, which only spares work
}

// Evidence shows what runs here: the platform's evidence over the binding of this
// replica, its boot and the HPKE key of the newest epoch (tee.md, section 2).
// With a nonce it is made for the one who asks; without, at most an hour old.
func (v *Vault) Evidence(ctx context.Context, nonce []byte) ([]byte, error) {
	if nonce != nil {
		return v.prove(ctx, nonce)
	}
	e, epoch := &v.evidence, v.ring.Load().newest().number
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.bytes != nil && e.epoch == epoch && time.Since(e.issued) < EvidenceLife {
		return e.bytes, nil
	}
	b, err := v.prove(ctx, nil)
	if err != nil {
		return nil, err
	}
	e.bytes, e.epoch, e.issued = b, epoch, time.Now()
	return b, nil
}

func (v *Vault) prove(ctx context.Context, nonce []byte) ([]byte, error) {
	if v.attest == nil {
		return nil, fmt.Errorf("%w: this vault was started without a platform", ErrEvidence)
	}
	now, err := v.fresh.Now(ctx) // a TEE has no clock of its own
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEvidence, err)
	}
	binding, err := wire.Encode(v.binding(now, nonce))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEvidence, err)
	}
	proof, err := v.attest(ctx, binding)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEvidence, err)
	}
	return proof, nil
}

// binding is what evidence ties to the program. Without evidence it is a claim,
// which serves to show what runs, and for nothing else.
func (v *Vault) binding(issued time.Time, nonce []byte) *wire.Binding {
	epoch := v.ring.Load().newest()
	return &wire.Binding{
		Vault: v.config.Vault, Replica: v.replica, Boot: v.boot.ID, BootKey: v.boot.Public(),
		Epoch: epoch.number, HPKE: epoch.public, ConfigHash: v.hash, Issued: seconds(issued), Nonce: nonce,
	}
}
