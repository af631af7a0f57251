package wire

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"slices"
)

const (
	nonceSize = 12
	tagSize   = 16
)

func gcm(k Key) cipher.AEAD {
	block, err := aes.NewCipher(k[:])
	if err != nil {
		panic("wire: " + err.Error()) // 32 bytes: cannot be
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("wire: " + err.Error()) // AES has blocks of 16 bytes: cannot be
	}
	return aead
}

// seal appends nonce 12 || AES-256-GCM || tag 16 to dst, the nonce random.
func seal(dst []byte, k Key, plain, aad []byte) []byte {
	at := len(dst)
	dst = slices.Grow(dst, nonceSize+len(plain)+tagSize)[:at+nonceSize]
	rand.Read(dst[at:]) //nolint:errcheck // crypto/rand: never returns an error
	return gcm(k).Seal(dst, dst[at:], plain, aad)
}

func open(k Key, box, aad []byte) ([]byte, error) {
	if len(box) < nonceSize+tagSize {
		return nil, ErrUnreadable
	}
	plain, err := gcm(k).Open(nil, box[:nonceSize], box[nonceSize:], aad)
	if err != nil {
		return nil, ErrUnreadable
	}
	return plain, nil
}
