package audit

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/staunchid/staunch/account"
)

// Seal is a signature over all entries that no earlier seal covers. The zero
// Seal is none.
type Seal struct {
	Number    uint64   // from 1
	Count     uint64   // of entries that it covers; at least 1
	Digest    [32]byte // SHA-256 over their hashes, by account, then number
	Prev      [32]byte // Sum of the seal before
	Time      time.Time
	Signature []byte // Ed25519 over Message
}

// NewSeal returns the seal after last, without its signature: count entries,
// whose hashes in order have the SHA-256 digest.
func NewSeal(app account.AppID, last Seal, count uint64, digest [32]byte, now time.Time) Seal {
	s := Seal{Number: last.Number + 1, Count: count, Digest: digest, Time: time.UnixMicro(now.UnixMicro()).UTC()}
	s.Prev = s.follows(app, last)
	return s
}

// follows is the Prev of a seal that comes after last.
func (Seal) follows(app account.AppID, last Seal) [32]byte {
	if last.Number == 0 {
		return sha256.Sum256(appendText([]byte("staunch/audit-seal/v1/genesis\x00"), string(app)))
	}
	return last.Sum(app)
}

// Message is what the Signature is over.
func (s Seal) Message(app account.AppID) []byte {
	b := make([]byte, 0, 160)
	b = append(b, "staunch/audit-seal/v1\x00"...)
	b = appendText(b, string(app))
	b = binary.BigEndian.AppendUint64(b, s.Number)
	b = binary.BigEndian.AppendUint64(b, s.Count)
	b = binary.BigEndian.AppendUint64(b, uint64(s.Time.UnixMicro()))
	b = append(b, s.Digest[:]...)
	return append(b, s.Prev[:]...)
}

// Sum is the SHA-256 of the Message.
func (s Seal) Sum(app account.AppID) [32]byte { return sha256.Sum256(s.Message(app)) }

// Verify reports whether one of keys has signed s as a seal of app. It says
// nothing of the entries: that is Check's part.
func (s Seal) Verify(app account.AppID, keys []ed25519.PublicKey) bool {
	message := s.Message(app)
	for _, key := range keys {
		if len(key) == ed25519.PublicKeySize && ed25519.Verify(key, message, s.Signature) { // RFC 8032, Section 5.1.7
			return true
		}
	}
	return false
}
