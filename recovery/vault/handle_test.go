package vault

import (
	"testing"

	"github.com/staunchid/staunch/recovery/wire"
)

// TestRecover: the right PIN gives the share and all attempts back, and nine
// wrong ones do not stop it.
func TestRecover(t *testing.T) {
	for _, s := range []wire.Suite{wire.Suite1, wire.Suite2} {
		t.Run(s.String(), func(t *testing.T) {
			g, r := registered(t, func(c *wire.Config) { c.Suite = s })
			for i := range byte(9) {
				if a := g.try(r, "000000", i+1); a.Verdict != wire.VerdictWrongPIN || a.Used != i+1 || a.S != nil {
					t.Fatalf("wrong PIN %d: %+v", i, a)
				}
			}
			a := g.try(r, r.pin, 20)
			if a.Verdict != wire.VerdictOK || a.Used != 0 || a.S == nil || !a.S.Equal(r.s) || *a.BlobHash != r.hash {
				t.Fatalf("right PIN: %+v", a)
			}
			for i := range byte(10) {
				a = g.try(r, "000000", i+30)
			}
			if a.Verdict != wire.VerdictLocked || a.Used != 10 || a.State != wire.StateLocked {
				t.Fatalf("tenth wrong PIN: %+v", a)
			}
			if a = g.try(r, r.pin, 50); a.Verdict != wire.VerdictLocked || a.S != nil || a.E != nil {
				t.Fatalf("right PIN when locked: %+v", a)
			}
			if a = g.slots(); a.Verdict != wire.VerdictOK || a.State != wire.StateLocked || a.Slots.Current != nil || a.Slots.Other != nil {
				t.Fatalf("status when locked: %+v", a)
			}
		})
	}
}
