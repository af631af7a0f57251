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

// seal is nonce 12 || AES-256-GCM || tag 16, the nonce random.
func seal(k Key, plain, aad []byte) []byte {
	var nonce [nonceSize]byte
	rand.Read(nonce[:]) //nolint:errcheck // crypto/rand: never returns an error
	return sealWith(k, nonce, plain, aad)
}

// sealWith is seal with a nonce of the vectors' choice.
func sealWith(k Key, nonce [nonceSize]byte, plain, aad []byte) []byte {
	out := make([]byte, nonceSize, nonceSize+len(plain)+tagSize)
	copy(out, nonce[:])
	return gcm(k).Seal(out, nonce[:], plain, aad)
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
