package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"fmt"
	"math"

	"github.com/staunchid/staunch/internal/cbor"
	"github.com/staunchid/staunch/recovery/wire"
)

const labelMasterKeys = "staunch/kr1/master-keys"

// maxHeld bounds the ceremonies of a vault's life: see eraBits.
const maxHeld = 1 << (32 - eraBits)

// Seal encrypts the keys to the platform's sealing key, for one configuration:
// config-hash || AES-256-GCM. A changed configuration does not open them.
func (k *MasterKeys) Seal(sealing wire.Key, c *wire.Config) ([]byte, error) {
	aead, hash, aad, err := keySeal(sealing, c)
	if err != nil {
		return nil, err
	}
	plain, err := k.encode()
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	return aead.Seal(hash[:], nil, plain, aad), nil
}

// OpenMasterKeys opens what Seal has made. ErrKeys says why it does not.
func OpenMasterKeys(sealing wire.Key, c *wire.Config, sealed []byte) (*MasterKeys, error) {
	aead, hash, aad, err := keySeal(sealing, c)
	if err != nil {
		return nil, err
	}
	if len(sealed) < len(hash) {
		return nil, fmt.Errorf("%w: %d bytes are too few", ErrKeys, len(sealed))
	}
	if subtle.ConstantTimeCompare(sealed[:len(hash)], hash[:]) != 1 {
		return nil, fmt.Errorf("%w: they were made under the configuration %x, this one is %x: start with that configuration, or hold a handover ceremony",
			ErrKeys, sealed[:len(hash)], hash[:])
	}
	plain, err := aead.Open(nil, nil, sealed[len(hash):], aad)
	if err != nil {
		return nil, fmt.Errorf("%w: they were sealed by another machine or key, or changed", ErrKeys)
	}
	defer clear(plain)
	return decodeMasterKeys(plain)
}

// keySeal is the cipher, the config-hash, and the data that is bound.
func keySeal(sealing wire.Key, c *wire.Config) (aead cipher.AEAD, hash wire.Hash, aad []byte, err error) {
	if sealing == (wire.Key{}) {
		return nil, hash, nil, fmt.Errorf("%w: the sealing key is all zeros", ErrKeys)
	}
	if hash, err = c.Hash(); err != nil {
		return nil, hash, nil, fmt.Errorf("%w: %w", ErrKeys, err)
	}
	if aad, err = cbor.Marshal([]any{labelMasterKeys, c.Vault, hash[:]}); err != nil {
		return nil, hash, nil, fmt.Errorf("%w: %w", ErrKeys, err)
	}
	block, err := aes.NewCipher(sealing[:])
	if err != nil {
		return nil, hash, nil, fmt.Errorf("%w: %w", ErrKeys, err)
	}
	aead, err = cipher.NewGCMWithRandomNonce(block)
	return aead, hash, aad, err
}

// encode is for Seal and for the hand-over to another replica, and nothing else.
func (k *MasterKeys) encode() ([]byte, error) {
	b, err := cbor.Encode(k.code)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeys, err)
	}
	return b, nil
}

func decodeMasterKeys(b []byte) (*MasterKeys, error) {
	var k MasterKeys
	if err := cbor.Decode(b, k.code); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeys, err)
	}
	if !k.usable() {
		return nil, fmt.Errorf("%w: a key is all zeros", ErrKeys)
	}
	return &k, nil
}

// code walks {1: label, 2: [1*2 [epoch, made, key]], 3: wk, 4: calls-from, 5: [* ceremony]}.
func (k *MasterKeys) code(c *cbor.Coder) {
	c.Map(func(f *cbor.Fields) {
		f.Key(1)
		c.Label(labelMasterKeys)
		f.Key(2)
		cbor.Slice(c, &k.epochs, 1, 2, func(m *masterKey) {
			c.Array(3)
			cbor.Uint(c, &m.epoch, 1, math.MaxUint32)
			cbor.Uint(c, &m.made, 0, math.MaxInt64)
			c.Fixed(m.key[:])
		})
		f.Key(3)
		c.Fixed(k.marks[:])
		f.Key(4)
		cbor.Uint(c, &k.callsFrom, 1, math.MaxUint32)
		f.Key(5)
		cbor.Slice(c, &k.held, 0, maxHeld-1, func(name *wire.ID16) { name.Code(c) })
	})
}
