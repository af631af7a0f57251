package account

import (
	"encoding/json"
	"time"
)

// Seal gives the MAC of the row: its kind is "session", and everything but
// LastSeenAt is in it, the hash of its token too, so that nobody puts a token of
// his own on another's session. The proofs are one field, as ProofsText gives
// them. It is nil, which is good for nothing, if there is no such text.
func (s Session) Seal(key []byte) []byte {
	proofs, err := ProofsText(s.Proofs)
	if err != nil {
		return nil
	}
	return SealRow(key, "session", string(s.ID), string(s.TokenHash[:]), string(s.Account), string(s.Device), string(s.Kind), proofs,
		s.Origin, s.Label, s.Network, s.Place, MACTime(s.CreatedAt), MACTime(s.Until), MACTime(s.EndedAt), s.EndedWhy)
}

// Sound reports whether the MAC is that of the row, in constant time.
func (s Session) Sound(key []byte) bool { return SoundRow(key, s.MAC, s.Seal(key)) }

// ProofsText gives proofs as they are stored: JSON, with times in microseconds,
// UTC. What was read is written in the same way again.
func ProofsText(all []Proof) (string, error) {
	kept := make([]Proof, len(all))
	for i, p := range all {
		p.At = p.At.UTC().Truncate(time.Microsecond)
		kept[i] = p
	}
	b, err := json.Marshal(kept)
	return string(b), err
}

// SealRow gives the MAC of a row that is no noun of this package. kind keeps
// rows of different tables apart.
func SealRow(key []byte, kind string, fields ...string) []byte { return seal(key, kind, fields) }

// SoundRow reports whether have is the MAC want of a row, in constant time.
func SoundRow(key, have, want []byte) bool { return len(want) > 0 && sound(key, have, want) }

// MACTime is a time as a field of a MAC: microseconds, and nothing if it is zero.
func MACTime(t time.Time) string { return micros(t) }
