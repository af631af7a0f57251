package wire

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
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

// sealPadded returns head || nonce 12 || AES-256-GCM of a structure and zeros up to
// size || tag 16, the nonce random. The structure is written where it is then
// encrypted, so nothing of it is left.
func sealPadded(head []byte, k Key, v Coded, size int, aad []byte) ([]byte, error) {
	at := len(head)
	box := append(make([]byte, 0, at+nonceSize+size+tagSize), head...)[:at+nonceSize]
	rand.Read(box[at:]) //nolint:errcheck // crypto/rand: never returns an error
	plain, err := appendPadded(box, v, size)
	if err != nil {
		return nil, err
	}
	return gcm(k).Seal(box, box[at:], plain, aad), nil
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
