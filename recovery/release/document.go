package release

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"

	"github.com/staunchid/staunch/recovery/wire"
)

// ErrDocument: these bytes are nothing that release keys sign, or cannot be signed
// by this key. The message says why.
var ErrDocument = errors.New("release: this document cannot be signed")

// Document encodes a vault set or a ceremony, with the signature of one key.
func Document(v wire.Coded, key ed25519.PrivateKey) ([]byte, error) {
	tbs, err := wire.Encode(v)
	if err != nil {
		return nil, fmt.Errorf("release: %w", err)
	}
	doc := &wire.KofM{TBS: tbs}
	doc.Add(key)
	return encode(doc)
}

// Sign adds the signature of one more key. A key that the vault set does not list
// is refused, and so is one that has signed: it would count for nothing. A
// ceremony lists no keys: the vault knows them.
func Sign(document []byte, key ed25519.PrivateKey) ([]byte, error) {
	doc, err := wire.Decode[wire.KofM](document)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	public := Public(key)
	set, err := wire.Decode[wire.VaultSet](doc.TBS)
	if err != nil {
		if _, err := wire.Decode[wire.Ceremony](doc.TBS); err != nil {
			return nil, fmt.Errorf("%w: it is neither a vault set nor a ceremony: %w", ErrDocument, err)
		}
	} else if !slices.Contains(set.Release.Keys, public) {
		return nil, fmt.Errorf("%w: the set lists its release keys, and %s is none of them", ErrDocument, public)
	}
	if slices.ContainsFunc(doc.Sigs, func(s wire.KeySig) bool { return s.Key == public }) {
		return nil, fmt.Errorf("%w: %s has signed it already", ErrDocument, public)
	}
	if err := doc.Verify(signers(&doc)); err != nil {
		return nil, fmt.Errorf("%w: a signature that it has is wrong: %w", ErrDocument, err)
	}
	doc.Add(key)
	return encode(&doc)
}

// signers are the keys that a document says have signed it, all of which must.
func signers(doc *wire.KofM) wire.ReleaseKeys {
	keys := wire.ReleaseKeys{K: uint8(len(doc.Sigs))} //nolint:gosec // at most wire.MaxReleaseKeys
	for _, s := range doc.Sigs {
		keys.Keys = append(keys.Keys, s.Key)
	}
	return keys
}

func encode(doc *wire.KofM) ([]byte, error) {
	b, err := wire.Encode(doc)
	if err != nil {
		return nil, fmt.Errorf("release: %w", err)
	}
	return b, nil
}
