package wire

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/hpke"
	"crypto/sha256"
	"fmt"
)

// The labels of derivations.
const (
	labelPRS    = "staunch/kr1/prs"
	labelManage = "staunch/kr1/manage"
	labelData   = "staunch/kr1/data"
	labelRecord = "staunch/kr1/vault-record"
	labelHPKE   = "staunch/kr1/vault-hpke"
	labelShare  = "staunch/kr1/vault-share"
	labelMark   = "staunch/kr1/vault-mark"
	labelPepper = "staunch/kr1/pepper"
	labelRebase = "staunch/kr1/rebase"
)

// BlindDST is the domain of the blinding scalar r: see recovery/toprf.
const BlindDST = "staunch/kr1/blind"

// extract is HKDF-Extract with SHA-256; expand is HKDF-Expand.
func extract(salt, key []byte) []byte {
	prk, err := hkdf.Extract(sha256.New, key, salt)
	if err != nil {
		panic("wire: " + err.Error()) // only in FIPS 140-only mode, with keys below 112 bits: ours are longer
	}
	return prk
}

func expand(prk, info []byte, length int) []byte {
	out, err := hkdf.Expand(sha256.New, prk, string(info), length)
	if err != nil {
		panic("wire: " + err.Error()) // only beyond 8,160 bytes
	}
	return out
}

func expandKey(prk, info []byte) Key { return Key(expand(prk, info, 32)) }

func mac(k Key, message []byte) [32]byte {
	h := hmac.New(sha256.New, k[:])
	h.Write(message)
	return [32]byte(h.Sum(nil))
}

// HPKEKey is a vault's key pair of an epoch, to which phones seal requests.
type HPKEKey struct {
	hidden
	private hpke.PrivateKey
}

// DeriveHPKE derives the key pair of a vault from its master key of an epoch.
func DeriveHPKE(suite Suite, master Key, vault string, epoch uint32) (*HPKEKey, error) {
	kem, err := suite.kem()
	if err != nil {
		return nil, err
	}
	private, err := kem.DeriveKeyPair(expand(master[:], list(labelHPKE, vault, epoch), 64))
	if err != nil {
		return nil, fmt.Errorf("wire: deriving the HPKE key pair: %w", err)
	}
	return &HPKEKey{private: private}, nil
}

// Public is the public key as it stands in a [Binding].
func (k *HPKEKey) Public() []byte { return k.private.PublicKey().Bytes() }

// ShareKey makes the vault's half of an exchange, and binds it to its charge.
type ShareKey struct{ Key }

// DeriveShareKey derives a vault's share key from wk, which outlives epochs: an
// attempt has one exchange with a vault, whatever keys are renewed meanwhile.
func DeriveShareKey(wk Key, vault string) ShareKey {
	return ShareKey{expandKey(wk[:], list(labelShare, vault))}
}

// Seed is what y_a is hashed from, of the charge with this number, which paid for b
// and gave e.
func (k ShareKey) Seed(acct Acct, reg RegID, charges uint32, b, e Element) Key {
	return mac(k.Key, list(acct[:], reg[:], charges, []byte(b), []byte(e)))
}

// MarkKey tags marks, so that a witness can keep them and not invent them.
type MarkKey struct{ Key }

// DeriveMarkKey derives a vault's mark key from wk, the key that only a ceremony
// replaces.
func DeriveMarkKey(wk Key, vault string) MarkKey {
	return MarkKey{expandKey(wk[:], list(labelMark, vault))}
}

// Tag encodes and tags a mark.
func (k MarkKey) Tag(m *Mark) (Tagged, error) {
	b, err := Encode(m)
	if err != nil {
		return Tagged{}, err
	}
	return Tagged{Mark: b, Tag: k.tag(b)}, nil
}

func (k MarkKey) tag(mark []byte) ID16 {
	sum := mac(k.Key, mark)
	return ID16(sum[:16])
}

// Open returns the mark if the tag is right: ErrSignature otherwise.
func (k MarkKey) Open(t *Tagged) (Mark, error) {
	want := k.tag(t.Mark)
	if !hmac.Equal(want[:], t.Tag[:]) {
		return Mark{}, fmt.Errorf("%w: the tag of a mark", ErrSignature)
	}
	return Decode[Mark](t.Mark)
}

// AttemptName is h, which names an attempt: one blinded element of one
// registration.
func AttemptName(reg RegID, b Element) ID16 {
	sum := Sum(list(reg[:], []byte(b)))
	return ID16(sum[:16])
}

// ContentName is c, which names a managed request by its signed bytes.
func ContentName(tbs []byte) ID16 {
	sum := Sum(tbs)
	return ID16(sum[:16])
}

// RebaseName names what a ceremony has taken as the truth: what is registered in
// the record, and nothing else in it. So records of one gen give one name, and a
// registration of somebody else, or with an older PIN, gives another.
func RebaseName(ceremony ID16, r *Record) (ID16, error) {
	content := *r
	content.State, content.Ver = StateActive, 0
	content.Charges, content.Base, content.Closed = 0, 0, 0
	content.Last, content.Redo = ID16{}, ID16{}
	encoded, err := Encode(&content)
	if err != nil {
		return ID16{}, err
	}
	defer clear(encoded)
	hash := Sum(encoded)
	return ContentName(list(labelRebase, ceremony[:], hash[:])), nil
}

// Pepper turns the IDs of accounts into what one vault calls them.
type Pepper struct{ Key }

// DerivePepper derives the pepper of a vault from the app's root secret.
func DerivePepper(root []byte, vault string) Pepper {
	return Pepper{expandKey(root, list(labelPepper, vault))}
}

// Acct is the account as the vault knows it.
func (p Pepper) Acct(account string) Acct {
	sum := mac(p.Key, []byte(account))
	return Acct(sum[:16])
}

// PRS is prs_i, the password-related string that a phone has in common with one
// vault: who has it, and no more, knows nothing of the PIN.
type PRS struct{ Key }

// DerivePRS derives prs_i from rwd, the output of the OPRF. A phone that can do so
// was given the right PIN.
func DerivePRS(suite Suite, reg RegID, rwd Secret, vault string) (PRS, error) {
	if !suite.Valid() || len(rwd) != suite.OutputSize() {
		return PRS{}, fmt.Errorf("%w: an OPRF output of %d bytes", ErrMalformed, len(rwd))
	}
	return PRS{expandKey(extract(reg[:], rwd), list(labelPRS, vault))}, nil
}

// Generator is what the generator of an exchange is hashed from: the string, whom
// it is with, and the attempt that it is about.
func (p PRS) Generator(vault string, acct Acct, reg RegID, b, e Element) []byte {
	return list(p.Key[:], vault, acct[:], reg[:], []byte(b), []byte(e))
}

// DeriveManageKey derives the manage key from the seed in the payload. In suite 1
// the seed is the private key itself.
func DeriveManageKey(suite Suite, seed Key) (*SigningKey, error) {
	if suite == Suite2 {
		return newSigningKey(suite, expand(seed[:], list(labelManage), 48))
	}
	return newSigningKey(suite, seed[:])
}

// DataKey is K, which encrypts the payload on the phone.
type DataKey struct{ Key }

// DeriveDataKey derives K from rwd and s: from the PIN and t vaults, and from t
// vaults that were shown the PIN.
func DeriveDataKey(suite Suite, reg RegID, rwd Secret, s Scalar) (DataKey, error) {
	if !suite.Valid() || len(rwd) != suite.OutputSize() {
		return DataKey{}, fmt.Errorf("%w: an OPRF output of %d bytes", ErrMalformed, len(rwd))
	}
	both := append(append(make([]byte, 0, len(rwd)+len(s)), rwd...), s[:]...)
	defer clear(both)
	return DataKey{expandKey(extract(reg[:], both), list(labelData))}, nil
}
