package account

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// Digest is what an audit entry holds of an account: SHA-256 over everything in
// it but the MAC.
//
//	SHA-256("staunch/account/v1" ‖ 0x00 ‖ L(field) of every field in order)
//
// A state is its text, a time U64 microseconds, or nothing if it is zero, and
// what was left of a hold U64 nanoseconds.
func (a Account) Digest() [32]byte {
	return digest("staunch/account/v1", a.fields())
}

// Digest is what an audit entry holds of a device: SHA-256 over everything in
// it but LastSeenAt and the MAC.
func (d Device) Digest() [32]byte {
	return digest("staunch/device/v1", d.fields())
}

// Digest is what an audit entry holds of a passkey: SHA-256 over everything in
// it but the counter, the flags and the time of the last use, the devices that
// used it, and the MAC.
func (c Credential) Digest() [32]byte {
	return digest("staunch/credential/v1", c.lasting())
}

func (a Account) fields() []string {
	return append([]string{
		string(a.ID), a.Handle, string(a.UserHandle[:]), a.State.String(), a.Prior.String(), micros(a.NotBefore),
		string(a.FreezeCode), micros(a.CreatedAt),
	}, a.Hold.fields()...)
}

func (d Device) fields() []string {
	return append([]string{
		string(d.ID), string(d.Account), d.Name, d.Platform, d.State.String(), d.Prior.String(), d.KeyID,
		d.SealingAlg, string(d.SealingKey), d.Tier, micros(d.AttestedAt), string(d.AddedBy), micros(d.AddedAt),
	}, d.Hold.fields()...)
}

func (h Hold) fields() []string {
	return []string{string(h.Reason), micros(h.Since), micros(h.Until), number(uint64(h.Left)), string(h.By)}
}

// lasting is what does not change with each use.
func (c Credential) lasting() []string {
	return []string{
		string(c.Ref), string(c.Account), c.RPID, string(c.CredentialID), string(c.Record), string(c.State), c.Name, micros(c.AddedAt),
	}
}

// digest is SHA-256(label ‖ 0x00 ‖ L(field) of every field).
func digest(label string, fields []string) [32]byte { return sha256.Sum256(encode(label, fields)) }

// encode gives label ‖ 0x00 ‖ L(field) of every field.
func encode(label string, fields []string) []byte {
	n := len(label) + 1
	for _, f := range fields {
		n += 4 + len(f)
	}
	b := append(make([]byte, 0, n), label...)
	b = append(b, 0)
	for _, f := range fields {
		b = binary.BigEndian.AppendUint32(b, uint32(len(f))) //nolint:gosec // far below 4 GiB
		b = append(b, f...)
	}
	return b
}

// micros is a time in a digest; the zero time is nothing.
func micros(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return number(uint64(t.UnixMicro())) //nolint:gosec // the bytes are what counts
}

func number(n uint64) string { return string(binary.BigEndian.AppendUint64(nil, n)) }
