package recovery

import (
	"context"
	"fmt"
	"slices"

	"github.com/staunchid/staunch/recovery/wire"
)

// Behind are accounts whose PIN was set when a vault still had a share that is lost
// for good by now: the set lists another in its place.
type Behind struct {
	Accounts int // all of them; each is whole again when its owner has set the PIN anew
	Lost     int // those of which fewer vaults are left than are needed
}

// behindMost is how many accounts are read at a time.
const behindMost = 1000

// ReadBehind counts them in a store. vaults are those of the set. It reads all
// pointers, so nobody asks for it at every page.
func ReadBehind(ctx context.Context, tx Tx, vaults []string) (b Behind, err error) {
	var rows []PointerRow
	for more := true; more; more = len(rows) == behindMost {
		var last PointerRow
		if len(rows) > 0 {
			last = rows[len(rows)-1]
		}
		if rows, err = tx.Pointers(ctx, last.Account, behindMost); err != nil {
			return b, err
		}
		for _, p := range rows {
			if p.Profile == ProfileSeed || p.Stage == Deleting {
				continue
			}
			h, err := wire.Decode[wire.Header](p.Header)
			if err != nil {
				return b, fmt.Errorf("recovery: the header of the backup of %s: %w", p.Account, err)
			}
			left := 0
			for _, s := range h.Vaults {
				if slices.Contains(vaults, s.Vault) {
					left++
				}
			}
			if left < len(h.Vaults) {
				b.Accounts++
			}
			if left < int(h.T) {
				b.Lost++
			}
		}
	}
	return b, nil
}
