package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"

	"github.com/staunchid/staunch/attest/attesttest"
)

// softKey is the attested key of a software phone: one of the two.
type softKey struct {
	home    *home
	android *attesttest.AndroidKey
	apple   *attesttest.AppleKey
}

// errOtherKey: two programs are one phone.
var errOtherKey = errors.New("phone.json has another key now: another command has changed it; run this one again")

// openSoftKey reads a key that export wrote.
func openSoftKey(h *home, platform string, data json.RawMessage) (*softKey, error) {
	k := &softKey{home: h}
	var err error
	if platform != "ios" {
		k.android, err = attesttest.ParseAndroidKey(data)
		return k, err
	}
	k.apple, err = parseApple(data)
	return k, err
}

func parseApple(data json.RawMessage) (*attesttest.AppleKey, error) {
	ca, err := attesttest.TestAppleCA(time.Now())
	if err != nil {
		return nil, err
	}
	return ca.Phone().ParseAppleKey(data)
}

// ID is the key's id at the server.
func (k *softKey) ID() string {
	if k.apple != nil {
		return base64.RawURLEncoding.EncodeToString(k.apple.ID())
	}
	return k.android.ID()
}

// Public is the key's SubjectPublicKeyInfo.
func (k *softKey) Public() []byte {
	if k.apple != nil {
		return k.apple.PublicKey()
	}
	return k.android.PublicKey()
}

// Counts: an iPhone's does.
func (k *softKey) Counts() bool { return k.apple != nil }

// Sign signs a message as the platform does. An iPhone counts its signatures,
// and the server refuses a number that is not higher than the last: so the number
// is on the disk before anybody sees the signature.
func (k *softKey) Sign(message []byte) ([]byte, error) {
	if k.android != nil {
		return k.android.Sign(message)
	}
	hash := sha256.Sum256(message)
	var out []byte
	err := k.home.update(func(f *homeFile) error {
		kept := &f.Device
		if k.is(f.NextDevice) {
			kept = &f.NextDevice
		}
		if !k.is(*kept) {
			return errOtherKey
		}
		var err error
		if k.apple, err = parseApple(*kept); err != nil { // another program may have counted on
			return err
		}
		if out, err = k.apple.Assert(time.Now(), hash[:]); err != nil {
			return err
		}
		*kept, err = k.export()
		return err
	})
	return out, err
}

// into writes the key down. Its counter, once it is there, is the key's own to write.
func (k *softKey) into(kept *json.RawMessage) (err error) {
	switch {
	case k == nil:
		*kept = nil
	case !k.is(*kept):
		*kept, err = k.export()
	}
	return err
}

// is reports whether data is this key, whatever it has counted.
func (k *softKey) is(data json.RawMessage) bool {
	platform := "android"
	if k.apple != nil {
		platform = "ios"
	}
	other, err := openSoftKey(k.home, platform, data)
	return err == nil && other.ID() == k.ID()
}

func (k *softKey) export() (json.RawMessage, error) {
	if k.apple != nil {
		return k.apple.Export()
	}
	return k.android.Export()
}
