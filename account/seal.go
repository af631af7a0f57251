package account

import (
	"crypto/hmac"
	"crypto/sha256"
	"slices"
)

// The rows of accounts, devices, passkeys and sessions each have a MAC, checked whenever
// one is used. Whoever can write to the store and has not the key can neither
// change a row nor move it to another account.
//
//	HMAC-SHA-256(key, "staunch/row-mac/v1" ‖ 0x00 ‖ L(kind) ‖ L(field) of every field in order)
//
// kind is "account", "device", "credential", or that of another row. The fields are those of the
// digest, and for a passkey after them counter and flags as U64, the time of its
// last use, and its devices, each once and in the order of their ids. A row that
// was put back to what it once was has a good MAC; the audit chain finds that.

// keySize is that of the key: a key that is not there, or not all there, is good
// for no row.
const keySize = 32

// Seal gives the MAC of the row.
func (a Account) Seal(key []byte) []byte { return seal(key, "account", a.fields()) }

// Sound reports whether the MAC is that of the row, in constant time.
func (a Account) Sound(key []byte) bool { return sound(key, a.MAC, a.Seal(key)) }

// Seal gives the MAC of the row. LastSeenAt is not in it.
func (d Device) Seal(key []byte) []byte { return seal(key, "device", d.fields()) }

// Sound reports whether the MAC is that of the row, in constant time.
func (d Device) Sound(key []byte) bool { return sound(key, d.MAC, d.Seal(key)) }

// Seal gives the MAC of the row, with everything in it and its devices.
func (c Credential) Seal(key []byte) []byte {
	fields := append(c.lasting(), number(uint64(c.SignCount)), number(uint64(c.Flags)), micros(c.LastUsedAt))
	for _, d := range slices.Compact(slices.Sorted(slices.Values(c.Devices))) {
		fields = append(fields, string(d))
	}
	return seal(key, "credential", fields)
}

// Sound reports whether the MAC is that of the row, in constant time.
func (c Credential) Sound(key []byte) bool { return sound(key, c.MAC, c.Seal(key)) }

func seal(key []byte, kind string, fields []string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write(encode("staunch/row-mac/v1", append([]string{kind}, fields...)))
	return m.Sum(nil)
}

func sound(key, have, want []byte) bool {
	return len(key) == keySize && hmac.Equal(have, want)
}
