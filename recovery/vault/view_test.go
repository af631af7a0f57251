package vault

import (
	"maps"
	"testing"

	"github.com/staunchid/staunch/recovery/wire"
)

func life(number uint64, boot byte) wire.Incarnation {
	return wire.Incarnation{Number: number, Boot: wire.ID16{boot}}
}

// TestAdmits is rule Q4, as a witness keeps it.
func TestAdmits(t *testing.T) {
	known := wire.View{"v1": life(2, 1), "v2": life(3, 2), "v3": life(1, 3)}
	for _, c := range []struct {
		name   string
		change func(wire.View)
		ok     bool
	}{
		{"the same", func(wire.View) {}, true},
		{"newer than it knows", func(v wire.View) { v["v2"] = life(4, 9) }, true},
		{"one it does not know", func(v wire.View) { v["v4"] = life(1, 4) }, true},
		{"older than it knows", func(v wire.View) { v["v2"] = life(2, 9) }, false},
		{"as new, of another boot", func(v wire.View) { v["v2"] = life(3, 9) }, false},
		{"left out", func(v wire.View) { delete(v, "v3") }, false},
		{"older than itself", func(v wire.View) { v["v1"] = life(1, 1) }, false},
		{"newer than itself", func(v wire.View) { v["v1"] = life(3, 1) }, false},
		{"itself with another boot", func(v wire.View) { v["v1"] = life(2, 9) }, false},
		{"itself left out", func(v wire.View) { delete(v, "v1") }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := maps.Clone(known)
			c.change(v)
			if err := admits(known, "v1", v); (err == nil) != c.ok {
				t.Error(err)
			}
		})
	}
}

// TestRecord is rule Q3, as the others keep it.
func TestRecord(t *testing.T) {
	known := wire.View{"v2": life(3, 2)}
	for _, c := range []struct {
		name string
		id   string
		inc  wire.Incarnation
		ok   bool
	}{
		{"the next", "v2", life(4, 9), true},
		{"the same once more", "v2", life(3, 2), true},
		{"an equal number, another boot", "v2", life(3, 9), false},
		{"an older one", "v2", life(2, 9), false},
		{"the first of another", "v3", life(1, 3), true},
		{"number 0", "v3", life(0, 3), false},
		{"a number beyond all reason", "v2", life(maxIncarnation+1, 9), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			next, err := record(known, c.id, c.inc)
			if (err == nil) != c.ok {
				t.Fatal(err)
			}
			if c.ok && next[c.id] != c.inc || !c.ok && !maps.Equal(next, known) || known["v2"] != life(3, 2) {
				t.Errorf("%v", next)
			}
		})
	}
}

// TestBelieved: a liar cannot make somebody else look restarted, and somebody who
// has restarted is seen to have, also while he is silent.
func TestBelieved(t *testing.T) {
	for _, c := range []struct {
		name string
		told map[string]wire.View
		want wire.Incarnation // of v3
	}{
		{"it says so itself", map[string]wire.View{"v3": {"v3": life(2, 3)}}, life(2, 3)},
		{"one other says more", map[string]wire.View{"v3": {"v3": life(2, 3)}, "v1": {"v3": life(7, 9)}}, life(2, 3)},
		{"two others say more", map[string]wire.View{"v3": {"v3": life(2, 3)}, "v1": {"v3": life(4, 9)}, "v2": {"v3": life(3, 8)}}, life(3, 8)},
		{"two others name another boot", map[string]wire.View{"v3": {"v3": life(2, 3)}, "v1": {"v3": life(2, 9)}, "v2": {"v3": life(2, 9)}}, life(2, 9)},
		{"two others name different boots", map[string]wire.View{"v3": {"v3": life(2, 3)}, "v1": {"v3": life(2, 9)}, "v2": {"v3": life(2, 8)}}, life(2, 3)},
		{"only one other has spoken of it", map[string]wire.View{"v1": {"v3": life(2, 3)}}, life(2, 3)},
		{"beyond all reason", map[string]wire.View{"v1": {"v3": life(maxIncarnation+1, 3)}}, wire.Incarnation{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := believed(c.told, 1)["v3"]; got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}
