package android

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/staunchid/staunch/internal/der"
	"github.com/staunchid/staunch/internal/jsonobject"
)

// The statuses that are known. Only REVOKED fails verification.
const (
	StatusRevoked   = "REVOKED"
	StatusSuspended = "SUSPENDED"
)

// maxStatusList bounds a status list, in bytes.
const maxStatusList = 64 << 20

// StatusList is Google's attestation status list: data with an age. The zero
// list names nobody.
type StatusList struct {
	Digest    string    // "sha256:" and hex of the list as it came
	FetchedAt time.Time // of a snapshot; zero: unknown, taken as just now
	entries   map[string]string
	size      int // of the whole list
}

// ErrStatusList: the list cannot be trusted to be whole. Keep the last good
// one, and find out why.
var ErrStatusList = errors.New("android: malformed status list")

// ParseStatusList reads the vendor's JSON, {"entries": {SERIAL: {"status":
// ...}}}, or a snapshot {"fetched_at": TIME, "list": {"entries": ...}}.
// Serials are hex, whatever they look like; upper case and leading zeros are
// normalised; one that is not hex makes the whole list invalid.
func ParseStatusList(data []byte) (*StatusList, error) {
	if len(data) > maxStatusList {
		return nil, fmt.Errorf("%w: larger than %d MiB", ErrStatusList, maxStatusList>>20)
	}
	members, err := jsonobject.Members(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStatusList, err)
	}
	l := &StatusList{}
	list, at := members["list"], members["fetched_at"]
	if list != nil || at != nil { // a snapshot
		if list == nil || members["entries"] != nil || json.Unmarshal(at, &l.FetchedAt) != nil || l.FetchedAt.IsZero() {
			return nil, fmt.Errorf("%w: a snapshot has the members fetched_at, a time, and list, and no entries beside them", ErrStatusList)
		}
		l.FetchedAt = l.FetchedAt.UTC()
		data = list
		if members, err = jsonobject.Members(list); err != nil {
			return nil, fmt.Errorf("%w: list: %w", ErrStatusList, err)
		}
	}
	digest := sha256.Sum256(bytes.TrimSpace(data))
	l.Digest = "sha256:" + hex.EncodeToString(digest[:])
	if err := l.read(members["entries"]); err != nil {
		return nil, fmt.Errorf("%w: entries: %w", ErrStatusList, err)
	}
	return l, nil
}

// read reads the entries one by one: a serial that stands there twice, in
// whatever spelling, keeps the worse of its statuses.
func (l *StatusList) read(entries []byte) error {
	l.entries = make(map[string]string)
	err := jsonobject.Walk(entries, func(key string, entry json.RawMessage) error {
		serial, err := canonicalSerial(key)
		if err != nil {
			return err
		}
		members, err := jsonobject.Members(entry)
		if err != nil {
			return fmt.Errorf("%s: %w", serial, err)
		}
		var status string
		if json.Unmarshal(members["status"], &status) != nil || status == "" {
			return fmt.Errorf("%s has no status", serial)
		}
		if severity(status) > severity(l.entries[serial]) {
			l.entries[serial] = status
		}
		return nil
	})
	l.size = len(l.entries)
	return err
}

// severity orders the statuses that a serial may have: none, one that nobody
// here knows, suspended, revoked.
func severity(status string) int {
	switch status {
	case "":
		return 0
	case StatusRevoked:
		return 3
	case StatusSuspended:
		return 2
	}
	return 1
}

// canonicalSerial normalises a key of the list. Serials that look decimal are
// hex all the same.
func canonicalSerial(key string) (string, error) {
	padded := key
	if len(padded)%2 == 1 {
		padded = "0" + padded
	}
	octets, err := hex.DecodeString(strings.ToLower(padded))
	if err != nil || key == "" {
		return "", fmt.Errorf("serial %q is not hex", key)
	}
	return der.Serial(octets), nil
}

// Lookup returns the status of a serial in canonical hex, or "" for one that
// is not on the list.
func (l *StatusList) Lookup(serial string) string { return l.entries[serial] }

// Serials lists the serials that have a status, in canonical hex, sorted: what
// a registry compares with the serials of the keys that it keeps.
func (l *StatusList) Serials(status string) []string {
	var all []string
	for serial, is := range l.entries {
		if is == status {
			all = append(all, serial)
		}
	}
	slices.Sort(all)
	return all
}

// lookup is Lookup by contents octets; it allocates nothing for a serial of the
// length that RFC 5280, Section 4.1.2.2 allows.
func (l *StatusList) lookup(octets []byte) string {
	if len(octets) > 32 {
		return l.Lookup(der.Serial(octets))
	}
	var buffer [64]byte
	key := bytes.TrimLeft(buffer[:hex.Encode(buffer[:], octets)], "0")
	if len(key) == 0 {
		return l.entries["0"]
	}
	return l.entries[string(key)]
}

// Len is the number of serials on the list.
func (l *StatusList) Len() int { return l.size }

// Age is how old the list is at now; a list that does not say when it was
// fetched has age 0.
func (l *StatusList) Age(now time.Time) time.Duration {
	if l.FetchedAt.IsZero() {
		return 0
	}
	return now.Sub(l.FetchedAt)
}

// NewStatusList makes a list of what one said of some serials: for a replay,
// which has no need of the rest.
func NewStatusList(digest string, fetchedAt *time.Time, entries int, listed map[string]string) *StatusList {
	l := &StatusList{Digest: digest, entries: listed, size: entries}
	if fetchedAt != nil {
		l.FetchedAt = fetchedAt.UTC()
	}
	return l
}
