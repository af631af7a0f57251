package registry

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"log/slog"
	"time"

	"github.com/staunchid/staunch/account"
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

// hashDays is for how many days an account keeps its hash. The day of a change
// is the same for every app and server: days since 1970 divided by it.
const hashDays = 90

// hashHours is the same in hours.
const hashHours = hashDays * 24

// account is the hash that stands for an account in statistics around a time.
// It changes with the period, at midnight UTC, so that nobody's tries can be
// followed for longer, and nothing of a day or an hour falls into two periods.
//
//	HMAC-SHA-256(HMAC-SHA-256(key, "staunch/attest/account/v1" ‖ 0x00 ‖ U64(days since 1970 / 90)), account), the first 16 bytes
func (k HashKey) account(id account.ID, at time.Time) []byte {
	period := hmac.New(sha256.New, k)
	period.Write([]byte("staunch/attest/account/v1\x00"))
	period.Write(binary.BigEndian.AppendUint64(nil, uint64(hoursOf(at)/hashHours)))
	m := hmac.New(sha256.New, period.Sum(nil))
	m.Write([]byte(id))
	return m.Sum(nil)[:16]
}

// hoursOf is the number of whole hours since 1970 in UTC.
func hoursOf(t time.Time) int64 { return t.Unix() / 3600 }
