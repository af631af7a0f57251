package recovery

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery/wire"
)

// An entry of the retry stream has MACs as the rows have, kinds "recovery_retry"
// and "recovery_note": a stream is a topic or a file that others can write to, and
// what its entries say proves PINs. One is over the sealed record, and one over
// each note with the account that it is of, so that joined entries keep theirs.
// Two fields have none, for streams change them: Create, which lets a record be the
// first, and At, which operators are told.

// Note is what is kept of an executed call beside its record: the receipt, and
// whom it concerns. In the retry stream it is JSON.
type Note struct {
	Receipt []byte           `json:"receipt"`           // a wire.Signed, verified by who sealed the note
	Session []byte           `json:"session,omitempty"` // hash of the recovery's session
	By      account.DeviceID `json:"by,omitempty"`
	Request []byte           `json:"request"` // SHA-256: which intent it ends
	MAC     []byte           `json:"mac"`
}

// read gives the receipt of a note.
func (n *Note) read() (wire.Receipt, error) {
	signed, err := wire.Decode[wire.Signed](n.Receipt)
	if err != nil {
		return wire.Receipt{}, err
	}
	return wire.Decode[wire.Receipt](signed.TBS)
}

// seal gives the MAC of a note of r.
func (n *Note) seal(key []byte, r Record) []byte {
	return account.SealRow(key, "recovery_note", string(r.App), r.Vault, string(r.Acct[:]), string(r.Account),
		string(n.Receipt), string(n.Session), string(n.By), string(n.Request))
}

// seal gives the MAC of an entry without its notes.
func (r Record) seal(key []byte) []byte {
	return account.SealRow(key, "recovery_retry", string(r.App), r.Vault, string(r.Acct[:]), string(r.Account),
		strconv.FormatUint(uint64(r.Gen), 10), strconv.FormatUint(r.Ver, 10), strconv.Itoa(int(r.Used)), strconv.Itoa(int(r.State)), string(r.Sealed))
}

// SealEntry gives r the notes and the MACs that Apply wants. key is Options.RowKey.
// Whoever seals a note has verified its receipt: Apply cannot, when the replica that
// signed it has been started again since.
func SealEntry(key []byte, r Record, notes ...Note) (Record, error) {
	r.Notes = nil
	for _, n := range notes {
		n.MAC = n.seal(key, r)
		text, err := json.Marshal(n)
		if err != nil {
			return r, fmt.Errorf("recovery: note: %w", err)
		}
		r.Notes = append(r.Notes, text)
	}
	r.MAC = r.seal(key)
	return r, nil
}

// Sound reports whether this app has sealed an entry and all of its notes.
func (s *Service) Sound(r Record) bool {
	_, err := r.opened(s.rowKey)
	return err == nil
}

// opened reads the notes of an entry. It refuses what this app has not sealed.
func (r Record) opened(key []byte) ([]Note, error) {
	if !account.SoundRow(key, r.MAC, r.seal(key)) {
		return nil, errForged
	}
	notes := make([]Note, len(r.Notes))
	for i, text := range r.Notes {
		n := &notes[i]
		if err := json.Unmarshal(text, n); err != nil {
			return nil, fmt.Errorf("note: %w", err)
		}
		if !account.SoundRow(key, n.MAC, n.seal(key, r)) {
			return nil, fmt.Errorf("note: %w", errForged)
		}
		receipt, err := n.read()
		switch {
		case err != nil:
			return nil, fmt.Errorf("note: %w", err)
		case receipt.Vault != r.Vault, receipt.Acct != r.Acct:
			return nil, errors.New("note: its receipt is of another vault or account")
		}
	}
	return notes, nil
}

// errForged is an entry that somebody else has written, or changed.
var errForged = errors.New("it does not carry the app's mark: somebody writes to the retry stream past the program")

// creating reports whether there may be no row for what an op makes: a first
// record, or the tombstone of one that was lost.
func creating(op wire.Op) bool {
	return slices.Contains([]wire.Op{wire.OpCreate, wire.OpSeedBackup, wire.OpDelete}, op)
}

// sessionHash gives the hash of the session of a note; zero: none.
func (n *Note) sessionHash() (h [32]byte) {
	if len(n.Session) == sha256.Size {
		h = [32]byte(n.Session)
	}
	return h
}
