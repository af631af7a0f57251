package recovery

import (
	"slices"
	"testing"

	"github.com/staunchid/staunch/recovery/wire"
)

// TestLedger: when an owner is told of an attempt, and with which number.
func TestLedger(t *testing.T) {
	type at struct {
		vault string
		ver   uint64
		used  uint8
		state wire.State
	}
	tests := []struct {
		name string
		in   []at
		told []int
	}{
		{"one try at all vaults", []at{{"v1", 2, 1, 0}, {"v2", 2, 1, 0}, {"v3", 2, 1, 0}}, []int{9}},
		{"one vault is away", []at{{"v1", 2, 1, 0}, {"v3", 2, 1, 0}}, []int{9}},
		{"one vault was away, and is back", []at{{"v1", 2, 1, 0}, {"v2", 2, 1, 0}, {"v1", 4, 2, 0}, {"v2", 4, 2, 0}, {"v3", 2, 1, 0}}, []int{9, 8}},
		{"a repeat is free", []at{{"v1", 2, 1, 0}, {"v2", 2, 1, 0}, {"v1", 3, 1, 0}, {"v2", 3, 1, 0}}, []int{9}},
		{"an older receipt", []at{{"v1", 5, 2, 0}, {"v2", 5, 2, 0}, {"v1", 4, 1, 0}}, []int{10, 8}},
		{"somebody works on one vault alone", []at{{"v1", 2, 1, 0}, {"v1", 3, 2, 0}, {"v1", 4, 3, 0}}, []int{10, 10}},
		{"the last attempt", []at{{"v1", 2, 10, 0}, {"v2", 2, 10, 0}, {"v1", 3, 10, 1}, {"v2", 3, 10, 1}}, []int{10, 0}},
		{"a locked vault has none left", []at{{"v1", 2, 1, 1}, {"v2", 2, 1, 1}}, []int{0}},
		{"the right PIN gives all back, and is no attempt", []at{{"v1", 2, 1, 0}, {"v2", 2, 1, 0}, {"v1", 3, 0, 0}, {"v2", 3, 0, 0}}, []int{9}},
	}
	for _, tt := range tests {
		l := &ledger{limit: 10, t: 2, entries: []ledgerEntry{{vault: "v1"}, {vault: "v2"}, {vault: "v3"}}}
		var told []int
		for _, r := range tt.in {
			c := l.counted(r.vault, &wire.Receipt{Gen: 1, Ver: r.ver, Used: r.used, State: r.state})
			if c.tell {
				told = append(told, c.remaining)
			}
		}
		if !slices.Equal(told, tt.told) {
			t.Errorf("%s: told %v, want %v", tt.name, told, tt.told)
		}
	}
	if c := (&ledger{limit: 10, t: 1}).counted("v9", &wire.Receipt{}); c.tell {
		t.Error("told of a vault that is not there")
	}
}
