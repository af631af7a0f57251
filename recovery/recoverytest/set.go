package recoverytest

import (
	"crypto/ed25519"
	"fmt"
	"slices"

	"github.com/staunchid/staunch/recovery/release"
	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/tee"
)

// firstSet lists the vaults that run here, with the executable of this process.
func (v *Vaults) firstSet() (wire.VaultSet, error) {
	o := v.options
	set := wire.VaultSet{
		Version: 1, Profile: o.Profile, Suite: o.Suite, N: uint8(o.N), T: uint8(o.T), Limit: uint8(o.Limit), Release: v.ReleaseKeys,
	}
	for _, one := range v.List {
		hash, err := one.config.Hash()
		if err != nil {
			return set, err
		}
		set.Vaults = append(set.Vaults, wire.Member{
			Vault: one.ID, Operator: "local", ConfigHash: hash,
			Measurements: []wire.Measurement{{Platform: tee.PlatformProcess, Values: map[string][]byte{"sha256": v.self.Executable[:]}}},
		})
	}
	return set, nil
}

// Replace starts a vault in the place of one that is lost for good; as a witness
// that goes on (release.Replacement).
func (v *Vaults) Replace(lost, id string) error {
	i := slices.IndexFunc(v.List, func(one *Vault) bool { return one.ID == lost })
	if i < 0 {
		return fmt.Errorf("recoverytest: there is no vault %s", lost)
	}
	r := &release.Replacement{
		Signed: v.Set(), Like: v.List[i].config, Lost: lost, New: release.Party{ID: id, Operator: "local"},
		Measurements: v.set.Vaults[i].Measurements, From: v.options.Now(), Key: release.Public(v.release[0]),
	}
	set, _, err := r.Make()
	if err != nil {
		return err
	}
	one, err := v.start(id, v.counts)
	if err != nil {
		return err
	}
	v.List[i], v.set = one, set
	return nil
}

// Set is the signed vault set.
func (v *Vaults) Set() []byte { return v.SignSet(v.set, v.release[:2]...) }

// Change edits the set, which gets the next version.
func (v *Vaults) Change(edit func(*wire.VaultSet)) {
	v.set.Version++
	edit(&v.set)
}

// SetNow is the set as it stands, unsigned.
func (v *Vaults) SetNow() wire.VaultSet { return v.set }

// Keys are the release keys' private halves, three of them.
func (v *Vaults) Keys() []ed25519.PrivateKey { return v.release }

// SignSet signs a set with some keys.
func (v *Vaults) SignSet(set wire.VaultSet, keys ...ed25519.PrivateKey) []byte {
	tbs, err := wire.Encode(&set)
	if err != nil {
		panic("recoverytest: " + err.Error()) // a test made a set that cannot be
	}
	doc := &wire.KofM{TBS: tbs}
	for _, k := range keys {
		doc.Add(k)
	}
	b, err := wire.Encode(doc)
	if err != nil {
		panic("recoverytest: " + err.Error())
	}
	return b
}
