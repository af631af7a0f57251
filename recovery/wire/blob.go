package wire

import (
	"fmt"
	"math"
	"slices"

	"github.com/staunchid/staunch/internal/cbor"
)

// The bounds of a blob.
const (
	MaxPayload = 65_536         // of the padded payload
	MaxBlob    = 65_536 + 1_024 // of the encoded blob
)

// Header is what the phone must know before it can ask anything: the
// registration, how the PIN is stretched, and the vaults in the order of their
// points, with the public keys of their shares.
type Header struct {
	Suite  Suite
	Reg    RegID
	Argon2 Argon2
	N, T   uint8
	Vaults []Share // point i+1 is Vaults[i]
}

// Argon2 is how a PIN is stretched: Argon2id with M KiB, T passes and P lanes.
type Argon2 struct {
	M, T uint32
	P    uint8
}

// DefaultArgon2 is how phones stretch a new PIN.
func DefaultArgon2() Argon2 { return Argon2{M: 65_536, T: 3, P: 4} }

// Share names a vault and the public key K_i of its share.
type Share struct {
	Vault string
	K     Element
}

// Code walks the map.
func (h *Header) Code(c *cbor.Coder) {
	c.Map(func(f *cbor.Fields) {
		f.Key(1)
		c.Const(1)
		f.Key(2)
		h.Suite.code(c)
		f.Key(3)
		h.Reg.Code(c)
		f.Key(4)
		c.Array(3)
		cbor.Uint(c, &h.Argon2.M, 65_536, 1_048_576) // what the client accepts, and nothing else
		cbor.Uint(c, &h.Argon2.T, 3, 10)
		cbor.Uint(c, &h.Argon2.P, 1, 8)
		f.Key(5)
		cbor.Uint(c, &h.N, 1, MaxVaults)
		f.Key(6)
		cbor.Uint(c, &h.T, 1, uint64(h.N))
		f.Key(7)
		cbor.Slice(c, &h.Vaults, int(h.N), int(h.N), func(s *Share) {
			c.Array(2)
			codeVault(c, &s.Vault)
			codeSized(c, &s.K, h.Suite.ElementSize())
		})
		if twice(h.Vaults) {
			c.Failf("a vault is named twice")
		}
	})
}

func twice(vaults []Share) bool {
	for i, v := range vaults {
		if slices.ContainsFunc(vaults[:i], func(o Share) bool { return o.Vault == v.Vault }) {
			return true
		}
	}
	return false
}

// Blob is what the service keeps for the phone.
type Blob struct {
	Header []byte // an encoded Header, exactly as it was sealed
	Box    []byte // see DataKey
}

// Code walks [header, box].
func (b *Blob) Code(c *cbor.Coder) {
	c.Array(2)
	cbor.Octets(c, &b.Header, 1, 1_000)
	cbor.Octets(c, &b.Box, nonceSize+tagSize, MaxPayload+nonceSize+tagSize)
}

// Payload is what recovery brings back.
type Payload struct {
	Keys       []SealingKey
	ManageSeed Key
	Seq        uint64
	Saved      uint64            // seconds since 1970
	App        map[string]Secret // nil: none; "backup", …
	Recovery   []Key             // nil: none; Ed25519 seeds that sign keytrans' RECOVERY links, newest first
}

// SealingKey is a key of the app's end-to-end encryption.
type SealingKey struct {
	KID     []byte
	Secret  Secret
	Created uint64 // seconds since 1970
}

// Code walks the map.
func (p *Payload) Code(c *cbor.Coder) {
	c.Map(func(f *cbor.Fields) {
		f.Key(1)
		c.Const(1)
		f.Key(2)
		cbor.Slice(c, &p.Keys, 0, 512, func(k *SealingKey) { k.code(c) })
		f.Key(3)
		p.ManageSeed.Code(c)
		f.Key(4)
		cbor.Uint(c, &p.Seq, 0, math.MaxUint64)
		f.Key(5)
		cbor.Uint(c, &p.Saved, 0, math.MaxInt64)
		if f.Optional(6, p.App != nil) {
			cbor.TextKeys(c, &p.App, 64, 0, 64, func(v *Secret) { cbor.Octets(c, v, 0, MaxPayload) })
		}
		if f.Optional(7, p.Recovery != nil) {
			cbor.Slice(c, &p.Recovery, 1, 2, func(k *Key) { k.Code(c) })
		}
	})
}

func (k *SealingKey) code(c *cbor.Coder) {
	c.Array(3)
	cbor.Octets(c, &k.KID, 1, 64)
	cbor.Octets(c, &k.Secret, 1, 256)
	cbor.Uint(c, &k.Created, 0, math.MaxInt64)
}

// sizes are what a payload is padded to, so that its length tells little.
func paddedSize(n int) (int, error) {
	for _, size := range [...]int{4_096, 8_192, 16_384, 32_768, MaxPayload} {
		if n <= size {
			return size, nil
		}
	}
	return 0, fmt.Errorf("%w: a payload of %d bytes, more than %d: keep fewer keys", ErrMalformed, n, MaxPayload)
}

// SealBlob encrypts the payload under the data key and binds it to the header.
// It returns the encoded blob, whose SHA-256 is the blob-hash.
func (k DataKey) SealBlob(h *Header, p *Payload) ([]byte, error) {
	header, err := Encode(h)
	if err != nil {
		return nil, err
	}
	plain, err := Encode(p) // its length decides what it is padded to
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	size, err := paddedSize(len(plain))
	if err != nil {
		return nil, err
	}
	box, err := sealPadded(nil, k.Key, p, size, header)
	if err != nil {
		return nil, err
	}
	return Encode(&Blob{Header: header, Box: box})
}

// OpenBlob decrypts an encoded blob. ErrUnreadable: it was sealed under another
// key, or is not what was sealed.
func (k DataKey) OpenBlob(blob []byte) (*Header, *Payload, error) {
	b, err := Decode[Blob](blob)
	if err != nil {
		return nil, nil, err
	}
	h, err := Decode[Header](b.Header)
	if err != nil {
		return nil, nil, err
	}
	plain, err := open(k.Key, b.Box, b.Header)
	if err != nil {
		return nil, nil, err
	}
	if size, err := paddedSize(len(plain)); err != nil || size != len(plain) {
		return nil, nil, fmt.Errorf("%w: a payload padded to %d bytes", ErrMalformed, len(plain))
	}
	var p Payload
	if err := decodePadded(plain, &p); err != nil {
		return nil, nil, err
	}
	return &h, &p, nil
}
