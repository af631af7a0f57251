package registry

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"log/slog"
)

// HashKey is a secret. What prints it prints [redacted].
type HashKey []byte

const redacted = "[redacted]"

// String, GoString, MarshalJSON and LogValue keep the key out of logs.
func (HashKey) String() string { return redacted }

// GoString is for %#v.
func (HashKey) GoString() string { return redacted }

// MarshalJSON keeps the key out of JSON.
func (HashKey) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue keeps the key out of slog.
func (HashKey) LogValue() slog.Value { return slog.StringValue(redacted) }

// device is the hash that stands for a device's identifiers; nil for none.
//
//	HMAC-SHA-256(key, "staunch/attest/device/v1" ‖ 0x00 ‖ L(identifier) of each, in the order of their tags)
func (k HashKey) device(ids []string) []byte {
	if len(ids) == 0 {
		return nil
	}
	m := hmac.New(sha256.New, k)
	m.Write([]byte("staunch/attest/device/v1\x00"))
	for _, id := range ids {
		m.Write(binary.BigEndian.AppendUint32(nil, uint32(len(id))))
		m.Write([]byte(id))
	}
	return m.Sum(nil)
}
