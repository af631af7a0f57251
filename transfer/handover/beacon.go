package handover

import (
	"crypto/aes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
)

// BeaconSize is the length of what the new phone sends over the air: 20 bytes.
const BeaconSize = aes.BlockSize + beaconTag

const beaconTag = 4

// Proximity is the 16 bytes that a beacon brings. Who has not heard it, or says so,
// gets other keys than the new phone. The zero Proximity is that of ClassNone.
type Proximity [16]byte

func newProximity() (p Proximity) {
	rand.Read(p[:]) //nolint:errcheck // crypto/rand: never returns an error
	return p
}

// beacon is prox as one block of AES-256, and 4 bytes of an HMAC over that. Each is
// sent for one code only, so that a block cipher does.
func (c Code) beacon(p Proximity) ([]byte, error) {
	k, err := beaconKey(c.Secret, c.ID)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(k[:32])
	if err != nil {
		return nil, fmt.Errorf("handover: beacon: %w", err)
	}
	b := make([]byte, aes.BlockSize, BeaconSize)
	block.Encrypt(b, p[:])
	return append(b, beaconMAC(k[32:], b)...), nil
}

// OpenBeacon reads what was heard. What is no beacon of this code is ErrBeacon:
// listen on.
func (c Code) OpenBeacon(b []byte) (p Proximity, err error) {
	k, err := beaconKey(c.Secret, c.ID)
	if err != nil {
		return p, err
	}
	if len(b) != BeaconSize {
		return p, fmt.Errorf("%w: %d bytes, not %d", ErrBeacon, len(b), BeaconSize)
	}
	if !same(b[aes.BlockSize:], beaconMAC(k[32:], b[:aes.BlockSize])) {
		return p, fmt.Errorf("%w: of another code", ErrBeacon)
	}
	block, err := aes.NewCipher(k[:32])
	if err != nil {
		return p, fmt.Errorf("handover: beacon: %w", err)
	}
	block.Decrypt(p[:], b[:aes.BlockSize])
	return p, nil
}

func beaconMAC(key, e []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write(e)
	return m.Sum(nil)[:beaconTag]
}
