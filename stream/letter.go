package stream

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/staunchid/staunch/recovery"
)

// ErrNoLetter: there is no dead letter with this ID. List them.
var ErrNoLetter = errors.New("stream: no such dead letter")

// Letter is an entry that was given up. It stays until somebody puts it back or
// drops it.
type Letter struct {
	ID       string // 16 hex digits; the same entry has the same ID
	Record   recovery.Record
	Raw      []byte // instead of Record: bytes that are no entry
	Attempts int
	Reason   string
	At       time.Time // when it was given up
}

// LetterID names an entry: a stream that gives it up twice has one letter.
func LetterID(r recovery.Record) string {
	k := KeyOf(r)
	b := append([]byte(k.App+"\x00"), k.Bytes()...)
	b = binary.BigEndian.AppendUint32(b, r.Gen)
	b = binary.BigEndian.AppendUint64(b, r.Ver)
	b = append(b, r.MAC...) // so that nobody else's takes its place
	return RawID(b)
}

// RawID names bytes that are no entry.
func RawID(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// ValidID reports whether id has the form of one. IDs name files.
func ValidID(id string) bool {
	return len(id) == 16 && strings.Trim(id, "0123456789abcdef") == ""
}

// Clip makes a reason fit to be kept: text, of at most 2,000 bytes.
func Clip(reason string) string {
	return strings.ToValidUTF8(reason[:min(len(reason), 2000)], "?")
}

// Stats is what a stream holds.
type Stats struct {
	Depth  int       // entries that are not applied yet
	Oldest time.Time // when the oldest of them was enqueued; zero: there is none
	Dead   int       // dead letters
}
