package recovery_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/wire"
)

// pointers is a Tx that has nothing but pointers.
type pointers struct {
	recovery.Tx
	rows []recovery.PointerRow // by account
}

func (p pointers) Pointers(_ context.Context, after account.ID, limit int) (out []recovery.PointerRow, err error) {
	for _, r := range p.rows {
		if r.Account > after && len(out) < limit {
			out = append(out, r)
		}
	}
	return out, nil
}

// TestReadBehind: who has a share at a vault that is gone is counted, also beyond
// one page, and apart from that who has too few left.
func TestReadBehind(t *testing.T) {
	header := func(ids ...string) []byte {
		h := wire.Header{Suite: wire.Suite1, Argon2: wire.Argon2{M: 65536, T: 3, P: 4}, N: 3, T: 2}
		for _, id := range ids {
			h.Vaults = append(h.Vaults, wire.Share{Vault: id, K: make([]byte, 32)})
		}
		b, err := wire.Encode(&h)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var p pointers
	add := func(n int, stage recovery.Stage, profile string, header []byte) {
		for range n {
			id := account.ID(fmt.Sprintf("a_%06d", len(p.rows)))
			p.rows = append(p.rows, recovery.PointerRow{Account: id, Stage: stage, Profile: profile, Header: header})
		}
	}
	add(1500, recovery.Finalized, "kr1-2of3", header("v1", "v2", "v3"))
	add(700, recovery.Finalized, "kr1-2of3", header("v1", "v4", "v3"))
	add(1, recovery.Activated, "kr1-2of3", header("v0", "v2", "v3"))
	add(1, recovery.Deleting, "kr1-2of3", header("v1", "v2", "v3"))
	add(1, recovery.Finalized, recovery.ProfileSeed, nil)
	got, err := recovery.ReadBehind(t.Context(), p, []string{"v1", "v4", "v3"})
	if err != nil || got != (recovery.Behind{Accounts: 1501, Lost: 1}) {
		t.Errorf("%+v, %v", got, err)
	}
	add(1, recovery.Finalized, "kr1-2of3", []byte{1})
	if _, err := recovery.ReadBehind(t.Context(), p, nil); err == nil {
		t.Error("a header that cannot be read was passed over")
	}
}
