package recovery

import (
	"errors"
	"maps"
	"slices"
)

// errGone is a vault that the set lists no more: it was lost for good, and another
// is in its place, which has no share of what was registered before. Nobody waits
// for it, and it takes nothing back.
var errGone = errors.New("it is no longer in the vault set")

// reachable are the errors of vaults that may still answer: those of the set.
func reachable(errs map[string]error) map[string]error {
	left := maps.Clone(errs)
	maps.DeleteFunc(left, func(_ string, err error) bool { return errors.Is(err, errGone) })
	return left
}

// gone are the vaults of a registration that the set, when it was last seen, did
// not list any more.
func (b *Backup) gone(r *registration) (ids []string) {
	if b.listed == nil {
		return nil
	}
	for _, id := range r.ids() {
		if !slices.Contains(b.listed, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// ids are the vaults of the set.
func (v *vaults) ids() (ids []string) {
	for _, m := range v.set.Vaults {
		ids = append(ids, m.Vault)
	}
	return ids
}
