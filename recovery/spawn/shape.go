package spawn

import (
	"slices"

	"github.com/staunchid/staunch/recovery/wire"
)

// shape is what a profile comes to on one machine, or the set that was made of it.
type shape struct {
	children  []child  // the processes
	witnesses []string // that run here
}

// child is one process of a vault.
type child struct {
	vault, replica string
	keysFrom       bool // it has the master keys handed over
	keysOn         bool // it hands them over
}

func (c child) folder() string {
	if c.replica == "a" {
		return c.vault
	}
	return c.vault + "-" + c.replica
}

func (c child) name() string { return c.vault + "/" + c.replica }

// shapes are the profiles (recovery, "Profiles").
func shapes() map[string]shape {
	return map[string]shape{
		"kr1-2of3": {
			witnesses: []string{"w1"},
			children:  []child{{vault: "v1", replica: "a"}, {vault: "v2", replica: "a"}, {vault: "v3", replica: "a"}},
		},
		"kr1-single": {children: []child{{vault: "v1", replica: "a"}}},
		"seed": {
			children: []child{{vault: "v1", replica: "a", keysOn: true}, {vault: "v1", replica: "b", keysFrom: true}, {vault: "v1", replica: "c", keysFrom: true}},
		},
	}
}

// of is the shape of a set that began as this one: vaults that were lost have
// others in their place, and are witnesses only.
func (s shape) of(set *wire.VaultSet) shape {
	now := shape{}
	for _, m := range set.Vaults {
		kept := slices.DeleteFunc(slices.Clone(s.children), func(c child) bool { return c.vault != m.Vault })
		if len(kept) == 0 {
			kept = []child{{vault: m.Vault, replica: "a"}}
		}
		now.children = append(now.children, kept...)
	}
	for _, m := range set.WitnessesOnly {
		now.witnesses = append(now.witnesses, m.Vault)
	}
	return now
}

// folders are those of each vault and witness, by its id.
func (s shape) folders() map[string][]string {
	all := map[string][]string{}
	for _, c := range s.children {
		all[c.vault] = append(all[c.vault], c.folder())
	}
	for _, w := range s.witnesses {
		all[w] = []string{w}
	}
	return all
}
