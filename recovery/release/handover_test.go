package release

import (
	"errors"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// TestHandover: the next set lists the new configuration of one vault, the ceremony
// names it, and what would leave the counts of before without a meaning is refused.
func TestHandover(t *testing.T) {
	key := newKey(t)
	first, configs, err := plan(key).Make()
	if err != nil {
		t.Fatal(err)
	}
	signed, err := Document(&first, key)
	if err != nil {
		t.Fatal(err)
	}
	good := func() *Handover {
		h := &Handover{Signed: signed, Old: configs["v2"], Next: configs["v2"], NotBefore: noon, NotAfter: noon.Add(time.Hour), Key: Public(key)}
		h.Next.Policy, h.Next.OnAmnesia, h.Next.VoucherKey = "strict", "checkpoint", wire.EdKey{2}
		return h
	}
	h := good()
	set, ceremony, err := h.Make()
	if err != nil {
		t.Fatal(err)
	}
	next, err := h.Next.Hash()
	if err != nil || set.Version != 2 || *set.Previous != wire.Sum(signed) || set.Vaults[1].ConfigHash != next || set.Vaults[0].ConfigHash != first.Vaults[0].ConfigHash {
		t.Errorf("%+v, %v", set, err)
	}
	if ceremony.Kind != wire.CeremonyHandover || ceremony.Vault != "v2" || ceremony.SetVersion != 2 || *ceremony.ConfigHash != next || ceremony.NotAfter != uint64(h.NotAfter.Unix()) {
		t.Errorf("%+v", ceremony)
	}
	for name, change := range map[string]func(*Handover){
		"nothing changes":             func(h *Handover) { h.Next = h.Old },
		"another limit":               func(h *Handover) { h.Next.Limit = 50 },
		"other witnesses":             func(h *Handover) { h.Next.Witnesses = []string{"v2"} },
		"other quorums":               func(h *Handover) { h.Next.Freshness.F = 0 },
		"other release keys":          func(h *Handover) { h.Next.Release.K = 2 },
		"another vault":               func(h *Handover) { h.Next.Vault = "v3" },
		"a configuration of nobody":   func(h *Handover) { h.Old.Limit = 9; h.Next.Limit = 9 },
		"a witness":                   func(h *Handover) { h.Old, h.Next = configs["w1"], configs["w1"]; h.Next.Policy = "strict" },
		"over before it begins":       func(h *Handover) { h.NotAfter = h.NotBefore },
		"open for longer than needed": func(h *Handover) { h.NotAfter = h.NotBefore.Add(25 * time.Hour) },
	} {
		h := good()
		change(h)
		if _, _, err := h.Make(); !errors.Is(err, ErrHandover) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
