package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"sync"

	"github.com/staunchid/staunch/internal/cbor"
)

type (
	// ID16 is a random or derived name of 16 bytes: of a boot, a voucher, an
	// attempt, a managed request.
	ID16 [16]byte
	// Acct is an account as one vault knows it: see [Pepper].
	Acct [16]byte
	// RegID names a registration: one PIN with one set of keys.
	RegID [16]byte
	// Hash is a SHA-256.
	Hash [32]byte
	// Tag confirms the key of an exchange: see recovery/cpace.
	Tag [32]byte
	// Element is an encoded element of the OPRF's group: 32 bytes in suite 1, 33
	// in suite 2. recovery/toprf reads it.
	Element []byte
	// PublicKey verifies signatures of manage keys: 32 bytes in suite 1, 33 in
	// suite 2.
	PublicKey []byte
	// EdKey is an Ed25519 public key: of a boot, a release key, the vouchers'.
	EdKey [32]byte
	// Signature is Ed25519's, or ECDSA's r then s.
	Signature [64]byte
)

// Sum is SHA-256 of b.
func Sum(b []byte) Hash { return sha256.Sum256(b) }

func (x ID16) String() string  { return hex.EncodeToString(x[:]) }
func (x Acct) String() string  { return hex.EncodeToString(x[:]) }
func (x RegID) String() string { return hex.EncodeToString(x[:]) }
func (x Hash) String() string  { return hex.EncodeToString(x[:]) }
func (x EdKey) String() string { return hex.EncodeToString(x[:]) }

// Code walks it as a byte string.
func (x *ID16) Code(c *cbor.Coder) { c.Fixed(x[:]) }

// Code walks it as a byte string.
func (x *Acct) Code(c *cbor.Coder) { c.Fixed(x[:]) }

// Code walks it as a byte string.
func (x *RegID) Code(c *cbor.Coder) { c.Fixed(x[:]) }

// Code walks it as a byte string.
func (x *Hash) Code(c *cbor.Coder) { c.Fixed(x[:]) }

// Code walks it as a byte string.
func (x *EdKey) Code(c *cbor.Coder) { c.Fixed(x[:]) }

// codeElement walks an element of either suite.
func codeElement[T ~[]byte](c *cbor.Coder, v *T) { cbor.Octets(c, v, 32, 33) }

// codeHash walks a hash that may be absent.
func codeHash(c *cbor.Coder, v **Hash) {
	if !c.Null(*v != nil) {
		return
	}
	if c.Reading() {
		*v = new(Hash)
	}
	(*v).Code(c)
}

// names is what vaults and witnesses may be called.
var names = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`) })

// ValidVaultID reports whether s can name a vault or a witness: 1 to 32 of a-z,
// 0-9 and -, not beginning with -.
func ValidVaultID(s string) bool { return names().MatchString(s) }

// codeVault walks the name of a vault or a witness.
func codeVault(c *cbor.Coder, v *string) {
	if cbor.String(c, v, 1, 32); c.Err() == nil && !ValidVaultID(*v) {
		c.Failf("%q names no vault", *v)
	}
}

// codeText walks a short text: a replica, a profile, an operator.
func codeText(c *cbor.Coder, v *string) { cbor.String(c, v, 0, 128) }
