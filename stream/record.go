package stream

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/internal/cbor"
	"github.com/staunchid/staunch/recovery"
)

// MaxEntry is how long the bytes of an entry may be. A record is 544 bytes, and
// 4,640 in profile seed.
const MaxEntry = 64 << 10

// Entries of one key are joined as long as the notes of both stay within these.
const (
	maxNotes  = 32
	maxJoined = MaxEntry / 2 // bytes of notes and record
)

// ErrMalformed is bytes that are no entry: another program's, or a newer
// version's. Read them with the version that wrote them.
var ErrMalformed = errors.New("stream: not an entry of this version")

// version is the first item of each entry.
const version = 1

// entry is an entry's bytes: dCBOR, an array.
type entry struct {
	_       struct{} `cbor:",toarray"`
	Version uint
	App     string
	Vault   string
	Acct    []byte
	Account string
	Gen     uint32
	Ver     uint64
	Create  bool
	Used    uint8
	State   uint8
	Sealed  []byte
	Notes   [][]byte
	At      int64 // Unix time in milliseconds
	MAC     []byte
}

// Encode gives the bytes of r.
func Encode(r recovery.Record) ([]byte, error) {
	if len(r.Notes) > maxNotes {
		return nil, fmt.Errorf("stream: an entry of %d notes; at most %d are taken", len(r.Notes), maxNotes)
	}
	data, err := cbor.Marshal(entry{
		Version: version, App: string(r.App), Vault: r.Vault, Acct: r.Acct[:], Account: string(r.Account),
		Gen: r.Gen, Ver: r.Ver, Create: r.Create, Used: r.Used, State: r.State, Sealed: r.Sealed, Notes: r.Notes, At: r.At.UnixMilli(), MAC: r.MAC,
	})
	if err != nil {
		return nil, fmt.Errorf("stream: encode an entry: %w", err)
	}
	if len(data) > MaxEntry {
		return nil, fmt.Errorf("stream: an entry of %d bytes; at most %d are taken", len(data), MaxEntry)
	}
	return data, nil
}

// Decode is the inverse of Encode. What it takes encodes to the same bytes.
func Decode(data []byte) (recovery.Record, error) {
	var e entry
	if err := cbor.Unmarshal(data, &e); err != nil {
		return recovery.Record{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	r := recovery.Record{
		App: account.AppID(e.App), Vault: e.Vault, Account: account.ID(e.Account),
		Gen: e.Gen, Ver: e.Ver, Create: e.Create, Used: e.Used, State: e.State, Sealed: e.Sealed, Notes: e.Notes,
		At: time.UnixMilli(e.At).UTC(), MAC: e.MAC,
	}
	if e.Version != version || len(e.Acct) != len(r.Acct) {
		return recovery.Record{}, fmt.Errorf("%w: version %d, an account of %d bytes", ErrMalformed, e.Version, len(e.Acct))
	}
	copy(r.Acct[:], e.Acct)
	// RFC 8949, Section 4.2.1: one form only, so that nothing rides along unseen.
	if again, err := cbor.Marshal(e); err != nil || !bytes.Equal(again, data) {
		return recovery.Record{}, fmt.Errorf("%w: not in its one form", ErrMalformed)
	}
	return r, nil
}

// Key says whose record it is. Entries of one key have an order.
type Key struct {
	App   account.AppID
	Vault string
	Acct  [16]byte
}

// KeyOf is the key of r.
func KeyOf(r recovery.Record) Key { return Key{r.App, r.Vault, r.Acct} }

// String is the form in which logs, the dead letters and Options.Ignore name it.
func (k Key) String() string { return fmt.Sprintf("%s/%s/%x", k.App, k.Vault, k.Acct) }

// Bytes is the key of a message: the vault, NUL, the account as that vault knows
// it. No two apps share an account of a vault.
func (k Key) Bytes() []byte { return append([]byte(k.Vault+"\x00"), k.Acct[:]...) }

// fits reports whether two entries of a key can be one.
func fits(a, b recovery.Record) bool {
	n := max(len(a.Sealed), len(b.Sealed))
	for _, note := range slices.Concat(a.Notes, b.Notes) {
		n += len(note)
	}
	return len(a.Notes)+len(b.Notes) <= maxNotes && n <= maxJoined
}
