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
	return sha256.Sum256(e.encode(make([]byte, 0, 1024), app))
}

// encode appends what the hash is over to b.
func (e *Entry) encode(b []byte, app account.AppID) []byte {
	b = append(b, "staunch/audit/v1\x00"...)
	b = appendText(b, string(app))
	b = appendText(b, string(e.Account))
	b = binary.BigEndian.AppendUint64(b, e.N)
	b = binary.BigEndian.AppendUint64(b, uint64(e.Time.UnixMicro()))
	b = e.Actor.encode(b)
	b = appendText(b, e.Action)
	b = appendText(b, e.Subject)
	b = appendText(b, e.Object)
	b = appendText(b, e.Reason)
	b = appendText(b, []byte(e.Detail))
	return append(b, e.Prev[:]...)
}

func genesis(app account.AppID, id account.ID) [32]byte {
	b := []byte("staunch/audit/v1/genesis\x00")
	b = appendText(b, string(app))
	b = appendText(b, string(id))
	return sha256.Sum256(b)
}

// encode appends L(actor).
func (a *Actor) encode(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(16+len(a.Kind)+len(a.ID)+len(a.Session)+len(a.Class)))
	b = appendText(b, string(a.Kind))
	b = appendText(b, a.ID)
	b = appendText(b, a.Session)
	return appendText(b, a.Class)
}

// appendText appends L(s).
func appendText[T string | []byte](b []byte, s T) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
	return append(b, s...)
}
