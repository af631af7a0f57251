package spawn

import (
	"crypto/ed25519"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/staunchid/staunch/recovery/release"
	"github.com/staunchid/staunch/recovery/replica"
	"github.com/staunchid/staunch/recovery/wire"
)

// Rebase signs a ceremony for vaults and witness of a folder, with its release key
// or another, and puts each where it is read at the next start. only names those
// that it is for; empty: all. accounts lists them for each vault; nil: all
// accounts. It gives the files that it has written: restart the server then.
func Rebase(dir string, r release.Rebase, only []string, accounts map[string][]wire.Acct, key ed25519.PrivateKey) (files []string, err error) {
	v, err := Look(dir)
	if err != nil {
		return nil, err
	}
	v.Close()
	set, err := v.set()
	if err != nil {
		return nil, err
	}
	if key == nil {
		if key, err = release.ReadKey(filepath.Join(dir, releaseFile)); err != nil {
			return nil, fmt.Errorf("%w: %w: restore it from where it is", ErrFolder, err)
		}
	}
	r.SetVersion = set.Version
	folders := shapes()[set.Profile].of(&set).folders()
	for _, id := range only {
		if folders[id] == nil {
			return nil, fmt.Errorf("%w %s has no vault and no witness %q", ErrFolder, dir, id)
		}
	}
	documents := map[string][]byte{} // all of them, before any is written
	for id := range folders {
		if len(only) > 0 && !slices.Contains(only, id) {
			continue
		}
		isVault := slices.ContainsFunc(set.Vaults, func(m wire.Member) bool { return m.Vault == id })
		if accounts != nil && isVault && len(accounts[id]) == 0 {
			return nil, fmt.Errorf("%w: no account of vault %s is listed: each vault knows an account by another name, so list all of them or none", release.ErrRebase, id)
		}
		r.Vault, r.Accounts = id, accounts[id]
		if documents[id], err = r.Document(key); err != nil {
			return nil, fmt.Errorf("spawn: %w", err)
		}
	}
	for id, doc := range documents {
		for _, name := range folders[id] {
			path := filepath.Join(dir, name, replica.CeremonyFile)
			if err := write(path, doc); err != nil {
				return nil, err
			}
			files = append(files, path)
		}
	}
	slices.Sort(files)
	return files, nil
}

// set is the vault set of a view.
func (v *View) set() (wire.VaultSet, error) {
	doc, err := wire.Decode[wire.KofM](v.Signed)
	if err != nil {
		return wire.VaultSet{}, fmt.Errorf("%w: %w", ErrFolder, err)
	}
	set, err := wire.Decode[wire.VaultSet](doc.TBS)
	if err != nil {
		return set, fmt.Errorf("%w: %w", ErrFolder, err)
	}
	return set, nil
}
