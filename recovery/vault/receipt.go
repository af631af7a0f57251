package vault

import (
	"sync"

	"github.com/staunchid/staunch/recovery/wire"
)

// receipts chains what this replica signs: each receipt has the hash of the one
// before, so that one that is kept back is missed.
type receipts struct {
	mu   sync.Mutex
	prev wire.Hash // guarded by mu: SHA-256 of the signed bytes of the last one
}

// next fills in who signs, and the chain, and signs with the boot key.
func (l *receipts) next(v *Vault, r *wire.Receipt) (*wire.Signed, error) {
	r.Vault, r.Replica, r.Boot = v.config.Vault, v.replica, v.boot.ID
	l.mu.Lock()
	defer l.mu.Unlock()
	r.Prev = l.prev
	signed, err := wire.Sign(v.boot.key, r)
	if err != nil {
		return nil, err
	}
	l.prev = wire.Sum(signed.TBS)
	return signed, nil
}

// named is which blob the vault names for a registration after a create or an update
// with verdict ok. The service, which keeps the blobs, must not have to believe a
// phone which of them is needed. nil: another op, or another verdict.
func named(in *demand, verdict wire.Verdict, r *wire.Record) *wire.SlotView {
	reg, names := map[wire.Op]wire.RegID{wire.OpCreate: in.create.Reg, wire.OpUpdate: in.update.Reg}[in.op]
	if !names || verdict != wire.VerdictOK {
		return nil
	}
	return slotOf(r, reg).View()
}
