package registry

import "slices"

// Key is the key in the evidence, whether or not anybody vouches for it: the id
// that it will have and its DER SubjectPublicKeyInfo, for who has to compare them
// before the transaction. Both are empty if the evidence names none.
func (a *Attempt) Key() (id string, spki []byte) {
	c := named(a.verdict)
	if c == nil {
		return "", nil
	}
	return c.KeyID, slices.Clone(c.KeySPKI)
}
