package passkey_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// TestDeadKey: a public key by which nothing can be verified makes no passkey,
// though nothing was verified by it yet.
func TestDeadKey(t *testing.T) {
	last := func(b ...byte) func([]byte) []byte { // the last 32 bytes of the COSE key: y of ES256, the point of Ed25519
		return func(key []byte) []byte {
			return append(slices.Clone(key[:len(key)-32]), append(b, make([]byte, 32-len(b))...)...)
		}
	}
	for _, tt := range []struct {
		name string
		alg  int
		edit func([]byte) []byte
		want error
	}{
		{"ES256", -7, func(key []byte) []byte { return key }, nil},
		{"ES256, another y", -7, func(key []byte) []byte { return append(slices.Clone(key[:len(key)-1]), key[len(key)-1]^1) }, passkey.ErrMalformed},
		{"ES256, y is 0", -7, last(), passkey.ErrMalformed},
		{"Ed25519", -8, func(key []byte) []byte { return key }, nil},
		{"Ed25519, y is 3", -8, last(3), nil},
		{"Ed25519, y is 2", -8, last(2), passkey.ErrMalformed},
		{"Ed25519, y is 1 and x is not 0", -8, last(append([]byte{1}, append(make([]byte, 30), 0x80)...)...), passkey.ErrMalformed},
		{"Ed25519, y is the prime", -8, last(append([]byte{0xed}, append(bytes.Repeat([]byte{0xff}, 30), 0x7f)...)...), passkey.ErrMalformed},
		{"RS256", -257, func(key []byte) []byte { return key }, nil},
	} {
		w := newWorld(t, &passkeytest.Options{Algorithm: tt.alg})
		c, response := w.created(passkeytest.Edit(passkeytest.CredentialKey, tt.edit))
		if _, err := w.rp.VerifyCreation(c, response, now); !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}
