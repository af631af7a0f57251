package audit

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/staunchid/staunch/account"
)

// Head is the last entry of a chain. The zero Head is that of an empty chain.
type Head struct {
	N    uint64
	Hash [32]byte
}

// Next returns e as the entry after head in the chain of its account: numbered,
// linked and hashed.
func (e Entry) Next(app account.AppID, head Head) Entry {
	e.N = head.N + 1
	e.Prev = head.Hash
	if head.N == 0 {
		e.Prev = genesis(app, e.Account)
	}
	e.Hash = e.Sum(app)
	return e
}

// Sum computes the hash of e from everything in it but the Hash.
func (e Entry) Sum(app account.AppID) [32]byte {
	b := make([]byte, 0, 512)
	b = append(b, "staunch/audit/v1\x00"...)
	b = appendText(b, string(app))
	b = appendText(b, string(e.Account))
	b = binary.BigEndian.AppendUint64(b, e.N)
	b = binary.BigEndian.AppendUint64(b, uint64(e.Time.UnixMicro()))
	b = appendText(b, e.Actor.encode())
	b = appendText(b, e.Action)
	b = appendText(b, e.Subject)
	b = appendText(b, string(e.Object))
	b = appendText(b, e.Reason)
	b = appendText(b, string(e.Detail))
	b = append(b, e.Prev[:]...)
	return sha256.Sum256(b)
}

func genesis(app account.AppID, id account.ID) [32]byte {
	b := []byte("staunch/audit/v1/genesis\x00")
	b = appendText(b, string(app))
	b = appendText(b, string(id))
	return sha256.Sum256(b)
}

func (a Actor) encode() string {
	b := appendText(nil, string(a.Kind))
	b = appendText(b, a.ID)
	b = appendText(b, a.Session)
	b = appendText(b, a.Class)
	return string(b)
}

// appendText appends L(s).
func appendText(b []byte, s string) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
	return append(b, s...)
}
