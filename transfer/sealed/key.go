package sealed

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"io"
	"log/slog"

	"github.com/staunchid/staunch/transfer/derive"
)

const redacted = "[redacted]"

// Key is K_bulk, from which the key of each segment is derived. Copies are one key:
// Wipe ends them all. The zero Key seals and opens nothing.
type Key struct{ secret *secret }

type secret struct {
	bulk  [32]byte
	wiped bool
}

// NewKey makes one of the 32 bytes that the two phones have agreed on. It keeps a
// copy.
func NewKey(bulk []byte) (Key, error) {
	if len(bulk) != 32 {
		return Key{}, fmt.Errorf("%w: %d bytes, not 32", ErrKey, len(bulk))
	}
	return Key{&secret{bulk: [32]byte(bulk)}}, nil
}

// Wipe overwrites the key. Nothing may be sealing or opening with it meanwhile.
func (k Key) Wipe() {
	if k.secret != nil {
		*k.secret = secret{wiped: true}
	}
}

// segment is the AEAD of the segment with this header: X(K_bulk, "segment", header, 32).
func (k Key) segment(header []byte) (cipher.AEAD, error) {
	if k.secret == nil || k.secret.wiped {
		return nil, ErrKey
	}
	key, err := derive.Key(k.secret.bulk[:], "segment", header, 32)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	defer clear(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return aead, nil
}

// What follows keeps the key out of logs. Format answers for every verb of fmt.

func (Key) String() string               { return redacted }
func (Key) Format(s fmt.State, _ rune)   { io.WriteString(s, redacted) } //nolint:errcheck // fmt has no use for it
func (Key) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (Key) MarshalBinary() ([]byte, error) {
	return nil, fmt.Errorf("%w: it is not stored by itself", ErrKey)
}
