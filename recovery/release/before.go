package release

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/staunchid/staunch/recovery/wire"
)

// ErrBefore: the vault set that is to be replaced is not known to be the one before.
// Who can write the desk's folder can put a set of his own there. Read it with
// "staunch vault show"; if it is right and another desk has signed it, sign it too.
var ErrBefore = errors.New("release: this is not known to be the set before")

// setBefore reads the set that another is to follow: signed by the keys that it lists,
// by those that like lists, with which its vaults run, and by key, the desk's own. The
// first two come from the same folder as the set; what the desk has signed, it has read.
func setBefore(document []byte, like *wire.Config, key wire.EdKey) (wire.VaultSet, error) {
	set, err := Set(document)
	if err != nil {
		return set, err
	}
	doc, err := wire.Decode[wire.KofM](document)
	if err != nil {
		return set, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	if err := doc.Verify(like.Release); err != nil {
		return set, fmt.Errorf("%w: by the release keys in the configuration of %s: %w", ErrBefore, like.Vault, err)
	}
	if err := doc.Verify(wire.ReleaseKeys{K: 1, Keys: []wire.EdKey{key}}); err != nil {
		return set, fmt.Errorf("%w: the key that is to sign, %s, has not signed version %d: begin where that was signed, or read it with `staunch vault show` and sign it with `staunch vault sign`", ErrBefore, key, set.Version)
	}
	return set, nil
}

// Changes says, before anybody signs, what next changes about the members of a set,
// and who has signed that. before is the document that next names.
func Changes(before []byte, next *wire.VaultSet) (string, error) {
	set, err := Set(before)
	if err != nil {
		return "", err
	}
	doc, err := wire.Decode[wire.KofM](before)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrDocument, err)
	}
	was, is := memberWords(&set), memberWords(next)
	var w words
	w.head("vault set, version %d, in the place of version %d", next.Version, set.Version)
	for _, m := range was {
		if slices.Contains(is, m) {
			w.say("stays", "%s", m)
		} else {
			w.say("goes", "%s", m)
		}
	}
	for _, m := range is {
		if !slices.Contains(was, m) {
			w.say("comes", "%s", m)
		}
	}
	for _, s := range doc.Sigs {
		w.say("signed by", "%s: version %d", s.Key, set.Version)
	}
	return w.String(), nil
}

// memberWords are the words of each member, with its programs.
func memberWords(set *wire.VaultSet) (out []string) {
	add := func(kind string, members []wire.Member) {
		for _, m := range members {
			var w words
			w.member(kind, &m)
			out = append(out, strings.TrimSpace(w.String()))
		}
	}
	add("vault", set.Vaults)
	add("witness", set.WitnessesOnly)
	return out
}
